// SPDX-License-Identifier: Apache-2.0
#include "scan/record_pile.hpp"

#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "core/random.hpp"

namespace lab::scan {
namespace {

template <std::size_t kWords>
using Records = std::vector<Record<kWords>>;

/// Every second one is a copy of an earlier one.
template <std::size_t kWords>
Records<kWords> made(std::size_t count, std::uint64_t mask) {
  Random random(count);
  Records<kWords> records(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 2 == 1) {
      records[i] = records[random.below(i)];
      continue;
    }
    for (std::uint64_t& word : records[i]) word = random.next();
    records[i][0] &= mask;
  }
  return records;
}

template <std::size_t kWords>
Records<kWords> drained(RecordPile<kWords>& pile) {
  Records<kWords> all;
  EXPECT_TRUE(pile.drain([&](std::span<const Record<kWords>> records) -> Status {
    EXPECT_FALSE(records.empty());
    all.insert(all.end(), records.begin(), records.end());
    return ok();
  }));
  return all;
}

/// Fills it again and again, as each spill does.
template <std::size_t kWords>
void expect_gives_back_sorted(std::size_t bytes, const Records<kWords>& records) {
  RecordPile<kWords> pile(bytes);
  auto next = records.begin();
  for (int round = 0; next != records.end(); ++round) {
    ASSERT_LT(round, 1'000) << "it takes nothing";
    EXPECT_TRUE(pile.empty());
    const auto first = next;
    while (next != records.end() && pile.add(*next)) ++next;
    const auto taken = static_cast<std::size_t>(next - first);
    if (next != records.end()) {
      EXPECT_GE(taken * sizeof(Record<kWords>) * 10, bytes * 9) << "of its memory";
    }
    EXPECT_LE(taken * sizeof(Record<kWords>), std::max<std::size_t>(bytes, 16 * sizeof(Record<kWords>)));
    Records<kWords> expected(first, next);
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(drained(pile), expected) << bytes << " bytes, round " << round;
  }
}

/// By several workers, again and again; each record comes once, with its number.
template <std::size_t kWords>
void expect_counts(std::size_t bytes, std::size_t workers, const Records<kWords>& records) {
  RecordPile<kWords> pile(bytes, workers);
  auto next = records.begin();
  while (next != records.end()) {
    std::map<Record<kWords>, std::uint64_t> expected;
    for (; next != records.end() && pile.add(*next); ++next) expected[*next] += 1;
    std::map<Record<kWords>, std::uint64_t> counted;
    std::mutex mutex;
    EXPECT_TRUE(pile.count(
        [&](std::size_t worker, const Record<kWords>& record, std::uint64_t copies) {
          const std::lock_guard lock(mutex);
          EXPECT_LT(worker, workers);
          EXPECT_TRUE(counted.emplace(record, copies).second) << "told twice";
        },
        [] { return ok(); }));
    EXPECT_EQ(counted, expected) << bytes << " bytes, " << workers << " workers";
    ASSERT_TRUE(pile.empty());
  }
}

TEST(RecordPile, CountsEachDistinctRecordWhateverItsSizeAndByEachNumberOfWorkers) {
  for (const std::size_t workers : {1U, 3U})
    for (const std::size_t bytes : {100'000U, 5U << 20U}) {
      expect_counts<2>(bytes, workers, made<2>(70'000, ~std::uint64_t{0}));
      expect_counts<4>(bytes, workers, made<4>(40'000, ~std::uint64_t{0}));
      // More than a table of its share can hold, in one part and in a few.
      expect_counts<2>(bytes, workers, made<2>(70'000, ~std::uint64_t{0} >> 8U));
      expect_counts<2>(bytes, workers, made<2>(70'000, ~std::uint64_t{0} >> 6U));
      expect_counts<2>(bytes, workers, Records<2>(70'000, Record<2>{7, 9}));
    }
}

TEST(RecordPile, ALooksErrorEndsTheCount) {
  RecordPile<2> pile(1U << 20U, 2);
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(pile.add({i << 56U, i}));
  const Status status = pile.count([](auto, const auto&, auto) {},
                                   []() -> Status { return Error{ErrorCode::kCancelled, "scan"}; });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
}

TEST(RecordPile, GivesBackWhatItGotInOrderWhateverItsSize) {
  for (const std::size_t bytes : {0UL, 300UL, 100'000UL, 1UL << 20U, (1UL << 20U) + 4'096, 5UL << 20U})
    for (const std::size_t count : {1UL, 300UL, 70'000UL, 200'000UL}) {
      if (count * 16 > 500 * std::max<std::size_t>(bytes, 256)) continue;
      expect_gives_back_sorted<2>(bytes, made<2>(count, ~std::uint64_t{0}));
      expect_gives_back_sorted<4>(bytes, made<4>(count, ~std::uint64_t{0}));
    }
}

// Of data that is one chunk many times over, or made so that fingerprints begin alike: one part has them all.
TEST(RecordPile, RecordsThatBeginAlikeHaveTheWholeOfItsMemory) {
  for (const std::size_t bytes : {2UL << 20U, 6UL << 20U}) {
    const std::size_t most = bytes / sizeof(Record<2>);
    RecordPile<2> pile(bytes);
    std::size_t taken = 0;
    while (pile.add({7, 9})) ++taken;
    EXPECT_GE(taken * 20, most * 19);
    EXPECT_EQ(drained(pile), Records<2>(taken, Record<2>{7, 9}));
    for (const unsigned shift : {4U, 8U, 12U, 30U, 60U})
      expect_gives_back_sorted<2>(bytes, made<2>(200'000, ~std::uint64_t{0} >> shift));
    expect_gives_back_sorted<2>(bytes, made<2>(200'000, 0xFF00'0000'0FFF'FFFF));
  }
}

TEST(RecordPile, ATakersErrorEndsIt) {
  RecordPile<2> pile(1U << 20U);
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(pile.add({i << 56U, i}));
  int calls = 0;
  const Status status = pile.drain([&](auto) -> Status {
    ++calls;
    return Error{ErrorCode::kCancelled, "scan"};
  });
  EXPECT_FALSE(status);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace lab::scan
