// Encoding and checking of stored rows.
// SPDX-License-Identifier: Apache-2.0
#include "driver/value_row.hpp"

#include <cstring>

namespace lab {
namespace {

void append_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int byte = 0; byte < bytes; ++byte) out += static_cast<char>((value >> (8 * byte)) & 0xFFU);
}

std::uint64_t read_little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t byte = bytes.size(); byte > 0; --byte)
    value = (value << 8U) | static_cast<unsigned char>(bytes[byte - 1]);
  return value;
}

constexpr std::size_t kLengthBytes = 2;
constexpr std::size_t kSizeBytes = 8;
constexpr std::size_t kMimeMax = 0xFFFF;

}  // namespace

std::string row_header(const Object& object) {
  const std::string_view mime = object.mime.substr(0, kMimeMax);
  std::string header;
  header.reserve(kLengthBytes + mime.size() + kSizeBytes + object.digest.size());
  append_little_endian(header, mime.size(), kLengthBytes);
  header += mime;
  append_little_endian(header, object.payload.size(), kSizeBytes);
  header += as_text(object.digest);
  return header;
}

Result<std::span<const std::byte>> row_payload(std::string_view value, const char* operation) {
  const Error bad{ErrorCode::kCorruption, operation, "a stored value is no row of ours"};
  if (value.size() < kLengthBytes) return bad;
  const std::size_t mime = read_little_endian(value.substr(0, kLengthBytes));
  const std::size_t header = kLengthBytes + mime + kSizeBytes + sizeof(Digest);
  if (value.size() < header) return bad;
  if (read_little_endian(value.substr(kLengthBytes + mime, kSizeBytes)) != value.size() - header) return bad;
  return as_bytes(value.substr(header));
}

Result<ObjectId> id_from_text(std::string_view key, const char* operation) {
  ObjectId id{};
  if (key.size() != id.size())
    return Error{ErrorCode::kCorruption, operation, "a stored key is no id of ours"};
  std::memcpy(id.data(), key.data(), id.size());
  return id;
}

}  // namespace lab
