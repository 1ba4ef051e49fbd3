// SPDX-License-Identifier: Apache-2.0
#include "scan/chunker_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "core/text.hpp"
#include "core/units.hpp"
#include "scan/chunker.hpp"

namespace lab::scan {
namespace {

// A length has 24 bits in a counted record; eight times the largest average must fit too.
constexpr std::int64_t kFixedMin = 64;
constexpr std::int64_t kFixedMax = 8 << 20;
constexpr std::int64_t kCdcMin = 512;
constexpr std::int64_t kCdcMax = 64 << 10;

Error bad(std::string detail) {
  return {ErrorCode::kInvalidArgument, "scan", "--chunker: " + std::move(detail)};
}

Result<ChunkerSpec> parse_chunker(const std::string& word) {
  static const std::vector<std::string> kKinds{"fixed", "cdc"};
  const std::size_t colon = word.find(':');
  const std::string kind = word.substr(0, colon);
  if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end())
    return bad("unknown chunker '" + word + "'" + suggestion(kind, kKinds));
  if (colon == std::string::npos) return bad("'" + word + "' has no size, as in " + kind + ":4096");
  const auto size = parse_bytes(word.substr(colon + 1));
  if (!size) return bad("'" + word + "': " + size.error().detail);
  const bool fixed = kind == "fixed";
  const std::int64_t low = fixed ? kFixedMin : kCdcMin;
  const std::int64_t high = fixed ? kFixedMax : kCdcMax;
  if (size->count < low || size->count > high)
    return bad(fmt::format("'{}': {} has from {} to {} bytes", word, kind, low, high));
  const auto bytes = static_cast<std::uint32_t>(size->count);
  if (!fixed && !std::has_single_bit(bytes)) return bad("'" + word + "': the average is a power of two");
  return ChunkerSpec{fixed ? ChunkerSpec::Kind::kFixed : ChunkerSpec::Kind::kCdc, bytes, 0};
}

}  // namespace

std::uint32_t longest_chunk(const ChunkerSpec& spec) {
  return spec.kind == ChunkerSpec::Kind::kFixed
             ? spec.size
             : static_cast<std::uint32_t>(chunk_setting(Bytes{spec.size}).largest.count);
}

std::string chunker_name(const ChunkerSpec& spec) {
  return fmt::format("{}:{}", spec.kind == ChunkerSpec::Kind::kFixed ? "fixed" : "cdc", spec.size);
}

std::vector<ChunkerSpec> whole_curve() {
  std::vector<ChunkerSpec> all;
  for (const std::uint32_t size : {512U, 4096U, 8192U, 16384U, 65536U, 131072U, 1048576U})
    all.push_back({ChunkerSpec::Kind::kFixed, size, 0});
  for (std::uint32_t size = 512; size <= 65536; size *= 2) all.push_back({ChunkerSpec::Kind::kCdc, size, 0});
  return all;
}

Result<std::vector<ChunkerSpec>> parse_chunkers(std::span<const std::string> words) {
  std::vector<ChunkerSpec> all;
  for (const std::string& word : words) {
    auto one = parse_chunker(word);
    if (!one) return std::move(one).error();
    if (std::find(all.begin(), all.end(), *one) != all.end()) return bad("'" + word + "' is named twice");
    all.push_back(*one);
  }
  return all;
}

Result<std::vector<ChunkerSpec>> with_alignments(std::span<const ChunkerSpec> chunkers,
                                                 std::span<const std::uint32_t> offsets) {
  for (const std::uint32_t offset : offsets)
    if (std::count(offsets.begin(), offsets.end(), offset) > 1)
      return Error{ErrorCode::kInvalidArgument, "scan", fmt::format("--align: {} is named twice", offset)};
  std::vector<ChunkerSpec> all;
  for (const ChunkerSpec& chunker : chunkers) {
    if (chunker.kind == ChunkerSpec::Kind::kCdc) {
      all.push_back(chunker);
      continue;
    }
    const std::size_t before = all.size();
    for (const std::uint32_t offset : offsets)
      if (offset < chunker.size) all.push_back({chunker.kind, chunker.size, offset});
    if (all.size() == before)
      return Error{ErrorCode::kInvalidArgument, "scan",
                   fmt::format("--align: no offset is below the block of {}", chunker_name(chunker))};
  }
  return all;
}

}  // namespace lab::scan
