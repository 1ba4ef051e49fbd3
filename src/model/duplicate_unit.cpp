// SPDX-License-Identifier: Apache-2.0
#include "model/duplicate_unit.hpp"

#include <fmt/format.h>

#include <vector>

#include "core/text.hpp"

namespace lab {
namespace {

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

}  // namespace lab
