// Exact numbers of copies, their law, and the four orders.
// SPDX-License-Identifier: Apache-2.0
#include "payload/copies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "payload/sizes.hpp"

namespace lab {
namespace {

constexpr Order kOrders[] = {Order::kShuffled, Order::kAdjacent, Order::kDistant, Order::kAlternate};

CopyPlan plan_of(std::uint64_t objects, int grade, Order order = Order::kShuffled, double zipf = 0) {
  return {objects, distinct_objects(objects, grade), {zipf}, order, 11};
}

using Stream = std::vector<std::uint32_t>;

Stream sorted_multiplicities(const Stream& stream, std::uint64_t distinct) {
  Stream counts(distinct);
  for (const std::uint32_t content : stream) counts[content] += 1;
  std::ranges::sort(counts);
  return counts;
}

TEST(CopiesOfEach, DifferByOneAtMostWhenEven) {
  for (const std::uint64_t objects : {1U, 7U, 40U, 500U, 1000U}) {
    for (int grade = 0; grade <= 99; ++grade) {
      SCOPED_TRACE(testing::Message() << objects << " objects at U" << grade);
      const auto plan = plan_of(objects, grade);
      const Stream copies = copies_of_each<std::uint32_t>(plan);
      ASSERT_EQ(copies.size(), plan.distinct);
      EXPECT_EQ(std::accumulate(copies.begin(), copies.end(), std::uint64_t{0}), objects - plan.distinct);
      const auto [least, most] = std::ranges::minmax(copies);
      EXPECT_LE(most - least, 1U);
    }
  }
}

TEST(CopiesOfEach, AreTheLargestRemaindersOfAZipfLaw) {
  for (const double exponent : {0.01, 0.5, 1.0, 2.5, 10.0}) {
    for (const int grade : {1, 37, 50, 90, 99}) {
      SCOPED_TRACE(testing::Message() << "zipf:" << exponent << " at U" << grade);
      const auto plan = plan_of(2'000, grade, Order::kShuffled, exponent);
      Stream copies = copies_of_each<std::uint32_t>(plan);
      std::ranges::sort(copies, std::greater<>());
      const auto total = static_cast<double>(plan.objects - plan.distinct);
      EXPECT_EQ(std::accumulate(copies.begin(), copies.end(), std::uint64_t{0}),
                plan.objects - plan.distinct);
      double weight_sum = 0;
      for (std::size_t rank = 1; rank <= copies.size(); ++rank)
        weight_sum += portable_power(static_cast<double>(rank), -exponent);
      // An apportionment by largest remainders stays within one of each exact share, and keeps the order of
      // ranks.
      for (std::size_t rank = 1; rank <= copies.size(); ++rank) {
        const double share = total * portable_power(static_cast<double>(rank), -exponent) / weight_sum;
        ASSERT_LT(std::abs(copies[rank - 1] - share), 1.0 + 1e-6) << "rank " << rank;
      }
    }
  }
}

TEST(CopiesOfEach, BreakTiesByRankSoThatASmallCaseCanBeCheckedByHand) {
  // 10 copies over weights 1, 1/2, 1/3, 1/4 (sum 25/12): shares 4.8, 2.4, 1.6, 1.2 -> 4, 2, 1, 1 and two left
  // for the remainders .8 and .6.
  Stream copies = copies_of_each<std::uint32_t>({14, 4, {1.0}, Order::kShuffled, 3});
  std::ranges::sort(copies, std::greater<>());
  EXPECT_EQ(copies, (Stream{5, 2, 2, 1}));
}

TEST(CopiesOfEach, GiveTheRanksToOtherOriginalsUnderAnotherSeed) {
  const auto of_seed = [](std::uint64_t seed) {
    return copies_of_each<std::uint32_t>({500, 50, {1.0}, Order::kShuffled, seed});
  };
  EXPECT_EQ(of_seed(1), of_seed(1));
  EXPECT_NE(of_seed(1), of_seed(2));
}

TEST(ContentStream, HasEachContentFirstInOrderAndKeepsThePopularityInEveryOrder) {
  for (const double zipf : {0.0, 1.1}) {
    for (const int grade : {0, 1, 50, 90, 95, 99}) {
      const auto plan = plan_of(1'000, grade, Order::kAdjacent, zipf);
      const Stream expected = sorted_multiplicities(content_stream<std::uint32_t>(plan), plan.distinct);
      for (const Order order : kOrders) {
        SCOPED_TRACE(testing::Message() << to_string(order) << " U" << grade << " zipf:" << zipf);
        const Stream stream = content_stream<std::uint32_t>(plan_of(1'000, grade, order, zipf));
        ASSERT_EQ(stream.size(), 1'000U);
        std::uint32_t next = 0;
        for (const std::uint32_t content : stream) {
          ASSERT_LE(content, next);
          if (content == next) ++next;
        }
        EXPECT_EQ(next, plan.distinct);
        EXPECT_EQ(sorted_multiplicities(stream, plan.distinct), expected);
      }
    }
  }
}

TEST(ContentStream, IsTheSameWithWideIndices) {
  for (const Order order : kOrders) {
    for (const double zipf : {0.0, 0.8}) {
      const auto plan = plan_of(777, 73, order, zipf);
      const Stream narrow = content_stream<std::uint32_t>(plan);
      const std::vector<std::uint64_t> wide = content_stream<std::uint64_t>(plan);
      EXPECT_TRUE(std::ranges::equal(narrow, wide)) << to_string(order);
    }
  }
}

TEST(ContentStream, PutsCopiesRightBehindTheirOriginalWhenAdjacent) {
  const Stream stream = content_stream<std::uint32_t>(plan_of(300, 80, Order::kAdjacent, 1.0));
  EXPECT_TRUE(std::ranges::is_sorted(stream));
}

TEST(ContentStream, PutsAllOriginalsFirstWhenDistant) {
  const auto plan = plan_of(300, 80, Order::kDistant);
  const Stream stream = content_stream<std::uint32_t>(plan);
  for (std::uint32_t number = 0; number < plan.distinct; ++number) EXPECT_EQ(stream[number], number);
  EXPECT_FALSE(
      std::ranges::is_sorted(stream.begin() + static_cast<std::ptrdiff_t>(plan.distinct), stream.end()))
      << "the copies are shuffled";
}

TEST(ContentStream, AlternatesOriginalAndCopy) {
  const Stream half = content_stream<std::uint32_t>(plan_of(10, 50, Order::kAlternate));
  EXPECT_EQ(half, (Stream{0, 0, 1, 1, 2, 2, 3, 3, 4, 4}));
  // More copies than originals: one behind each original, the rest at the end.
  const Stream many = content_stream<std::uint32_t>(plan_of(100, 90, Order::kAlternate));
  for (std::uint32_t original = 0; original < 10; ++original) {
    EXPECT_EQ(many[2 * original], original);
    EXPECT_EQ(many[2 * original + 1], original);
  }
}

TEST(ContentStream, TakesTheCopyOfAnEarlierOriginalWhereOneHasNone) {
  // Two copies among three originals, in the order that the seed decides.
  const CopyPlan plan{6, 3, {3.0}, Order::kAlternate, 5};
  const Stream copies = copies_of_each<std::uint32_t>(plan);
  Stream left = copies;
  Stream expected;
  for (std::uint32_t original = 0; original < 3; ++original) {
    expected.push_back(original);
    std::uint32_t copied = original;
    if (left[original] == 0)
      for (copied = 0; copied < original && left[copied] == 0; ++copied) continue;
    if (left[copied] == 0) continue;
    left[copied] -= 1;
    expected.push_back(copied);
  }
  const Stream stream = content_stream<std::uint32_t>(plan);
  ASSERT_GE(stream.size(), expected.size());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), stream.begin()));
}

TEST(ContentStream, ShufflesCopiesOverTheWholeStream) {
  const Stream stream = content_stream<std::uint32_t>(plan_of(10'000, 50));
  std::map<std::uint32_t, std::size_t> first;
  double distance = 0;
  for (std::size_t number = 0; number < stream.size(); ++number) {
    const auto [original, is_new] = first.emplace(stream[number], number);
    if (!is_new) distance += static_cast<double>(number - original->second);
  }
  // Two uniform places of a stream of n are n / 3 apart on the average.
  EXPECT_NEAR(distance / 5'000, 10'000 / 3.0, 150);
}

TEST(ContentStream, IsPartOfTheFormat) {
  EXPECT_EQ(content_stream<std::uint32_t>(plan_of(16, 50)),
            (Stream{0, 1, 2, 3, 1, 4, 5, 4, 6, 2, 6, 7, 3, 5, 0, 7}));
  EXPECT_EQ(content_stream<std::uint32_t>(plan_of(16, 75, Order::kShuffled, 1.0)),
            (Stream{0, 0, 1, 0, 2, 2, 1, 2, 3, 1, 3, 0, 0, 1, 0, 0}));
  EXPECT_EQ(content_stream<std::uint32_t>(plan_of(12, 60, Order::kDistant)),
            (Stream{0, 1, 2, 3, 4, 4, 0, 1, 3, 0, 3, 2}));
  EXPECT_EQ(content_stream<std::uint32_t>(plan_of(20, 55, Order::kAlternate, 2.0)),
            (Stream{0, 0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7, 8, 6, 6, 6, 6, 6, 7, 6}));
}

}  // namespace
}  // namespace lab
