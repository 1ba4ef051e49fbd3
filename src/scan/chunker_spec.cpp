// SPDX-License-Identifier: Apache-2.0
#include "scan/chunker_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/units.hpp"
#include "scan/chunker.hpp"

namespace lab::scan {
namespace {

Error bad(std::string detail) {
  return {ErrorCode::kInvalidArgument, "scan", "--chunker: " + std::move(detail)};
}

}  // namespace

std::uint32_t longest_chunk(const ChunkerSpec& spec) {
  return spec.kind == ChunkerSpec::Kind::kFixed
             ? spec.size
             : static_cast<std::uint32_t>(chunk_setting(Bytes{spec.size}).largest.count);
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
    const auto one = parse_chunker(word);
    if (!one) return bad(one.error().detail);
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
