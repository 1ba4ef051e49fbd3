// SPDX-License-Identifier: Apache-2.0
#include "scan/parquet_writer.hpp"

#include <fcntl.h>
#include <zstd.h>

#include <algorithm>
#include <bit>

#include "scan/thrift_compact.hpp"

namespace lab::scan {
namespace {

static_assert(std::endian::native == std::endian::little, "PLAIN numbers are little-endian");

constexpr std::string_view kMagic = "PAR1";
constexpr int kLevel = 1;  // Fingerprints do not shrink, and the rest does at any level.
constexpr std::int64_t kCompressorBytes = 2 << 20;

// Numbers of parquet.thrift.
constexpr std::int32_t kVersion = 1;
constexpr std::int32_t kRequired = 0;
constexpr std::int32_t kDataPage = 0;
constexpr std::int32_t kPlain = 0;
constexpr std::int32_t kRle = 3;
constexpr std::int32_t kZstd = 6;

std::int32_t number_of(ParquetColumn::Type type) {
  switch (type) {
    case ParquetColumn::Type::kInt32:
      return 1;
    case ParquetColumn::Type::kInt64:
      return 2;
    case ParquetColumn::Type::kFixedBytes:
      break;
  }
  return 7;
}

std::string page_header(std::size_t plain, std::size_t compressed, std::size_t rows) {
  ThriftWriter out;
  out.i32(1, kDataPage);
  out.i32(2, static_cast<std::int32_t>(plain));
  out.i32(3, static_cast<std::int32_t>(compressed));
  out.begin(5);
  out.i32(1, static_cast<std::int32_t>(rows));
  out.i32(2, kPlain);
  out.i32(3, kRle);  // Of levels, of which required columns have none; the fields must be there all the same.
  out.i32(4, kRle);
  out.end();
  return out.finish();
}

void write_schema(ThriftWriter& out, std::span<const ParquetColumn> columns) {
  out.list(2, ThriftWriter::kStruct, columns.size() + 1);
  out.begin_element();
  out.text(4, "chunks");
  out.i32(5, static_cast<std::int32_t>(columns.size()));
  out.end();
  for (const ParquetColumn& column : columns) {
    out.begin_element();
    out.i32(1, number_of(column.type));
    if (column.type == ParquetColumn::Type::kFixedBytes) out.i32(2, static_cast<std::int32_t>(column.width));
    out.i32(3, kRequired);
    out.text(4, column.name);
    out.end();
  }
}

}  // namespace

struct ParquetWriter::Compressor {
  Compressor() : context(ZSTD_createCCtx()) {
    LAB_CHECK(context != nullptr, "there is memory for a compressor");
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  }
  ~Compressor() { ZSTD_freeCCtx(context); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  ZSTD_CCtx* context;
  std::string page{};
};

ParquetWriter::ParquetWriter(FileHandle file, std::filesystem::path path, std::vector<ParquetColumn> columns)
    : file_(std::move(file)),
      path_(std::move(path)),
      columns_(std::move(columns)),
      pages_(columns_.size()),
      compressor_(std::make_unique<Compressor>()) {}

ParquetWriter::~ParquetWriter() = default;
ParquetWriter::ParquetWriter(ParquetWriter&&) noexcept = default;

Result<ParquetWriter> ParquetWriter::create(const std::filesystem::path& path,
                                            std::vector<ParquetColumn> columns) {
  auto file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!file) return std::move(file).error();
  ParquetWriter writer(std::move(*file), path, std::move(columns));
  LAB_TRY(writer.write(kMagic));
  return writer;
}

std::int64_t ParquetWriter::memory(std::span<const ParquetColumn> columns) {
  std::size_t widest = 0;
  std::size_t all = 0;
  for (const ParquetColumn& column : columns) {
    widest = std::max<std::size_t>(widest, column.width);
    all += column.width;
  }
  return static_cast<std::int64_t>(all * kGroupRows + ZSTD_compressBound(widest * kGroupRows)) +
         kCompressorBytes;
}

Status ParquetWriter::add(std::span<const std::byte> row) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::string& page = pages_[i];
    if (page.capacity() == 0) page.reserve(columns_[i].width * kGroupRows);
    page.append(reinterpret_cast<const char*>(row.data()), columns_[i].width);
    row = row.subspan(columns_[i].width);
  }
  LAB_CHECK(row.empty(), "a row is its columns");
  rows_ += 1;
  return rows_ % kGroupRows == 0 ? write_group() : ok();
}

