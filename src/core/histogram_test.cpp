// The histogram against exact quantiles, and against what HdrHistogram's own encoder writes.
// SPDX-License-Identifier: Apache-2.0
#include "core/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/random.hpp"

namespace lab {
namespace {

constexpr std::uint64_t kHourNs = 3'600'000'000'000;

/// Encoded by hdrhistogram 0.10.8 (PyPI) from golden_values(); its figures for it are in the test below.
constexpr std::string_view kGolden =
    "HISTFAAAAEx4nJNpmSzMwMDsygABzFCaEch0M9ixgMH+A1SAiem7PBPLRg8mIGBkYsKk8HNHFQ0pRSwsLExghIwJMkcV4ZBZbMl0+"
    "TYTEwBf"
    "9RFP";

std::vector<std::uint64_t> golden_values() {
  std::vector<std::uint64_t> values{1, 2, 2047, 2048, 2049, 1'000'000, kHourNs};
  for (std::uint64_t i = 0; i < 1000; ++i) values.push_back(50'000 + i * 37);
  return values;
}

Histogram histogram_of(const std::vector<std::uint64_t>& values) {
  Histogram histogram;
  for (const std::uint64_t value : values) histogram.record(value);
  return histogram;
}

/// Log-uniform values from 1 ns to an hour.
std::vector<std::uint64_t> spread_values(std::uint64_t seed, int count) {
  Random random(seed);
  std::vector<std::uint64_t> values;
  for (int i = 0; i < count; ++i)
    values.push_back(
        static_cast<std::uint64_t>(std::exp(random.unit() * std::log(static_cast<double>(kHourNs)))));
  return values;
}

void expect_same_figures(const Histogram& a, const Histogram& b) {
  EXPECT_EQ(a.count(), b.count());
  for (const double q : {0.1, 0.5, 0.9, 0.95, 0.99, 0.999}) {
    SCOPED_TRACE(q);
    EXPECT_EQ(a.quantile(q), b.quantile(q));
  }
}

TEST(Histogram, AnEmptyOneHasNoFigures) {
  const Histogram empty;
  EXPECT_EQ(empty.count(), 0U);
  EXPECT_EQ(empty.min(), std::nullopt);
  EXPECT_EQ(empty.max(), std::nullopt);
  EXPECT_EQ(empty.mean(), std::nullopt);
  EXPECT_EQ(empty.quantile(0.5), std::nullopt);
}

TEST(Histogram, QuantilesAreAtMostAThousandthAboveTheExactOnes) {
  auto values = spread_values(1, 50'000);
  const Histogram histogram = histogram_of(values);
  std::sort(values.begin(), values.end());
  for (const double q : {0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999}) {
    SCOPED_TRACE(q);
    const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size()) - 1e-9));
    const std::uint64_t exact = values[rank - 1];
    const auto found = histogram.quantile(q);
    ASSERT_TRUE(found);
    EXPECT_GE(*found, exact);
    EXPECT_LE(static_cast<double>(*found), static_cast<double>(exact) * 1.001);
  }
  EXPECT_EQ(histogram.min(), values.front());
  EXPECT_EQ(histogram.max(), values.back());
  long double sum = 0;
  for (const std::uint64_t value : values) sum += static_cast<long double>(value);
  EXPECT_DOUBLE_EQ(*histogram.mean(), static_cast<double>(sum / 50'000));
}

TEST(Histogram, AQuantileThatTheCountCannotCarryIsBlank) {
  struct Case {
    int count;
    double q;
    bool known;
  };
  const Case cases[] = {{1, 0.5, true},       {1, 0.9, false},    {28, 0.9, false},   {29, 0.9, true},
                        {58, 0.95, false},    {59, 0.95, true},   {298, 0.99, false}, {299, 0.99, true},
                        {2994, 0.999, false}, {2995, 0.999, true}};
  for (const Case& one : cases) {
    SCOPED_TRACE(testing::Message() << one.count << " values, q " << one.q);
    EXPECT_EQ(histogram_of(spread_values(2, one.count)).quantile(one.q).has_value(), one.known);
  }
}

TEST(Histogram, TheLeastCountForAQuantileBoundsItFromAboveWith95Percent) {
  EXPECT_EQ(observations_needed(0.5), 1U);
  EXPECT_EQ(observations_needed(0.25), 1U);
  for (const double q : {0.75, 0.9, 0.95, 0.99, 0.999, 0.9999}) {
    SCOPED_TRACE(q);
    const auto needed = static_cast<double>(observations_needed(q));
    EXPECT_LE(std::pow(q, needed), 0.05) << "the largest value is below the quantile by chance too often";
    EXPECT_GT(std::pow(q, needed - 1), 0.05) << "one value less would do";
  }
}

TEST(Histogram, ZeroCountsAsOneAndAValueAboveTheRangeKeepsItsMaximum) {
  Histogram histogram;
  histogram.record(0);
  histogram.record(2 * kHourNs);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.min(), 1U);
  EXPECT_EQ(histogram.max(), 2 * kHourNs);
}

TEST(Histogram, AMergeIsTheHistogramOfAllValues) {
  auto values = spread_values(3, 500);
  const auto more = spread_values(4, 700);
  Histogram merged = histogram_of(values);
  merged.merge(histogram_of(more));
  merged.merge(Histogram());
  values.insert(values.end(), more.begin(), more.end());
  const Histogram whole = histogram_of(values);
  expect_same_figures(merged, whole);
  EXPECT_EQ(merged.min(), whole.min());
  EXPECT_EQ(merged.max(), whole.max());
  EXPECT_DOUBLE_EQ(*merged.mean(), *whole.mean());
}

TEST(Histogram, ReadsWhatHdrHistogramWrites) {
  const auto decoded = Histogram::decode(kGolden);
  ASSERT_TRUE(decoded) << decoded.error().detail;
  EXPECT_EQ(decoded->count(), 1007U);
  EXPECT_EQ(decoded->quantile(0.5), 68'479U);
  EXPECT_EQ(decoded->quantile(0.99), 86'719U);
  // The 1,004th smallest is 86,926; the bucket that holds it goes up to 86,975.
  EXPECT_EQ(decoded->quantile(0.997), 86'975U);
  EXPECT_EQ(decoded->min(), 1U);
  EXPECT_EQ(decoded->max(), 3'601'330'077'695U);
  expect_same_figures(*decoded, histogram_of(golden_values()));
}

TEST(Histogram, WritesWhatHdrHistogramReads) {
  // The zlib bytes may differ between versions of zlib; what they hold may not, which decoding shows.
  const auto ours = Histogram::decode(histogram_of(golden_values()).encode());
  const auto theirs = Histogram::decode(kGolden);
  ASSERT_TRUE(ours);
  ASSERT_TRUE(theirs);
  EXPECT_EQ(ours->encode(), theirs->encode());
  EXPECT_TRUE(ours->encode().starts_with("HISTF"));
}

TEST(Histogram, ARoundTripKeepsCountsAndQuantiles) {
  for (const int count : {0, 1, 2, 100, 20'000}) {
    SCOPED_TRACE(count);
    const Histogram before = histogram_of(spread_values(5, count));
    const auto after = Histogram::decode(before.encode());
    ASSERT_TRUE(after) << after.error().detail;
    expect_same_figures(before, *after);
    EXPECT_EQ(after->encode(), before.encode());
  }
}

TEST(Histogram, DamagedTextIsCorruptionAndNeverACrash) {
  const std::string whole = histogram_of(golden_values()).encode();
  EXPECT_FALSE(Histogram::decode(""));
  EXPECT_FALSE(Histogram::decode("not base64!"));
  EXPECT_FALSE(Histogram::decode("AAAA"));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    SCOPED_TRACE(length);
    const auto cut = Histogram::decode(std::string_view(whole).substr(0, length));
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, ErrorCode::kCorruption);
  }
  Random random(6);
  int refused = 0;
  for (int i = 0; i < 2'000; ++i) {
    std::string changed = whole;
    changed[random.below(changed.size())] = static_cast<char>('A' + random.below(26));
    refused += Histogram::decode(changed) ? 0 : 1;
  }
  EXPECT_GT(refused, 1'500) << "the checksum of zlib sees nearly every change";
}

}  // namespace
}  // namespace lab
