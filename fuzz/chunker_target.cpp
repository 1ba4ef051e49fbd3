// Cuts: on every path and for all spans those of the definition. SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <span>

#include "scan/chunker.hpp"
#include "scan/scan_test_support.hpp"
#include "targets.hpp"

namespace lab::fuzz {
namespace {

using scan_test::Data;

/// One byte after the other, and the hash of each window from its definition.
std::vector<Cut> cuts_by_definition(const Data& data, const ChunkSetting& setting) {
  const auto normal =
      static_cast<unsigned>(std::countr_zero(static_cast<std::uint64_t>(setting.normal.count)));
  std::vector<Cut> cuts;
  std::size_t begin = 0;
  for (std::size_t position = 1; position <= data.size(); ++position) {
    const auto size = static_cast<std::int64_t>(position - begin);
    const unsigned bits = size < setting.normal.count ? normal + 1 : normal - 1;
    CutReason reason = CutReason::kEnd;
    if (size >= setting.least.count && scan_test::strength_by_definition(data.data() + position) >= bits)
      reason = CutReason::kContent;
    else if (size == setting.largest.count)
      reason = CutReason::kForced;
    else if (position < data.size())
      continue;
    cuts.push_back({begin, position, reason});
    begin = position;
  }
  return cuts;
}

std::vector<Cut> cuts_on(GearPath path, const Data& data, const ChunkSetting& setting, std::uint64_t seed) {
  auto chunker = Chunker::make({setting}, path);
  LAB_CHECK(chunker.has_value(), "the setting was checked");
  std::vector<Cut> cuts;
  const auto take = [&] { cuts.insert(cuts.end(), chunker->cuts(0).begin(), chunker->cuts(0).end()); };
  Random random(seed);
  scan_test::in_random_spans(data, random, [&](auto span) {
    chunker->feed(span);
    take();
  });
  chunker->finish();
  take();
  return cuts;
}

}  // namespace

/// Six bytes decide about the setting and the spans, one about how often the rest of them is repeated.
void chunker(std::string_view bytes) {
  constexpr std::size_t kHead = 6;
  if (bytes.size() < kHead) return;
  const auto head = [&](std::size_t at) {
    return static_cast<std::int64_t>(static_cast<unsigned char>(bytes[at]));
  };
  const std::int64_t normal = std::int64_t{256} << (head(0) % 4);
  const ChunkSetting setting{Bytes{64 + head(1) % (normal - 64)}, Bytes{normal},
                             Bytes{normal + 1 + head(2) * 16 + head(3)}};
  if (!check(setting)) return;
  Data data;
  const auto rest = std::as_bytes(std::span(bytes.substr(kHead)));
  for (std::int64_t times = 1 + head(4) % 16; times > 0 && data.size() < 16'384; --times)
    scan_test::append(data, rest);
  const auto expected = cuts_by_definition(data, setting);
  for (const GearPath path : gear_paths())
    LAB_CHECK(cuts_on(path, data, setting, static_cast<std::uint64_t>(head(5))) == expected,
              "cuts depend on the content alone");
}

}  // namespace lab::fuzz
