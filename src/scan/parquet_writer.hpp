// The part of the Parquet format that tables of fingerprints need, for readers such as DuckDB and Spark.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "core/result.hpp"

namespace lab::scan {

struct ParquetColumn {
  enum class Type : std::uint8_t { kInt32, kInt64, kFixedBytes };
  std::string name{};
  Type type = Type::kInt64;
  std::uint32_t width = 8;  // 4, 8, or any for kFixedBytes.
};

/// Writes one file: flat columns in which no value is missing, values as they are (PLAIN), one page a column
/// and row group, compressed by zstd with its check sum. Rows come in ascending order of the first column, by
/// its bytes; each row group says from where to where. Source: parquet.thrift and README of
/// apache/parquet-format 2.10. Not thread-safe. A file without finish() is none: it has no footer.
class ParquetWriter {
 public:
  ~ParquetWriter();
  ParquetWriter(ParquetWriter&&) noexcept;
  ParquetWriter& operator=(ParquetWriter&&) = delete;

  /// The file must not be there. Errors: errno's, with the path.
  static Result<ParquetWriter> create(const std::filesystem::path& path, std::vector<ParquetColumn> columns);

  /// The columns' bytes one after the other, numbers little-endian. Errors: kResourceExhausted (disk).
  Status add(std::span<const std::byte> row);

  /// Ends the file and makes it durable; gives its size.
  Result<std::uint64_t> finish();

  std::uint64_t rows() const noexcept { return rows_; }

  static constexpr std::size_t kGroupRows = 1U << 17U;
  /// The most that a writer keeps, with the work space of the compressor.
  static std::int64_t memory(std::span<const ParquetColumn> columns);

 private:
  struct Chunk {  // A column of a row group, in the file.
    std::uint64_t offset = 0;
    std::uint64_t plain = 0;       // Bytes of header and page before compression,
    std::uint64_t compressed = 0;  // and behind it.
  };
  struct Group {
    std::uint64_t rows = 0;
    std::vector<Chunk> chunks{};
    std::string first{};  // Of the first column.
    std::string last{};
  };
  struct Compressor;

  ParquetWriter(FileHandle file, std::filesystem::path path, std::vector<ParquetColumn> columns);
  Status write(std::string_view bytes);
  Status write_group();
  Result<Chunk> write_page(const std::string& plain, std::size_t rows);
  std::string footer() const;

  FileHandle file_;
  std::filesystem::path path_;
  std::vector<ParquetColumn> columns_;
  std::vector<std::string> pages_{};  // What is collected of the row group, by column.
  std::unique_ptr<Compressor> compressor_;
  std::vector<Group> groups_{};
  std::uint64_t rows_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace lab::scan
