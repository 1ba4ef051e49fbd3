// SPDX-License-Identifier: Apache-2.0
#include "scan/cdc_scalar.hpp"

#include <set>

#include "scan/chunker_spec.hpp"
#include "scan/naive_count_test_support.hpp"

namespace lab::scan {
namespace {

const std::vector<std::uint32_t> kAverages{512, 4096, 65536};

std::vector<std::vector<std::uint64_t>> cuts_of(const std::string& text, std::size_t step) {
  std::vector<std::vector<std::uint64_t>> cuts(kAverages.size());
  const auto finder = make_scalar_cut_finder(kAverages);
  finder->begin_file();
  const auto bytes = std::as_bytes(std::span(text));
  for (std::size_t at = 0; at < bytes.size(); at += step)
    finder->feed(bytes.subspan(at, std::min(step, bytes.size() - at)), cuts);
  return cuts;
}

TEST(ScalarCuts, DoNotDependOnHowTheFileIsGiven) {
  Random random(1);
  const std::string text = mixed_content(random, {random_text(random, 300'000), std::string(600'000, 'x')}) +
                           random_text(random, 400'000);
  const auto whole = cuts_of(text, text.size());
  EXPECT_EQ(cuts_of(text, 1), whole);
  EXPECT_EQ(cuts_of(text, 4097), whole);
}

TEST(ScalarCuts, KeepTheirLimitsAndComeNearTheAverage) {
  Random random(2);
  const std::string text = random_text(random, 8 << 20) + std::string(4 << 20, 'y');
  const auto cuts = cuts_of(text, 1 << 20);
  for (std::size_t i = 0; i < kAverages.size(); ++i) {
    std::uint64_t last = 0;
    std::size_t in_random = 0;
    for (const std::uint64_t cut : cuts[i]) {
      EXPECT_GE(cut - last, cdc_min(kAverages[i]));
      EXPECT_LE(cut - last, cdc_max(kAverages[i]));
      last = cut;
      in_random += cut <= 8 << 20 ? 1 : 0;
    }
    const double average = (8 << 20) / static_cast<double>(in_random);
    EXPECT_GT(average, kAverages[i] * 0.9);
    EXPECT_LT(average, kAverages[i] * 1.6);
  }
}

TEST(ScalarCuts, AreTheSameAgainBehindBytesThatWerePutInFront) {
  Random random(3);
  const std::string text = random_text(random, 1 << 20);
  const auto plain = cuts_of(text, text.size()).front();
  const auto moved = cuts_of("seven b" + text, text.size() + 7).front();
  const std::set<std::uint64_t> found(moved.begin(), moved.end());
  std::size_t same = 0;
  for (const std::uint64_t cut : plain) same += found.contains(cut + 7) ? 1 : 0;
  EXPECT_GT(same, plain.size() * 98 / 100);
}

}  // namespace
}  // namespace lab::scan
