// A scan's distinct chunks as files that other machines' can be counted together with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "scan/chunk_stream.hpp"
#include "scan/counter.hpp"
#include "scan/parquet_writer.hpp"
#include "scan/scan_figures.hpp"

namespace lab::scan {

struct EmittedFile {
  std::string name{};
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
};

struct EmittedChunker {
  ChunkerSpec spec{};
  std::vector<Met> met{};  // By class. Whole blocks of zeros are in no file.
  std::uint64_t spilled_bytes = 0;
  std::vector<EmittedFile> files{};
};

/// What `scan.json` of an emitted folder says. It is written last: a folder without it is not whole.
struct Emitted {
  std::string id{};  // Another one for each scan.
  FingerprintKind fingerprint = FingerprintKind::kXxh3;
  std::vector<std::string> classes{};
  std::vector<FilesRead> read{};  // By class.
  std::vector<EmittedChunker> chunkers{};
  std::vector<PathNote> left_out{};
  std::vector<PathNote> incomplete{};
};

/// Errors: kInvalidArgument with the folder, the file and what is wrong: it is missing, not ours, or a file
/// that it names is missing or has another size.
Result<Emitted> read_emitted(const std::filesystem::path& folder);

/// Fills a folder. What it has written is removed again unless finish() succeeds.
class Emitter final : public DistinctSink {
 public:
  /// Makes the folder, or takes an empty one. Errors: kInvalidArgument when it is neither; errno's.
  static Result<std::unique_ptr<Emitter>> begin(const std::filesystem::path& folder, FingerprintKind kind,
                                                std::uint64_t file_rows = kFileRows);
  ~Emitter() override;
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  /// What comes then is of this chunker.
  void open(const ChunkerSpec& spec);
  Status add(std::span<const std::byte> key, std::uint32_t length,
             std::span<const std::uint64_t> copies_by_class) override;
  Result<std::vector<EmittedFile>> close();

  Status finish(const Emitted& emitted);

  /// The most that it keeps.
  static std::int64_t memory(FingerprintKind kind);
  /// Rows of a file at most: some 220 MB.
  static constexpr std::uint64_t kFileRows = 1U << 24U;

 private:
  Emitter(std::filesystem::path folder, FingerprintKind kind, std::uint64_t file_rows, bool made)
      : folder_(std::move(folder)), kind_(kind), file_rows_(file_rows), made_(made) {}
  Status close_file();

  std::filesystem::path folder_;
  FingerprintKind kind_;
  std::uint64_t file_rows_;
  bool made_;  // The folder is ours.
  bool finished_ = false;
  ChunkerSpec spec_{};
  std::unique_ptr<ParquetWriter> writer_{};
  std::vector<EmittedFile> files_{};              // Of the chunker.
  std::vector<std::filesystem::path> written_{};  // Of all.
};

/// Errors: kInvalidArgument when a scan may not emit into `folder`, naming the flag.
Status check_emit_folder(const std::filesystem::path& folder);

}  // namespace lab::scan
