// Randomness that must never change: datasets and orders of work hang on it.
// SPDX-License-Identifier: Apache-2.0
#include "core/random.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <vector>

namespace lab {
namespace {

TEST(Random, GivesTheNumbersOfSplitMix64) {
  // The outputs of Vigna's splitmix64.c for these two seeds.
  Random zero(0);
  for (const std::uint64_t expected :
       {0xE220A8397B1DCDAFULL, 0x6E789E6AA1B965F4ULL, 0x06C45D188009454FULL, 0xF88BB8A8724C81ECULL})
    EXPECT_EQ(zero.next(), expected);
  Random other(1'234'567);
  for (const std::uint64_t expected :
       {6'457'827'717'110'365'317ULL, 3'203'168'211'198'807'973ULL, 9'817'491'932'198'370'423ULL})
    EXPECT_EQ(other.next(), expected);
}

TEST(Random, BelowStaysBelowItsBoundAndIsUniform) {
  for (const std::uint64_t bound : {1ULL, 2ULL, 3ULL, 7ULL, 10ULL}) {
    SCOPED_TRACE(bound);
    Random random(bound);
    constexpr std::uint64_t kDraws = 100'000;
    std::vector<std::uint64_t> seen(bound);
    for (std::uint64_t i = 0; i < kDraws; ++i) seen.at(random.below(bound)) += 1;
    const double expected = static_cast<double>(kDraws) / static_cast<double>(bound);
    double chi_squared = 0;
    for (const std::uint64_t count : seen) {
      const double off = static_cast<double>(count) - expected;
      chi_squared += off * off / expected;
    }
    EXPECT_LT(chi_squared, 27.9);  // 99.9 % point for 9 degrees of freedom, the most there are here.
  }
}

TEST(Random, BelowHasNoBiasWhereMultiplyingAloneHasMuch) {
  // With a bound of 3/4 of 2^64, a product without rejection hits every third value of the range twice as
  // often: numbers divisible by 3 would come half of the time.
  constexpr std::uint64_t kBound = 3ULL << 62U;
  Random random(9);
  int divisible = 0;
  for (int i = 0; i < 30'000; ++i) divisible += random.below(kBound) % 3 == 0 ? 1 : 0;
  EXPECT_NEAR(divisible, 10'000, 350);
}

TEST(Random, UnitLiesBetweenZeroAndOne) {
  Random random(3);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = random.unit();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Random, SeedsForOtherPurposesAreOtherSeeds) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (std::uint64_t purpose = 0; purpose < 100; ++purpose) seeds.insert(derive_seed(seed, purpose));
  EXPECT_EQ(seeds.size(), 10'000U);
}

TEST(Random, AShuffleIsAPermutationAndTheSameOneForever) {
  std::vector<int> items(10);
  std::iota(items.begin(), items.end(), 0);
  Random random(42);
  shuffle(std::span(items), random);
  EXPECT_EQ(items, (std::vector<int>{8, 3, 6, 5, 4, 0, 9, 2, 1, 7}));  // Computed apart, in Python.
  EXPECT_EQ(std::set<int>(items.begin(), items.end()).size(), items.size());
}

}  // namespace
}  // namespace lab
