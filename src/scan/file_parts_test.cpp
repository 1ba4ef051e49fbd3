// Parts of a file against one pass over the whole of it.
// SPDX-License-Identifier: Apache-2.0
#include "scan/file_parts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "scan/kept_chunks_test_support.hpp"
#include "scan/scan_test_support.hpp"

namespace lab::scan {
namespace {

using scan_test::Data;
using Kind = ChunkerSpec::Kind;

const std::vector<ChunkerSpec> kSpecs{{Kind::kCdc, 512, 0}, {Kind::kCdc, 2048, 0}, {Kind::kCdc, 16384, 0}};

std::vector<Kept> one_pass(const Data& data) {
  std::vector<Kept> kept(kSpecs.size());
  std::vector<CdcChunks::Level> levels;
  for (std::size_t i = 0; i < kSpecs.size(); ++i) levels.push_back({kSpecs[i], &kept[i]});
  CdcChunks chunks(FingerprintKind::kXxh3, levels);
  chunks.bytes(data);
  chunks.end();
  return kept;
}

std::vector<ChunkTaker*> takers_of(std::vector<Kept>& kept) {
  std::vector<ChunkTaker*> takers;
  for (Kept& one : kept) takers.push_back(&one);
  return takers;
}

/// Of parts that keep all their bytes.
Status no_rest(PartCuts&) { return Error{ErrorCode::kInternal, "test", "nothing has to be read again"}; }

std::vector<PartCuts> parts_of(std::span<const std::byte> data, Random& random, std::size_t largest,
                               PartHead head = {}) {
  PartCutter cutter(FingerprintKind::kXxh3, kSpecs, head);
  std::vector<PartCuts> parts;
  while (!data.empty()) {
    const std::size_t size = std::min<std::size_t>(data.size(), 1 + random.below(largest));
    scan_test::in_random_spans(data.first(size), random, [&](auto span) { cutter.bytes(span); });
    parts.push_back(cutter.take());
    data = data.subspan(size);
  }
  parts.back().ends = true;
  return parts;
}

TEST(FileParts, HaveTheChunksOfOnePassWhereverTheFileIsDivided) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Data all = seed % 4 == 0 ? Data(500'000) : scan_test::mixed_data(700'000, seed);
    for (const std::size_t largest : {300U, 20'000U, 300'000U}) {
      // Each part makes chunkers of its own, so that thousands of small ones take their time.
      const Data data(all.begin(), largest < 1000 ? all.begin() + 40'000 : all.end());
      const auto expected = one_pass(data);
      std::vector<Kept> kept(kSpecs.size());
      const auto takers = takers_of(kept);
      PartJoiner joiner(FingerprintKind::kXxh3, kSpecs);
      for (PartCuts& part : parts_of(data, random, largest)) ASSERT_TRUE(joiner.join(part, takers, no_rest));
      for (std::size_t i = 0; i < kSpecs.size(); ++i)
        EXPECT_EQ(kept[i].chunks, expected[i].chunks) << largest;
    }
  }
}

/// The chunks of `data` from parts that keep no more than `head` asks for, and how often a rest was read.
std::pair<std::vector<Kept>, int> joined_with(const Data& data, PartHead head, std::size_t largest) {
  Random random(1);
  std::pair<std::vector<Kept>, int> result(kSpecs.size(), 0);
  const auto takers = takers_of(result.first);
  PartJoiner joiner(FingerprintKind::kXxh3, kSpecs);
  std::size_t begin = 0;
  for (PartCuts& part : parts_of(data, random, largest, head)) {
    const auto rest = [&](PartCuts& of) {
      EXPECT_LT(of.bytes.size(), of.size);
      of.bytes.assign(data.begin() + static_cast<std::ptrdiff_t>(begin),
                      data.begin() + static_cast<std::ptrdiff_t>(begin + of.size));
      result.second += 1;
      return ok();
    };
    const std::size_t size = part.size;
    EXPECT_TRUE(joiner.join(part, takers, rest));
    begin += size;
  }
  EXPECT_EQ(begin, data.size());
  return result;
}

TEST(FileParts, OfWhichOnlyTheBeginningIsKeptHaveTheChunksOfOnePassToo) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    const Data data = scan_test::mixed_data(900'000, seed);
    const auto expected = one_pass(data);
    for (const PartHead head : {PartHead{1, 0}, PartHead{5'000, 1}, PartHead{40'000, 3}}) {
      const auto [kept, rests] = joined_with(data, head, 250'000);
      for (std::size_t i = 0; i < kSpecs.size(); ++i)
        EXPECT_EQ(kept[i].chunks, expected[i].chunks) << head.bytes;
      EXPECT_TRUE(head.chunks > 0 || rests > 0) << "nothing was read again";
    }
  }
}

TEST(FileParts, OfRandomBytesAreJoinedByTheirBeginningAlone) {
  const Data data = scan_test::random_data(20'000'000, 5);
  PartCutter cutter(FingerprintKind::kXxh3, kSpecs);
  for (std::size_t at = 0; at < 4'000'000; at += 250'000)
    cutter.bytes(std::span<const std::byte>(data).subspan(at, 250'000));
  const PartCuts part = cutter.take();
  EXPECT_EQ(part.size, 4'000'000U);
  EXPECT_EQ(part.bytes.size(), 500'000U) << "the first spans up to 256 KiB";
  const auto [kept, rests] = joined_with(data, {}, 4'000'000);
  EXPECT_EQ(kept[2].chunks, one_pass(data)[2].chunks);
  EXPECT_EQ(rests, 0);
}

TEST(FileParts, OfLowEntropyKeepAllTheirBytes) {
  PartCutter cutter(FingerprintKind::kXxh3, kSpecs);
  for (int i = 0; i < 40; ++i) cutter.bytes(Data(100'000, std::byte{1}));
  EXPECT_EQ(cutter.take().bytes.size(), 4'000'000U);
}

TEST(FileParts, ARestThatCannotBeReadIsTheErrorOfTheFile) {
  Random random(2);
  const Data data = scan_test::random_data(200'000, 2);
  PartQueue queue(FingerprintKind::kXxh3, kSpecs, 3);
  std::vector<Kept> kept(kSpecs.size());
  const auto takers = takers_of(kept);
  std::vector<PartCuts> parts = parts_of(data, random, 60'000, {1, 0});
  ASSERT_GT(parts.size(), 2U);
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i].begin = 1'000 * i;
  const auto gone = [](const PartCuts& part) -> Status {
    return Error{ErrorCode::kIo, "test", "the part at " + std::to_string(part.begin) + " is gone"};
  };
  ASSERT_TRUE(queue.put(0, 0, std::move(parts[0]), takers, gone));
  const Status failed = queue.put(0, 1, std::move(parts[1]), takers, gone);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().detail, "the part at 1000 is gone");
  const std::size_t before = kept[0].chunks.size();
  EXPECT_TRUE(queue.put(0, 2, std::move(parts[2]), takers, gone));
  EXPECT_EQ(kept[0].chunks.size(), before) << "nothing behind it is joined";
}

TEST(FileParts, AFileWhoseReadingEndsEarlyEndsItsChunkAndTheNextPartBeginsOne) {
  const Data data = scan_test::random_data(50'000, 1);
  std::vector<Kept> kept(kSpecs.size());
  const auto takers = takers_of(kept);
  PartJoiner joiner(FingerprintKind::kXxh3, kSpecs);
  PartCutter cutter(FingerprintKind::kXxh3, kSpecs);
  auto expected = one_pass(data);
  for (int i = 0; i < 2; ++i) {
    cutter.bytes(data);
    PartCuts part = cutter.take();
    part.ends = true;
    ASSERT_TRUE(joiner.join(part, takers, no_rest));
  }
  for (std::size_t i = 0; i < kSpecs.size(); ++i) {
    auto twice = expected[i].chunks;
    twice.insert(twice.end(), expected[i].chunks.begin(), expected[i].chunks.end());
    EXPECT_EQ(kept[i].chunks, twice);
  }
}

TEST(FileParts, ZerosThatFollowBytesAreAsBytesOfZero) {
  PartCutter cutter(FingerprintKind::kXxh3, kSpecs);
  const auto part = [&](const auto& zeros) {
    cutter.begin(0, {});
    cutter.bytes(Data(1, std::byte{1}));
    zeros();
    return cutter.take();
  };
  const PartCuts holes = part([&] { cutter.zeros(100'000); });
  const PartCuts bytes = part([&] { cutter.bytes(Data(100'000)); });
  EXPECT_FALSE(holes.hole);
  EXPECT_EQ(holes.bytes, bytes.bytes);
  EXPECT_EQ(holes.open, bytes.open);
  EXPECT_EQ(holes.chunks[0].size(), bytes.chunks[0].size());
}

TEST(FileParts, AHoleBetweenPartsHasTheChunksOfOnePass) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    PartCutter cutter(FingerprintKind::kXxh3, kSpecs);
    PartJoiner joiner(FingerprintKind::kXxh3, kSpecs);
    std::vector<Kept> kept(kSpecs.size());
    const auto takers = takers_of(kept);
    Data whole;
    const std::uint64_t last = 3 + random.below(6);
    PartCuts part;
    for (std::uint64_t i = 0; i <= last; ++i) {
      cutter.begin(0, std::move(part));
      // Parts that are a hole, of any length; that begin with one, or end with one; that have none.
      const std::uint64_t kind = random.below(5);
      const std::uint64_t zeros = kind == 4 ? 0 : random.below(kind < 2 ? 900'000 : 50'000);
      const Data data = kind < 2 ? Data() : scan_test::mixed_data(random.below(100'000), random.next());
      if (kind != 3) cutter.zeros(zeros);
      cutter.bytes(data);
      if (kind == 3) cutter.zeros(zeros);
      if (kind != 3) whole.resize(whole.size() + zeros);
      scan_test::append(whole, data);
      if (kind == 3) whole.resize(whole.size() + zeros);
      part = cutter.take();
      EXPECT_EQ(part.hole.has_value(), data.empty());
      part.ends = i == last;
      ASSERT_TRUE(joiner.join(part, takers, no_rest));
    }
    const auto expected = one_pass(whole);
    for (std::size_t i = 0; i < kSpecs.size(); ++i) EXPECT_EQ(kept[i].chunks, expected[i].chunks) << i;
  }
}

TEST(FileParts, MayComeInAnyOrderFromSeveralWorkers) {
  Random random(3);
  const Data data = scan_test::mixed_data(2'000'000, 3);
  const auto expected = one_pass(data);
  std::vector<PartCuts> parts = parts_of(data, random, 60'000);
  PartQueue queue(FingerprintKind::kXxh3, kSpecs, 3);
  std::vector<std::vector<Kept>> kept(4, std::vector<Kept>(kSpecs.size()));
  std::atomic<std::size_t> next{0};
  {
    std::vector<std::jthread> workers;
    for (std::vector<Kept>& own : kept)
      workers.emplace_back([&] {
        const auto takers = takers_of(own);
        while (true) {
          queue.wait_for_room({});
          const std::size_t number = next.fetch_add(1);
          if (number >= parts.size()) return;
          EXPECT_TRUE(queue.put(7, number, std::move(parts[number]), takers, no_rest));
        }
      });
  }
  for (std::size_t i = 0; i < kSpecs.size(); ++i) {
    auto all = expected[i].chunks;
    std::vector<std::tuple<Fingerprint, std::uint32_t, bool>> seen;
    for (const std::vector<Kept>& own : kept)
      seen.insert(seen.end(), own[i].chunks.begin(), own[i].chunks.end());
    std::sort(all.begin(), all.end());
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, all);
  }
}

TEST(FileParts, NobodyWaitsForRoomThatAStopMakesUseless) {
  PartQueue queue(FingerprintKind::kXxh3, kSpecs, 1);
  std::vector<Kept> kept(kSpecs.size());
  // Part 0 is missing.
  ASSERT_TRUE(
      queue.put(0, 1, PartCuts{.chunks = {{}, {}, {}}, .open = {{}, {}, {}}}, takers_of(kept), no_rest));
  std::stop_source source;
  source.request_stop();
  queue.wait_for_room(source.get_token());
}

}  // namespace
}  // namespace lab::scan
