// The variants of the rocksdb system, and what they change in RocksDB's options.
// SPDX-License-Identifier: Apache-2.0
#include <rocksdb/options.h>

#include <cstdarg>

#include "drivers/rocksdb/database.hpp"

namespace lab::rocks {
namespace {

constexpr std::uint64_t kMinBlobSize = 4096;  // Smaller values stay in the tree.

/// The text log would grow inside of the folder that is measured.
class NoLog final : public ::rocksdb::Logger {
 public:
  using ::rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, std::va_list /*arguments*/) override {}
};

std::string name_of(::rocksdb::CompressionType compression) {
  switch (compression) {
    case ::rocksdb::kNoCompression:
      return "none";
    case ::rocksdb::kSnappyCompression:
      return "snappy";
    case ::rocksdb::kLZ4Compression:
      return "lz4";
    case ::rocksdb::kZSTD:
      return "zstd";
    default:
      return "type " + std::to_string(static_cast<int>(compression));
  }
}

void compress(Setup& setup, ::rocksdb::CompressionType compression) {
  setup.options.compression = compression;
  setup.differing["compression"] = name_of(compression);
}

}  // namespace

std::string default_compression() { return name_of(::rocksdb::Options().compression); }

Setup setup_of(const std::string& variant, std::uint32_t containers) {
  Setup setup{.variant = variant, .containers = containers};
  ::rocksdb::Options& options = setup.options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  // Preallocated log and manifest blocks would count as stored bytes (4 MiB and more on an empty database).
  options.allow_fallocate = false;
  // No background thread that writes by itself while nothing happens.
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.info_log = std::make_shared<NoLog>();
  options.statistics = ::rocksdb::CreateDBStatistics();
  setup.differing = {{"allow_fallocate", "false"},
                     {"stats_dump_period_sec", "0"},
                     {"stats_persist_period_sec", "0"},
                     {"info_log", "none"},
                     {"statistics", "on"}};
  if (variant == "none") compress(setup, ::rocksdb::kNoCompression);
  if (variant == "lz4") compress(setup, ::rocksdb::kLZ4Compression);
  if (variant == "zstd") compress(setup, ::rocksdb::kZSTD);
  if (variant == "blob_files") {
    options.enable_blob_files = true;
    options.min_blob_size = kMinBlobSize;
    setup.differing["enable_blob_files"] = "true";
    setup.differing["min_blob_size"] = std::to_string(kMinBlobSize);
  }
  return setup;
}

Error error_of(const ::rocksdb::Status& status, const char* operation, const CallContext& call) {
  ErrorCode code = ErrorCode::kInternal;
  switch (status.code()) {
    case ::rocksdb::Status::kNotFound:
      code = ErrorCode::kNotFound;
      break;
    case ::rocksdb::Status::kCorruption:
      code = ErrorCode::kCorruption;
      break;
    case ::rocksdb::Status::kNotSupported:
    case ::rocksdb::Status::kInvalidArgument:
      code = ErrorCode::kInvalidArgument;
      break;
    case ::rocksdb::Status::kIOError:
      code = status.IsNoSpace() ? ErrorCode::kResourceExhausted : ErrorCode::kIo;
      break;
    case ::rocksdb::Status::kAborted:
      code = status.IsMemoryLimit() ? ErrorCode::kResourceExhausted : code;
      break;
    case ::rocksdb::Status::kBusy:
    case ::rocksdb::Status::kTryAgain:
      code = ErrorCode::kInUse;
      break;
    case ::rocksdb::Status::kIncomplete:
      if (const Status bounded = allowed(call, operation); !bounded) return bounded.error();
      code = ErrorCode::kCancelled;
      break;
    default:
      break;
  }
  return {code, operation, status.ToString()};
}

}  // namespace lab::rocks
