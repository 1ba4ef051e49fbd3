// Candidates: the same on every path, from the window alone, as frequent as their strength says.
// SPDX-License-Identifier: Apache-2.0
#include "scan/gear.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>

#include "scan/scan_test_support.hpp"

namespace lab::scan_test {
namespace {

std::vector<Candidate> found_in(std::span<const std::byte> data, unsigned bits, GearPath path) {
  GearScan scan(bits, path);
  std::vector<Candidate> found;
  scan.feed(data, found);
  return found;
}

TEST(Gear, TheFastestPathIsTheLastOneAndScalarIsAlwaysThere) {
  const auto paths = gear_paths();
  ASSERT_FALSE(paths.empty());
  EXPECT_EQ(paths.front(), GearPath::kScalar);
  EXPECT_EQ(paths.back(), fastest_gear_path());
}

TEST(Gear, EveryPathFindsWhatTheDefinitionSays) {
  Random random(1);
  for (const GearPath path : gear_paths()) {
    for (const unsigned bits : {7U, 9U, 16U}) {
      std::vector<std::size_t> sizes(300);
      std::iota(sizes.begin(), sizes.end(), std::size_t{0});
      // About the borders of what is taken at once.
      for (const std::size_t border : {1'024UL, 2'048UL, 64'512UL, 2 * 64'512UL})
        for (const std::size_t before : {1UL, 2UL, 17UL, 18UL, 33UL, 48UL})
          sizes.push_back(border + 32 - before);
      for (const std::size_t size : sizes) {
        const Data data = mixed_data(size, random.next());
        ASSERT_EQ(found_in(data, bits, path), candidates_by_definition(data, bits))
            << to_string(path) << " " << bits << " bits, " << size << " bytes";
      }
      const Data data = mixed_data(300'000, random.next());
      ASSERT_EQ(found_in(data, bits, path), candidates_by_definition(data, bits)) << to_string(path);
    }
  }
}

TEST(Gear, EveryPathFindsTheSameWhereCandidatesAreDense) {
  // A period that has a candidate: some positions of the stripe are then found one after the other.
  Random random(2);
  for (int tries = 0, dense = 0; dense < 20; ++tries) {
    ASSERT_LT(tries, 10'000);
    const Data period = random_data(1 + random.below(9), random.next());
    Data data;
    while (data.size() < 100) append(data, period);
    if (candidates_by_definition(data, 7).size() < 10) continue;
    dense += 1;
    while (data.size() < 70'000) append(data, period);
    const auto expected = candidates_by_definition(data, 7);
    for (const GearPath path : gear_paths()) ASSERT_EQ(found_in(data, 7, path), expected) << to_string(path);
  }
}

TEST(Gear, CandidatesDoNotDependOnTheSpans) {
  Random random(3);
  for (const GearPath path : gear_paths()) {
    for (int round = 0; round < 40; ++round) {
      const Data data = mixed_data(random.below(30'000), random.next());
      GearScan scan(7, path);
      std::vector<Candidate> found;
      in_random_spans(data, random, [&](auto span) { scan.feed(span, found); });
      ASSERT_EQ(found, found_in(data, 7, GearPath::kScalar)) << to_string(path);
      EXPECT_EQ(scan.position(), data.size());
    }
  }
}

TEST(Gear, ThreadsThatShareAFileFindWhatOneFinds) {
  const Data data = mixed_data(500'000, 4);
  const auto expected = found_in(data, 8, fastest_gear_path());
  for (const std::size_t threads : {2U, 3U, 7U}) {
    std::vector<std::vector<Candidate>> parts(threads);
    std::vector<std::jthread> running;
    for (std::size_t t = 0; t < threads; ++t) {
      running.emplace_back([&, t] {
        const std::size_t from = data.size() * t / threads, to = data.size() * (t + 1) / threads;
        GearScan scan(8);
        scan.start_at(from, std::span(data).first(from));
        scan.feed(std::span(data).subspan(from, to - from), parts[t]);
      });
    }
    running.clear();
    std::vector<Candidate> joined;
    for (const auto& part : parts) joined.insert(joined.end(), part.begin(), part.end());
    EXPECT_EQ(joined, expected) << threads;
  }
}

TEST(Gear, RunsOfOneByteAreNoCandidates) {
  for (int byte = 0; byte < 256; ++byte) {
    const Data run(4096, static_cast<std::byte>(byte));
    EXPECT_TRUE(found_in(run, kGearBitsMin, fastest_gear_path()).empty()) << byte;
  }
}

TEST(Gear, OneOfTwoToTheNPositionsOfRandomDataHasAStrengthOfN) {
  const Data data = random_data(std::size_t{16} << 20U, 5);
  const auto found = found_in(data, 7, fastest_gear_path());
  for (const unsigned bits : {7U, 9U, 11U, 13U, 15U, 16U, 17U, 18U}) {
    const double expected = static_cast<double>(data.size()) / static_cast<double>(1U << bits);
    const auto strong =
        std::count_if(found.begin(), found.end(), [&](const auto& c) { return c.strength >= bits; });
    // Five standard deviations of a Poisson count; neighbours share window bytes, which widens it a little.
    EXPECT_NEAR(static_cast<double>(strong), expected, 5 * std::sqrt(expected)) << bits;
  }
}

}  // namespace
}  // namespace lab::scan_test
