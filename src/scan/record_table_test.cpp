// SPDX-License-Identifier: Apache-2.0
#include "scan/record_table.hpp"

#include <gtest/gtest.h>

#include <map>

#include "core/random.hpp"

namespace lab::scan {
namespace {

using Records = std::vector<Record<2>>;
using Counts = std::map<Record<2>, std::uint64_t>;

Counts naive(const Records& records) {
  Counts counts;
  for (const Record<2>& record : records) counts[record] += 1;
  return counts;
}

Counts taken(RecordTable<2>& table) {
  Counts counts;
  table.take_all([&](const Record<2>& record, std::uint64_t copies) {
    EXPECT_TRUE(counts.emplace(record, copies).second) << "told twice";
  });
  return counts;
}

/// Of so many different ones, all with the same first byte.
Records drawn(std::size_t count, std::size_t different, std::uint64_t seed) {
  Random random(seed);
  Records kinds(different);
  for (Record<2>& kind : kinds) kind = {random.next() >> 8U | 0x4200'0000'0000'0000U, random.next()};
  Records records(count);
  for (Record<2>& record : records) record = kinds[random.below(different)];
  return records;
}

TEST(RecordTable, CountsEachDistinctRecordOneTableAfterTheOther) {
  RecordTable<2> table(50'000, 1U << 24U, 8);
  for (const std::size_t count : {50'000UL, 1UL, 3'000UL, 50'000UL})
    for (const std::size_t different : {1UL, 7UL, 1'000UL, 50'000UL}) {
      const Records records = drawn(count, different, count + different);
      ASSERT_TRUE(table.begin(count));
      ASSERT_TRUE(table.add(std::span(records).first(count / 3)));
      ASSERT_TRUE(table.add(std::span(records).subspan(count / 3)));
      EXPECT_EQ(taken(table), naive(records));
    }
}

TEST(RecordTable, RecordsThatDifferInTheirLastBitAloneAreTwo) {
  RecordTable<2> table(100, 1U << 20U, 8);
  const Records records{{1, 2}, {1, 3}, {1, 2}, {0, 0}, {0, 1}};
  ASSERT_TRUE(table.begin(records.size()));
  ASSERT_TRUE(table.add(records));
  EXPECT_EQ(taken(table), naive(records));
}

TEST(RecordTable, RefusesWhatItCannotHoldAndIsEmptyThen) {
  RecordTable<2> small(100'000, 28 * 4096, 8);  // 4,096 places.
  EXPECT_FALSE(small.begin(100'000));
  ASSERT_TRUE(small.begin(6'000));
  EXPECT_FALSE(small.add(drawn(6'000, 1'000'000, 1)));
  const Records few = drawn(6'000, 2'000, 2);
  ASSERT_TRUE(small.begin(6'000));
  ASSERT_TRUE(small.add(few));
  EXPECT_EQ(taken(small), naive(few));
  EXPECT_FALSE(RecordTable<2>(100, 1'000, 8).begin(1)) << "not even the least of tables";
}

// Fingerprints that somebody has made to be alike would be looked for one behind the other.
TEST(RecordTable, RefusesRecordsThatAllWantOnePlace) {
  RecordTable<2> table(20'000, 1U << 24U, 8);
  Records records(20'000);
  for (std::size_t i = 0; i < records.size(); ++i) records[i] = {7, i};
  ASSERT_TRUE(table.begin(records.size()));
  EXPECT_FALSE(table.add(records));
  ASSERT_TRUE(table.begin(records.size()));
  EXPECT_TRUE(taken(table).empty());
}

}  // namespace
}  // namespace lab::scan
