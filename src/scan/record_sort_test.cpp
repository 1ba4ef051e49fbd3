// SPDX-License-Identifier: Apache-2.0
#include "scan/record_sort.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "core/random.hpp"
#include "scan/record.hpp"

namespace lab::scan {
namespace {

using Records = std::vector<Record<2>>;

void expect_sorted_like_the_library(Records records) {
  Records expected = records;
  std::sort(expected.begin(), expected.end());
  sort_records(std::span(records), std::identity{});
  EXPECT_EQ(records, expected) << records.size() << " records";
}

Records made(std::size_t count, std::uint64_t mask) {
  Random random(count);
  Records records(count);
  for (std::size_t i = 0; i < count; ++i)
    records[i] = i % 2 == 1 ? records[random.below(i)] : Record<2>{random.next() & mask, random.next()};
  return records;
}

TEST(RecordSort, EvenRecordsWithCopies) {
  for (const std::size_t count : {0UL, 1UL, 2UL, 3UL, 4095UL, 4096UL, 4097UL, 70'000UL, 300'000UL})
    expect_sorted_like_the_library(made(count, ~std::uint64_t{0}));
}

// Of data that is one chunk many times over, or made so that fingerprints begin alike.
TEST(RecordSort, RecordsThatBeginAlike) {
  for (const std::size_t count : {5'000UL, kSpreadMax, 3 * kSpreadMax}) {
    expect_sorted_like_the_library(Records(count, Record<2>{7, 9}));
    for (const unsigned shift : {8U, 20U, 21U, 64U - 1})
      expect_sorted_like_the_library(made(count, ~std::uint64_t{0} >> shift));
    // Parts of their even share in which all fall into one place.
    expect_sorted_like_the_library(made(count, 0xFF00'0000'0FFF'FFFF));
  }
}

TEST(RecordSort, EqualFirstWordsAreToldByTheSecond) {
  Records records(10'000);
  Random random(3);
  for (Record<2>& record : records) record = {random.below(5) << 60U, random.below(50)};
  expect_sorted_like_the_library(records);
}

}  // namespace
}  // namespace lab::scan
