// SPDX-License-Identifier: Apache-2.0
#include "payload/content_control.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/files.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

constexpr Bytes kCountsFileMax{1LL << 30};
constexpr std::int64_t kUnitMax = 1LL << 40;  // As an object.
constexpr std::int64_t kPrefixMin = 8;        // From 8 bytes on any number of prefixes differ.

Error bad(std::string_view text, std::string_view why) {
  return {
      ErrorCode::kInvalidArgument, "duplicate unit",
      fmt::format("'{}' is not a duplicate unit: {}; write object, \"block:4 KiB\", \"block:4 KiB:shift:7\", "
                  "changed:16 or prefix:512",
                  text, why)};
}

Result<Bytes> bytes_of(std::string_view text, std::string_view part, std::int64_t least) {
  const auto bytes = parse_bytes(part);
  if (bytes && bytes->count >= least && bytes->count <= kUnitMax) return *bytes;
  return bad(text, fmt::format("'{}' is not a number of bytes from {} to 1 TiB", part, least));
}

}  // namespace

Result<DuplicateUnit> parse_duplicate_unit(std::string_view text) {
  using Kind = DuplicateUnit::Kind;
  const auto parts = split(text, ':');
  if (text == "object") return DuplicateUnit{};
  const bool block = parts[0] == "block";
  if (!block && parts[0] != "changed" && parts[0] != "prefix") {
    const std::vector<std::string> words{"object", "block", "changed", "prefix"};
    return bad(text, fmt::format("'{}' is none{}", parts[0], suggestion(parts[0], words)));
  }
  const bool shifted = block && parts.size() == 4 && parts[2] == "shift";
  if (parts.size() != 2 && !shifted) return bad(text, "a number of bytes follows");
  DuplicateUnit unit{.kind = block ? Kind::kBlock : parts[0] == "changed" ? Kind::kChanged : Kind::kPrefix};
  // A block begins with a number of its own, 8 bytes long; so does a prefix.
  const auto bytes = bytes_of(text, parts[1], unit.kind == Kind::kChanged ? 1 : kPrefixMin);
  if (!bytes) return bytes.error();
  unit.bytes = *bytes;
  if (!shifted) return unit;
  const auto shift = bytes_of(text, parts[3], 1);
  if (!shift) return shift.error();
  if (*shift >= unit.bytes) return bad(text, "a shift is smaller than the block");
  unit.shift = *shift;
  return unit;
}

std::string to_string(const DuplicateUnit& unit) {
  const std::string bytes = format_bytes_exact(unit.bytes);
  switch (unit.kind) {
    case DuplicateUnit::Kind::kObject:
      break;
    case DuplicateUnit::Kind::kBlock:
      return unit.shift.count == 0 ? "block:" + bytes
                                   : fmt::format("block:{}:shift:{}", bytes, format_bytes_exact(unit.shift));
    case DuplicateUnit::Kind::kChanged:
      return "changed:" + bytes;
    case DuplicateUnit::Kind::kPrefix:
      return "prefix:" + bytes;
  }
  return "object";
}

Result<std::vector<std::uint64_t>> load_counts(const std::filesystem::path& path) {
  const auto text = read_file(path, kCountsFileMax);
  if (!text) return text.error();
  std::vector<std::uint64_t> counts;
  std::size_t line = 0;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    const std::string_view word = trim(std::string_view(*text).substr(at, end - at));
    at = end + 1;
    line += 1;
    if (word.empty() || word.starts_with('#')) continue;
    std::uint64_t count = 0;
    const auto [stop, code] = std::from_chars(word.data(), word.data() + word.size(), count);
    // Products with the number of copies stay within 128 bits.
    if (code != std::errc{} || stop != word.data() + word.size() || count >= 1ULL << 62U)
      return Error{ErrorCode::kInvalidArgument, "popularity",
                   fmt::format("{}:{}: '{}' is not a whole number below 2^62", path.string(), line,
                               to_valid_utf8(word.substr(0, 40)))};
    counts.push_back(count);
  }
  if (counts.empty())
    return Error{ErrorCode::kInvalidArgument, "popularity", path.string() + ": no counts in this file"};
  return counts;
}

}  // namespace lab
