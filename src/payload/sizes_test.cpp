// The portable functions against the library's, and the laws against their definitions.
// SPDX-License-Identifier: Apache-2.0
#include "payload/sizes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace lab {
namespace {

constexpr Bytes kFloor{8};

SizeLaw lognormal(Bytes median, double sigma) {
  return {.kind = SizeLaw::Kind::kLognormal, .low = median, .high = {}, .sigma = sigma};
}
SizeLaw uniform(Bytes low, Bytes high) { return {.kind = SizeLaw::Kind::kUniform, .low = low, .high = high}; }

std::vector<std::int64_t> draws(const SizeLaw& law, std::uint64_t count, Bytes floor = kFloor) {
  std::vector<std::int64_t> sizes;
  for (std::uint64_t content = 0; content < count; ++content)
    sizes.push_back(drawn_size(law, {42, content}, floor).count);
  return sizes;
}

TEST(PortableMath, AgreesWithTheLibraryToFourteenDigits) {
  for (const double x :
       {1e-300, 1e-9, 0.1, 0.5, 0.70710678, 0.99999, 1.0, 1.00001, 1.5, 2.0, 3.0, 1e6, 1e300}) {
    SCOPED_TRACE(x);
    EXPECT_NEAR(portable_log(x), std::log(x), 1e-14 * std::max(1.0, std::fabs(std::log(x))));
  }
  for (const double x : {-700.0, -30.5, -1.0, -0.3, -1e-9, 0.0, 1e-9, 0.34, 0.35, 1.0, 2.5, 100.0, 700.0}) {
    SCOPED_TRACE(x);
    EXPECT_NEAR(portable_exp(x) / std::exp(x), 1.0, 1e-13);
  }
  for (const double exponent : {0.01, 0.5, 1.0, 1.2, 10.0})
    EXPECT_NEAR(portable_power(12'345, -exponent) / std::pow(12'345, -exponent), 1.0, 1e-12);
}

TEST(PortableMath, IsEqualToTheLastBitEverywhere) {
  EXPECT_EQ(portable_log(1.0), 0.0);
  EXPECT_EQ(portable_exp(0.0), 1.0);
  EXPECT_EQ(portable_log(10.0), 0x1.26bb1bbb55516p+1);
  EXPECT_EQ(portable_exp(10.0), 0x1.5829dcf95056p+14);
  EXPECT_EQ(portable_power(3.0, -1.1), 0x1.31d20b7a1eecfp-2);
}

TEST(DrawnSize, IsTheFixedSize) {
  for (const std::int64_t size : draws({.low = Bytes{4096}}, 20)) EXPECT_EQ(size, 4096);
}

TEST(DrawnSize, ReachesBothEndsOfAUniformLawAndNothingElse) {
  const auto sizes = draws(uniform(Bytes{10}, Bytes{14}), 500);
  EXPECT_EQ(std::set<std::int64_t>(sizes.begin(), sizes.end()), (std::set<std::int64_t>{10, 11, 12, 13, 14}));
  for (const std::int64_t size : draws(uniform(Bytes{9}, Bytes{9}), 5)) EXPECT_EQ(size, 9);
}

TEST(DrawnSize, HasTheMedianAndTheSpreadOfItsLognormalLaw) {
  auto sizes = draws(lognormal(65_KiB, 1.0), 20'000);
  std::ranges::sort(sizes);
  const auto share = [&](double q) {
    return static_cast<double>(sizes[static_cast<std::size_t>(q * 20'000)]);
  };
  EXPECT_NEAR(share(0.5) / (65 * 1024), 1.0, 0.03);
  EXPECT_NEAR(share(0.8413) / share(0.5), std::exp(1.0), 0.1);  // One sigma above.
  EXPECT_NEAR(share(0.5) / share(0.1587), std::exp(1.0), 0.1);  // One sigma below.
}

TEST(DrawnSize, CutsALognormalLawAtBothEndsAndAtTheSmallestWorkableSize) {
  const auto wide = draws(lognormal(1_MiB, 5.0), 2'000);
  EXPECT_EQ(std::ranges::min(wide), 1024);
  EXPECT_EQ(std::ranges::max(wide), 1 << 30);
  const auto raised = draws(lognormal(Bytes{1024}, 5.0), 2'000, Bytes{46});
  EXPECT_EQ(std::ranges::min(raised), 46);
  EXPECT_EQ(size_range(lognormal(1_MiB, 1), Bytes{46}).smallest, Bytes{1024});
}

TEST(DrawnSize, IsPartOfTheFormat) {
  EXPECT_EQ(draws(uniform(4_KiB, 1_MiB), 4), (std::vector<std::int64_t>{936'430, 892'335, 200'669, 387'369}));
  EXPECT_EQ(draws(lognormal(64_KiB, 1.5), 4), (std::vector<std::int64_t>{224'261, 11'992, 25'363, 15'881}));
}

}  // namespace
}  // namespace lab
