// Reading, appending and rewriting of the cas index.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/cas/index_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

namespace lab::cas {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "deduplab cas index 1\n";
constexpr std::size_t kRecordSize = 72;
constexpr std::size_t kChecksumAt = 64;

template <class T>
void store_little_endian(std::byte* out, T value) {
  for (std::size_t byte = 0; byte < sizeof(T); ++byte)
    out[byte] = static_cast<std::byte>(value >> (8 * byte));
}

template <class T>
T load_little_endian(const std::byte* in) {
  T value = 0;
  for (std::size_t byte = sizeof(T); byte > 0; --byte)
    value = static_cast<T>(value << 8U | std::to_integer<T>(in[byte - 1]));
  return value;
}

std::string encode(const IndexRecord& record) {
  std::array<std::byte, kRecordSize> out{};
  out[0] = static_cast<std::byte>(record.kind == IndexRecord::Kind::kPut ? 'P' : 'D');
  store_little_endian(out.data() + 4, record.key.container);
  store_little_endian(out.data() + 8, record.size);
  std::copy(record.key.id.begin(), record.key.id.end(), out.begin() + 16);
  std::copy(record.digest.begin(), record.digest.end(), out.begin() + 32);
  const Digest checksum = sha256(std::span(out).first(kChecksumAt));
  std::copy_n(checksum.begin(), kRecordSize - kChecksumAt, out.begin() + kChecksumAt);
  return std::string(as_text(out));
}

std::optional<IndexRecord> decode(std::string_view bytes) {
  const auto in = as_bytes(bytes);
  const Digest checksum = sha256(in.first(kChecksumAt));
  if (!std::equal(in.begin() + kChecksumAt, in.end(), checksum.begin())) return std::nullopt;
  IndexRecord record;
  record.kind = bytes[0] == 'P' ? IndexRecord::Kind::kPut : IndexRecord::Kind::kDrop;
  record.key.container = load_little_endian<std::uint32_t>(in.data() + 4);
  record.size = load_little_endian<std::uint64_t>(in.data() + 8);
  std::copy_n(in.begin() + 16, record.key.id.size(), record.key.id.begin());
  std::copy_n(in.begin() + 32, record.digest.size(), record.digest.begin());
  return record;
}

std::string encode_all(std::span<const IndexRecord> records) {
  std::string bytes;
  bytes.reserve(records.size() * kRecordSize);
  for (const IndexRecord& record : records) bytes += encode(record);
  return bytes;
}

/// Bytes of `content` that hold good records. Errors: kCorruption.
Result<std::size_t> replay(std::string_view content, const fs::path& path, const IndexFile::Visitor& visit) {
  if (!content.starts_with(kMagic))
    return Error{ErrorCode::kCorruption, "cas.index", path.string() + ": is no index of this format"};
  std::size_t good = kMagic.size();
  bool torn = false;
  for (std::size_t at = good; at + kRecordSize <= content.size(); at += kRecordSize) {
    const auto record = decode(content.substr(at, kRecordSize));
    if (record && torn)
      return Error{ErrorCode::kCorruption, "cas.index",
                   path.string() + ": damaged at byte " + std::to_string(good) + ", good records follow"};
    torn = !record;
    if (!record) continue;
    visit(*record);
    good = at + kRecordSize;
  }
  return good;
}

}  // namespace

Result<IndexFile> IndexFile::open(const fs::path& path, const Visitor& visit) {
  IndexFile index(path);
  std::error_code failure;
  // Written by rename, so a file that is there has its first line.
  if (!fs::exists(path, failure)) LAB_TRY(write_file_atomic(path, kMagic));
  LAB_TRY(index.start());
  const auto content = read_file(path, Bytes{INT64_MAX});
  if (!content) return content.error();
  const auto good = replay(*content, path, visit);
  if (!good) return good.error();
  index.size_ = Bytes{static_cast<std::int64_t>(*good)};
  if (*good != content->size() && ::ftruncate(index.file_.get(), index.size_.count) != 0)
    return errno_error("cas.index", path.string(), errno);
  return index;
}

Status IndexFile::start() {
  auto file = open_file(path_, O_WRONLY | O_APPEND);
  if (!file) return std::move(file).error();
  file_ = std::move(*file);
  return ok();
}

Status IndexFile::append(std::span<const IndexRecord> records) {
  const std::string bytes = encode_all(records);
  Status written = write_all(file_, bytes, path_);
  if (written && ::fdatasync(file_.get()) != 0) written = errno_error("fdatasync", path_.string(), errno);
  if (written) {
    size_ += Bytes{std::ssize(bytes)};
    return written;
  }
  // The next append must not follow half a record.
  if (::ftruncate(file_.get(), size_.count) != 0) return errno_error("cas.index", path_.string(), errno);
  return written;
}

Status IndexFile::rewrite(std::span<const IndexRecord> records) {
  std::string bytes(kMagic);
  bytes += encode_all(records);
  LAB_TRY(write_file_atomic(path_, bytes));
  LAB_TRY(start());
  size_ = Bytes{std::ssize(bytes)};
  return ok();
}

}  // namespace lab::cas
