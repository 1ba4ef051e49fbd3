// SPDX-License-Identifier: Apache-2.0
#include "scan/emit.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/files.hpp"
#include "scan/emit_json.hpp"

namespace lab::scan {
namespace {

namespace fs = std::filesystem;

Error bad_folder(std::string detail) {
  return {ErrorCode::kInvalidArgument, "scan", "--emit: " + std::move(detail)};
}

std::uint32_t key_width(FingerprintKind kind) { return is_wide(kind) ? 28 : 12; }

std::vector<ParquetColumn> columns_of(FingerprintKind kind) {
  using Type = ParquetColumn::Type;
  return {{"fingerprint", Type::kFixedBytes, key_width(kind)},
          {"length", Type::kInt32, 4},
          {"class", Type::kInt32, 4},
          {"copies", Type::kInt64, 8}};
}

/// "fixed-4096-at-0-00000.parquet": no letter that a file system or an engine takes for something else.
std::string file_name(const ChunkerSpec& spec, std::size_t number) {
  return fmt::format("{}-{}-at-{}-{:05}.parquet", spec.kind == ChunkerSpec::Kind::kFixed ? "fixed" : "cdc",
                     spec.size, spec.align, number);
}

}  // namespace

Status check_emit_folder(const fs::path& folder) {
  std::error_code unknown;
  if (!fs::exists(fs::symlink_status(folder, unknown))) {
    const fs::path parent = fs::absolute(folder, unknown).parent_path();
    if (!fs::is_directory(parent, unknown)) return bad_folder(parent.string() + " is not a folder");
    return ok();
  }
  if (!fs::is_directory(folder, unknown)) return bad_folder(folder.string() + " is not a folder");
  const auto entries = has_entries(folder);
  if (!entries) return entries.error();
  if (*entries) return bad_folder(folder.string() + " is not empty; name a new folder or an empty one");
  return ok();
}

Result<std::unique_ptr<Emitter>> Emitter::begin(const fs::path& folder, FingerprintKind kind,
                                                std::uint64_t file_rows) {
  LAB_TRY(check_emit_folder(folder));
  std::error_code failure;
  const bool made = fs::create_directory(folder, failure);
  if (failure) return errno_error("scan.emit", folder.string(), failure.value());
  return std::unique_ptr<Emitter>(new Emitter(folder, kind, file_rows, made));
}

Emitter::~Emitter() {
  if (finished_) return;
  std::error_code ignored;
  for (const fs::path& path : written_) fs::remove(path, ignored);
  if (made_) fs::remove(folder_, ignored);  // Only if nobody has put anything there.
}

void Emitter::open(const ChunkerSpec& spec) { spec_ = spec; }

Status Emitter::add(std::span<const std::byte> key, std::uint32_t length,
                    std::span<const std::uint64_t> copies_by_class) {
  std::array<std::byte, 28 + 16> row{};
  LAB_CHECK(key.size() == key_width(kind_), "keys are as wide as the fingerprint's");
  std::copy(key.begin(), key.end(), row.begin());
  std::byte* const rest = row.data() + key.size();
  std::memcpy(rest, &length, 4);
  for (std::uint32_t file_class = 0; file_class < copies_by_class.size(); ++file_class) {
    const std::uint64_t copies = copies_by_class[file_class];
    if (copies == 0) continue;
    std::memcpy(rest + 4, &file_class, 4);
    std::memcpy(rest + 8, &copies, 8);
    if (!writer_) {
      const fs::path path = folder_ / file_name(spec_, files_.size());
      auto made = ParquetWriter::create(path, columns_of(kind_));
      if (!made) return std::move(made).error();
      written_.push_back(path);
      writer_ = std::make_unique<ParquetWriter>(std::move(*made));
    }
    LAB_TRY(writer_->add(std::span(row).first(key.size() + 16)));
    if (writer_->rows() == file_rows_) LAB_TRY(close_file());
  }
  return ok();
}

Status Emitter::close_file() {
  const auto bytes = writer_->finish();
  if (!bytes) return bytes.error();
  files_.push_back({written_.back().filename().string(), writer_->rows(), *bytes});
  writer_.reset();
  return ok();
}

Result<std::vector<EmittedFile>> Emitter::close() {
  if (writer_) LAB_TRY(close_file());
  return std::exchange(files_, {});
}

Status Emitter::finish(const Emitted& emitted) {
  LAB_TRY(write_file_atomic(folder_ / kEmittedName, emitted_text(emitted), 0666));
  finished_ = true;
  return ok();
}

std::int64_t Emitter::memory(FingerprintKind kind) { return ParquetWriter::memory(columns_of(kind)); }

}  // namespace lab::scan
