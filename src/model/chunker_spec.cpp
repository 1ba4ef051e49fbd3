// SPDX-License-Identifier: Apache-2.0
#include "model/chunker_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "core/text.hpp"
#include "core/units.hpp"

namespace lab {
namespace {

// A length has 24 bits in a counted record; eight times the largest average must fit too.
constexpr std::int64_t kFixedMin = 64;
constexpr std::int64_t kFixedMax = 8 << 20;
constexpr std::int64_t kCdcMin = 512;
constexpr std::int64_t kCdcMax = 64 << 10;

Error bad(std::string detail) { return {ErrorCode::kInvalidArgument, "scan", std::move(detail)}; }

}  // namespace

std::string chunker_name(const ChunkerSpec& spec) {
  return fmt::format("{}:{}", spec.kind == ChunkerSpec::Kind::kFixed ? "fixed" : "cdc", spec.size);
}

Result<ChunkerSpec> parse_chunker(std::string_view word) {
  static const std::vector<std::string> kKinds{"fixed", "cdc"};
  const std::size_t colon = word.find(':');
  const std::string kind(word.substr(0, colon));
  if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end())
    return bad(fmt::format("unknown chunker '{}'{}", word, suggestion(kind, kKinds)));
  if (colon == std::string_view::npos) return bad(fmt::format("'{}' has no size, as in {}:4096", word, kind));
  const auto size = parse_bytes(word.substr(colon + 1));
  if (!size) return bad(fmt::format("'{}': {}", word, size.error().detail));
  const bool fixed = kind == "fixed";
  const std::int64_t low = fixed ? kFixedMin : kCdcMin;
  const std::int64_t high = fixed ? kFixedMax : kCdcMax;
  if (size->count < low || size->count > high)
    return bad(fmt::format("'{}': {} has from {} to {} bytes", word, kind, low, high));
  const auto bytes = static_cast<std::uint32_t>(size->count);
  if (!fixed && !std::has_single_bit(bytes))
    return bad(fmt::format("'{}': the average is a power of two", word));
  return ChunkerSpec{fixed ? ChunkerSpec::Kind::kFixed : ChunkerSpec::Kind::kCdc, bytes, 0};
}

}  // namespace lab