Result<std::uint64_t> ParquetWriter::finish() {
  if (!pages_.front().empty()) LAB_TRY(write_group());
  std::string end = footer();
  const auto length = static_cast<std::uint32_t>(end.size());
  end.append(reinterpret_cast<const char*>(&length), sizeof length);
  end += kMagic;
  LAB_TRY(write(end));
  LAB_TRY(sync_file(path_));
  return size_;
}

Status ParquetWriter::write(std::string_view bytes) {
  LAB_TRY(write_all(file_, bytes, path_));
  size_ += bytes.size();
  return ok();
}

Status ParquetWriter::write_group() {
  const std::size_t width = columns_.front().width;
  Group group{.rows = pages_.front().size() / width};
  group.first = pages_.front().substr(0, width);
  group.last = pages_.front().substr(pages_.front().size() - width);
  for (std::string& page : pages_) {
    const auto chunk = write_page(page, group.rows);
    if (!chunk) return chunk.error();
    group.chunks.push_back(*chunk);
    page.clear();
  }
  groups_.push_back(std::move(group));
  return ok();
}

Result<ParquetWriter::Chunk> ParquetWriter::write_page(const std::string& plain, std::size_t rows) {
  std::string& page = compressor_->page;
  page.resize(ZSTD_compressBound(plain.size()));
  const std::size_t size =
      ZSTD_compress2(compressor_->context, page.data(), page.size(), plain.data(), plain.size());
  if (ZSTD_isError(size) != 0) return Error{ErrorCode::kInternal, "scan.emit", ZSTD_getErrorName(size)};
  const std::string header = page_header(plain.size(), size, rows);
  const Chunk chunk{size_, header.size() + plain.size(), header.size() + size};
  LAB_TRY(write(header));
  LAB_TRY(write(std::string_view(page).substr(0, size)));
  return chunk;
}

std::string ParquetWriter::footer() const {
  ThriftWriter out;
  out.i32(1, kVersion);
  write_schema(out, columns_);
  out.i64(3, static_cast<std::int64_t>(rows_));
  out.list(4, ThriftWriter::kStruct, groups_.size());
  for (const Group& group : groups_) {
    std::uint64_t plain = 0;
    out.begin_element();
    out.list(1, ThriftWriter::kStruct, columns_.size());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Chunk& chunk = group.chunks[i];
      plain += chunk.plain;
      out.begin_element();
      out.i64(2, static_cast<std::int64_t>(chunk.offset));
      out.begin(3);
      out.i32(1, number_of(columns_[i].type));
      out.list(2, ThriftWriter::kI32, 1);
      out.i32_element(kPlain);
      out.list(3, ThriftWriter::kBinary, 1);
      out.text_element(columns_[i].name);
      out.i32(4, kZstd);
      out.i64(5, static_cast<std::int64_t>(group.rows));
      out.i64(6, static_cast<std::int64_t>(chunk.plain));
      out.i64(7, static_cast<std::int64_t>(chunk.compressed));
      out.i64(9, static_cast<std::int64_t>(chunk.offset));
      if (i == 0) {
        out.begin(12);
        out.i64(3, 0);  // No value is missing.
        out.text(5, group.last);
        out.text(6, group.first);
        out.end();
      }
      out.end();
      out.end();
    }
    out.i64(2, static_cast<std::int64_t>(plain));
    out.i64(3, static_cast<std::int64_t>(group.rows));
    out.end();
  }
  out.text(6, "deduplab");
  out.list(7, ThriftWriter::kStruct, columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    out.begin_element();
    out.begin(1);  // The order of its type: bytes without sign.
    out.end();
    out.end();
  }
  return out.finish();
}

}  // namespace lab::scan
