// Cuts: those of a replay byte by byte, whatever the path and the spans; low-entropy data ends at the
// largest. SPDX-License-Identifier: Apache-2.0
#include "scan/chunker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "scan/scan_test_support.hpp"

namespace lab::scan_test {
namespace {
using testing::HasSubstr;

/// One byte after the other, and the hash of each window from its definition.
std::vector<Cut> cuts_by_definition(const Data& data, const ChunkSetting& setting) {
  const auto normal_bits =
      static_cast<unsigned>(std::countr_zero(static_cast<std::uint64_t>(setting.normal.count)));
  std::vector<Cut> cuts;
  std::size_t begin = 0;
  for (std::size_t position = 1; position <= data.size(); ++position) {
    const auto size = static_cast<std::int64_t>(position - begin);
    const unsigned bits = size < setting.normal.count ? normal_bits + 1 : normal_bits - 1;
    if (size >= setting.least.count && strength_by_definition(data.data() + position) >= bits)
      cuts.push_back({begin, position, CutReason::kContent});
    else if (size == setting.largest.count)
      cuts.push_back({begin, position, CutReason::kForced});
    else if (position == data.size())
      cuts.push_back({begin, position, CutReason::kEnd});
    else
      continue;
    begin = position;
  }
  return cuts;
}

Chunker chunker_of(const std::vector<ChunkSetting>& settings, GearPath path = fastest_gear_path()) {
  auto made = Chunker::make(settings, path);
  EXPECT_TRUE(made) << made.error().text();
  return std::move(*made);
}

/// The cuts of each setting of one file that comes in random spans.
std::vector<std::vector<Cut>> cuts_in_spans(Chunker& chunker, std::span<const std::byte> data,
                                            Random& random) {
  std::vector<std::vector<Cut>> cuts(chunker.settings());
  const auto take = [&] {
    for (std::size_t i = 0; i < cuts.size(); ++i)
      cuts[i].insert(cuts[i].end(), chunker.cuts(i).begin(), chunker.cuts(i).end());
  };
  in_random_spans(data, random, [&](auto span) {
    chunker.feed(span);
    take();
  });
  chunker.finish();
  take();
  return cuts;
}

std::vector<Cut> cuts_of(const Data& data, const ChunkSetting& setting) {
  Chunker chunker = chunker_of({setting});
  Random random(1);
  return cuts_in_spans(chunker, data, random)[0];
}

ChunkSetting any_setting(Random& random) {
  const Bytes normal{256 << random.below(9)};
  return {Bytes{64 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(normal.count) - 64))},
          normal, Bytes{normal.count + 1 + static_cast<std::int64_t>(random.below(40'000))}};
}

TEST(Chunker, CutsAreThoseOfTheDefinitionOnEveryPathAndForAllSpans) {
  Random random(7);
  for (const GearPath path : gear_paths()) {
    for (int round = 0; round < 25; ++round) {
      std::vector<ChunkSetting> settings;
      for (std::uint64_t left = 1 + random.below(4); left > 0; --left)
        settings.push_back(any_setting(random));
      Chunker chunker = chunker_of(settings, path);
      for (int file = 0; file < 2; ++file) {  // The second one begins without a trace of the first.
        const Data data = mixed_data(random.below(120'000), random.next());
        const auto cuts = cuts_in_spans(chunker, data, random);
        for (std::size_t i = 0; i < settings.size(); ++i)
          ASSERT_EQ(cuts[i], cuts_by_definition(data, settings[i])) << to_string(path) << " " << i;
      }
    }
  }
}

TEST(Chunker, ALargeSpanIsCutLikeItsParts) {
  const Data data = mixed_data(1'500'000, 8);
  Chunker chunker = chunker_of({chunk_setting(Bytes{512}), chunk_setting(64_KiB)});
  chunker.feed(data);
  auto small = chunker.cuts(0), large = chunker.cuts(1);
  chunker.finish();
  small.insert(small.end(), chunker.cuts(0).begin(), chunker.cuts(0).end());
  large.insert(large.end(), chunker.cuts(1).begin(), chunker.cuts(1).end());
  EXPECT_EQ(small, cuts_of(data, chunk_setting(Bytes{512})));
  EXPECT_EQ(large, cuts_of(data, chunk_setting(64_KiB)));
}

TEST(Chunker, ChunksCoverTheFileAndKeepToTheirSizes) {
  const Data data = mixed_data(400'000, 9);
  for (const Bytes normal : {Bytes{512}, 4_KiB, 64_KiB}) {
    const ChunkSetting setting = chunk_setting(normal);
    std::uint64_t at = 0;
    for (const Cut& cut : cuts_of(data, setting)) {
      EXPECT_EQ(cut.begin, at);
      at = cut.end;
      const auto size = static_cast<std::int64_t>(cut.end - cut.begin);
      EXPECT_LE(size, setting.largest.count);
      EXPECT_GE(size, cut.reason == CutReason::kEnd ? 1 : setting.least.count);
    }
    EXPECT_EQ(at, data.size());
  }
}

TEST(Chunker, ChunksBehindAnInsertedByteAreTheSameAgain) {
  const Data data = random_data(600'000, 10);
  Data shifted{std::byte{1}};
  append(shifted, data);
  const auto before = cuts_of(data, chunk_setting(4_KiB)), after = cuts_of(shifted, chunk_setting(4_KiB));
  ASSERT_GT(before.size(), 50U);
  std::size_t same = 0;
  for (const Cut& cut : before)
    same += std::count(after.begin(), after.end(), Cut{cut.begin + 1, cut.end + 1, cut.reason}) > 0;
  EXPECT_GE(same + 10, before.size());
}

TEST(Chunker, RunsOfOneByteAreCutAtTheLargestSizeAndCounted) {
  for (const int byte : {0x00, 0x20, 0xff}) {
    Chunker chunker = chunker_of({chunk_setting(Bytes{512}), chunk_setting(8_KiB)});
    const Data data(1'000'000, static_cast<std::byte>(byte));
    Random random(11);
    cuts_in_spans(chunker, data, random);
    EXPECT_EQ(chunker.counts(0).content, 0U) << byte;
    EXPECT_EQ(chunker.counts(0).forced, data.size() / 4096);
    EXPECT_EQ(chunker.counts(0).ends, 1U);
    EXPECT_EQ(chunker.counts(1).forced, data.size() / 65'536);
  }
}

TEST(Chunker, AFileThatEndsWithAFullChunkEndsWithAForcedCut) {
  Chunker chunker = chunker_of({chunk_setting(Bytes{512})});
  Random random(13);
  cuts_in_spans(chunker, Data(3 * 4096), random);
  EXPECT_EQ(chunker.counts(0).forced, 3U);
  EXPECT_EQ(chunker.counts(0).ends, 0U);
}

TEST(Chunker, RepeatedTextIsCutBetweenLeastAndLargest) {
  for (const std::string_view text : {"sixteen letters!", "ab", "0123456789abcdef0123456789abcde"}) {
    const Data data = repeated(text, 500'000);
    const ChunkSetting setting = chunk_setting(1_KiB);
    const auto cuts = cuts_of(data, setting);
    EXPECT_EQ(cuts, cuts_by_definition(data, setting)) << text;
    EXPECT_LE(cuts.size(), data.size() / 256 + 1);
    EXPECT_GE(cuts.size(), data.size() / 8192);
  }
}

TEST(Chunker, ACutOfContentAtTheLargestSizeIsNotForced) {
  const Data data = random_data(200'000, 12);
  const auto natural = cuts_of(data, {Bytes{64}, Bytes{512}, 64_KiB});
  const auto longest = std::max_element(natural.begin(), natural.end(), [](const Cut& a, const Cut& b) {
    return a.end - a.begin < b.end - b.begin;
  });
  ASSERT_EQ(longest->reason, CutReason::kContent);
  const auto size = static_cast<std::int64_t>(longest->end - longest->begin);
  EXPECT_EQ(cuts_of(data, {Bytes{64}, Bytes{512}, Bytes{size}}), natural);
  const auto shorter = cuts_of(data, {Bytes{64}, Bytes{512}, Bytes{size - 1}});
  EXPECT_EQ(std::count_if(shorter.begin(), shorter.end(),
                          [](const Cut& cut) { return cut.reason == CutReason::kForced; }),
            1);
}

TEST(Chunker, AnEmptyFileHasNoChunk) {
  Chunker chunker = chunker_of({chunk_setting(8_KiB)});
  chunker.feed({});
  chunker.finish();
  EXPECT_TRUE(chunker.cuts(0).empty());
  EXPECT_EQ(chunker.counts(0).chunks(), 0U);
}

TEST(Chunker, SettingsAgainstTheRulesAreRefusedWithTheRule) {
  const auto refusal = [](ChunkSetting setting) {
    const auto made = Chunker::make({setting});
    return made ? std::string("accepted") : made.error().text();
  };
  EXPECT_THAT(refusal({Bytes{64}, Bytes{1000}, 4_KiB}), HasSubstr("power of two"));
  EXPECT_THAT(refusal({Bytes{64}, Bytes{128}, 4_KiB}), HasSubstr("power of two from 256"));
  EXPECT_THAT(refusal({Bytes{64}, 2_MiB, 4_MiB}), HasSubstr("to 1 MiB"));
  EXPECT_THAT(refusal({Bytes{63}, Bytes{512}, 4_KiB}), HasSubstr("least size is 64"));
  EXPECT_THAT(refusal({Bytes{512}, Bytes{512}, 4_KiB}), HasSubstr("below the normal"));
  EXPECT_THAT(refusal({Bytes{64}, Bytes{512}, Bytes{512}}), HasSubstr("above the normal"));
  EXPECT_THAT(refusal({Bytes{64}, Bytes{512}, 65_MiB}), HasSubstr("64 MiB or less"));
  const auto none = Chunker::make({});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace lab::scan_test
