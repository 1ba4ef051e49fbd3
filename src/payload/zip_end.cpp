// SPDX-License-Identifier: Apache-2.0
#include "payload/zip_end.hpp"

namespace lab {
namespace {

// APPNOTE.TXT 4.3.16, the end of the central directory, and 4.3.15, the locator of the one for large files.
constexpr std::string_view kEnd = "PK\x05\x06";
constexpr std::string_view kLocator = "PK\x06\x07";
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kEntriesAt = 10;
constexpr std::size_t kDirectorySizeAt = 12;
constexpr std::size_t kDirectoryOffsetAt = 16;
constexpr std::size_t kCommentLengthAt = 20;

/// Little-endian.
std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t number = 0;
  for (std::size_t i = width; i-- > 0;) number = number << 8U | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

Error broken(const std::string& label, const char* why) {
  return {ErrorCode::kCorruption, "payload.archive", label + ": " + why};
}

/// Where the record stands whose comment ends with the file.
std::size_t find_end(std::string_view tail) {
  for (std::size_t at = tail.rfind(kEnd); at != std::string_view::npos; at = tail.rfind(kEnd, at - 1)) {
    if (at + kEndBytes <= tail.size() &&
        at + kEndBytes + number_at(tail, at + kCommentLengthAt, 2) == tail.size())
      return at;
    if (at == 0) break;
  }
  return std::string_view::npos;
}

}  // namespace

Result<std::optional<std::uint16_t>> entries_at_zip_end(const std::string& label, std::string_view tail,
                                                        std::uint64_t size) {
  const std::size_t at = find_end(tail);
  if (at == std::string_view::npos)
    return broken(label, tail.find(kEnd) == std::string_view::npos
                             ? "cut short, or not what its ending says, .zip: its directory is not at its end"
                             : "other bytes behind the end of the archive");
  if (at >= kLocatorBytes && tail.substr(at - kLocatorBytes).starts_with(kLocator))
    return std::optional<std::uint16_t>{};
  const std::uint64_t directory_end =
      number_at(tail, at + kDirectoryOffsetAt, 4) + number_at(tail, at + kDirectorySizeAt, 4);
  if (directory_end < size - (tail.size() - at))
    return broken(label, "other bytes before the archive, which begins behind them");
  return std::optional(static_cast<std::uint16_t>(number_at(tail, at + kEntriesAt, 2)));
}

}  // namespace lab
