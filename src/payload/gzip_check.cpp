// SPDX-License-Identifier: Apache-2.0
#include "payload/gzip_check.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <vector>

#include "payload/folder_listing.hpp"

namespace lab {
namespace {

constexpr const char* kOperation = "payload.archive";
constexpr std::size_t kBufferBytes = 1U << 20U;
constexpr std::uint8_t kFirst = 0x1F;      // The byte that a member begins with.
constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib's word for "with the head and the checksum of gzip".

Error broken(const std::filesystem::path& path, std::string_view why) {
  return {ErrorCode::kCorruption, kOperation, fmt::format("{}: {}", path.string(), why)};
}

class Inflater {
 public:
  Inflater(const std::filesystem::path& path, Bytes limit, const Error& beyond, ZeroTail& tail)
      : path_(path), left_(limit), beyond_(beyond), tail_(tail) {
    ready_ = inflateInit2(&stream_, kGzipOnly) == Z_OK;
  }
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Status take(std::span<const std::byte> bytes) {
    if (!ready_) return Error{ErrorCode::kResourceExhausted, kOperation, "no memory for zlib"};
    if (first_ && !begins_as_gzip(bytes)) foreign_ = true;
    first_ = false;
    if (foreign_) return ok();
    // The library's interface knows no const; it does not write there.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    while (stream_.avail_in > 0) LAB_TRY(step());
    return ok();
  }

  Status finish() const {
    return foreign_ || between_ ? ok() : Status(broken(path_, "cut short: its checksum is missing"));
  }

 private:
  static bool begins_as_gzip(std::span<const std::byte> bytes) {
    return bytes.size() >= 2 && bytes[0] == std::byte{kFirst} && bytes[1] == std::byte{0x8B};
  }

  Status step() {
    if (between_) {
      if (*stream_.next_in != kFirst) return broken(path_, "other bytes behind the end of its streams");
      inflateReset(&stream_);
      between_ = false;
    }
    stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    const int outcome = inflate(&stream_, Z_NO_FLUSH);
    const auto made = std::span(buffer_).first(buffer_.size() - stream_.avail_out);
    tail_.take(made);
    left_ = left_ - Bytes{std::ssize(made)};
    if (left_ < Bytes{0}) return beyond_;
    between_ = outcome == Z_STREAM_END;
    if (between_ || outcome == Z_OK || outcome == Z_BUF_ERROR) return ok();
    return broken(path_, stream_.msg == nullptr ? "no whole gzip file" : stream_.msg);
  }

  const std::filesystem::path& path_;
  z_stream stream_{};
  bool ready_ = false;
  bool first_ = true;
  bool foreign_ = false;
  bool between_ = false;  // Behind a member that was whole.
  Bytes left_;
  const Error& beyond_;
  ZeroTail& tail_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kBufferBytes);
};

}  // namespace

Status check_gzip(const FileHandle& file, const std::filesystem::path& path, Bytes limit, const Error& beyond,
                  ZeroTail& tail) {
  Inflater inflater(path, limit, beyond, tail);
  std::vector<std::byte> buffer(kBufferBytes);
  LAB_TRY(read_pieces(file, path, buffer,
                      [&](std::span<const std::byte> bytes) { return inflater.take(bytes); }));
  LAB_TRY(inflater.finish());
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return errno_error(kOperation, path.string(), errno);
  return ok();
}

}  // namespace lab
