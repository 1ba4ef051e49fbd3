// The grade is exact: counted from the hashes of the bytes, for each made kind, grade and number of objects.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

struct Counted {
  std::uint64_t objects = 0;
  std::uint64_t distinct = 0;
  std::uint64_t named = 0;  // Copies whose manifest names the object that has the same bytes first.
  std::uint64_t bytes = 0;
};

/// From the bytes alone, but for `named`.
Counted count(const Dataset& dataset) {
  Counted counted;
  std::map<Digest, std::uint64_t> first_with;
  std::vector<std::byte> bytes;
  for (std::uint64_t number = 0; number < dataset.objects(); ++number) {
    const ObjectFacts facts = dataset.facts(number);
    if (!dataset.source().fill(facts.content, bytes)) return {};
    const auto [first, is_new] = first_with.emplace(sha256(bytes), number);
    counted.objects += 1;
    counted.bytes += bytes.size();
    if (facts.copy_of && first->second == *facts.copy_of) counted.named += 1;
  }
  counted.distinct = first_with.size();
  return counted;
}

struct Expected {
  std::uint64_t objects;
  std::uint64_t distinct[7];  // At U0, U1, U33, U50, U90, U95, U99.
};

constexpr int kGrades[] = {0, 1, 33, 50, 90, 95, 99};
// Written out and not computed, so that a wrong formula cannot agree with itself.
constexpr Expected kExpected[] = {
    {1, {1, 1, 1, 1, 1, 1, 1}},
    {2, {2, 2, 2, 1, 1, 1, 1}},
    {3, {3, 3, 3, 2, 1, 1, 1}},
    {100, {100, 99, 67, 50, 10, 5, 1}},
    {997, {997, 988, 668, 499, 100, 50, 10}},
};

TEST(MadeDataset, HasGradeError0ForEachKindGradeAndNumberOfObjects) {
  constexpr std::uint64_t kSize = 160;
  for (const std::string& payload : made_payloads())
    for (const Expected& row : kExpected)
      for (std::size_t i = 0; i < std::size(kGrades); ++i) {
        SCOPED_TRACE(testing::Message() << payload << " U" << kGrades[i] << " of " << row.objects);
        const auto dataset = made(spec_of(payload, row.objects, kGrades[i], Bytes{kSize}));
        const Counted counted = count(*dataset);
        ASSERT_EQ(counted.objects, row.objects);
        ASSERT_EQ(counted.bytes, row.objects * kSize);
        EXPECT_EQ(counted.distinct, row.distinct[i]);
        EXPECT_EQ(counted.named, row.objects - row.distinct[i]);
      }
}

}  // namespace
}  // namespace lab
