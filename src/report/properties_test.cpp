// Laws that hold for all sizes: what eta ignores, what widens its interval, what changes nothing.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "report/statistics.hpp"
#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

/// A pair with L, U at both grades and B at both, all plausible.
struct Sizes {
  std::int64_t logical = 0, unique = 0, stored_u0 = 0, stored_ug = 0;
};

Sizes any_sizes() {
  Sizes sizes;
  sizes.logical = *rc::gen::inRange<std::int64_t>(1'000'000, 1'000'000'000'000);
  sizes.unique = sizes.logical * *rc::gen::inRange<std::int64_t>(1, 96) / 100;
  sizes.stored_u0 = *rc::gen::inRange<std::int64_t>(100'000, 4 * sizes.logical);
  sizes.stored_ug = *rc::gen::inRange<std::int64_t>(100'000, 4 * sizes.logical);
  return sizes;
}

double eta_of(const Sizes& sizes) {
  const auto eta = duplicate_removal_efficiency({sizes.logical, sizes.logical, sizes.stored_u0, 0},
                                                {sizes.logical, sizes.unique, sizes.stored_ug, 0});
  RC_ASSERT(eta.has_value());
  return eta->eta;
}

template <class Law>
void holds(const char* name, Law law) {
  EXPECT_TRUE(rc::check(name, law)) << name;
}

TEST(Properties, EtaIsZeroWhereEveryByteCostsTheSame) {
  holds("B / L equal at both grades", [] {
    Sizes sizes = any_sizes();
    sizes.stored_ug = sizes.stored_u0;
    RC_ASSERT(eta_of(sizes) == 0);
  });
}

TEST(Properties, EtaIsOneWhereOnlyDistinctBytesCost) {
  holds("B proportional to U", [] {
    Sizes sizes = any_sizes();
    const auto factor = *rc::gen::inRange<std::int64_t>(1, 5);
    sizes.stored_u0 = sizes.logical * factor;
    sizes.stored_ug = sizes.unique * factor;
    RC_ASSERT(std::abs(eta_of(sizes) - 1) < 1e-9);
  });
}

TEST(Properties, CompressionCancelsInEtaAndNotInEdr) {
  holds("both sizes divided by one factor", [] {
    Sizes sizes = any_sizes();
    const auto factor = *rc::gen::inRange<std::int64_t>(2, 20);
    sizes.stored_u0 *= factor;
    sizes.stored_ug *= factor;
    Sizes compressed = sizes;
    compressed.stored_u0 /= factor;
    compressed.stored_ug /= factor;
    RC_ASSERT(std::abs(eta_of(sizes) - eta_of(compressed)) < 1e-9 * (1 + std::abs(eta_of(sizes))));
    const auto plain = effective_dedup_ratio({sizes.logical, sizes.stored_ug, 1, true});
    const auto small = effective_dedup_ratio({sizes.logical, compressed.stored_ug, 1, true});
    RC_ASSERT(std::abs(*small / *plain - static_cast<double>(factor)) < 1e-9 * static_cast<double>(factor));
  });
}

TEST(Properties, EtaFallsAsTheGradeCostsMore) {
  holds("monotone in B(Ug)", [] {
    Sizes sizes = any_sizes();
    Sizes dearer = sizes;
    dearer.stored_ug += *rc::gen::inRange<std::int64_t>(1, 1'000'000);
    RC_ASSERT(eta_of(dearer) < eta_of(sizes));
  });
}

TEST(Properties, NoiseWidensTheIntervalAndMovesNothing) {
  holds("wider with u", [] {
    const auto values = *rc::gen::container<std::vector<int>>(5, rc::gen::inRange(-1000, 1000));
    std::vector<double> etas;
    for (const int value : values) etas.push_back(value / 1000.0);
    const double less = *rc::gen::inRange(0, 1000) / 1e4;
    const double more = less + *rc::gen::inRange(1, 1000) / 1e4;
    const auto narrow = estimate(etas, less);
    const auto wide = estimate(etas, more);
    RC_ASSERT(narrow->mean == wide->mean);
    RC_ASSERT(*wide->high - *wide->low > *narrow->high - *narrow->low);
    RC_ASSERT(*narrow->low <= narrow->mean && narrow->mean <= *narrow->high);
  });
}

TEST(Properties, AVerdictWordAgreesWithItsInterval) {
  holds("words are disjoint", [] {
    const double low = *rc::gen::inRange(-2000, 2000) / 1000.0;
    const double high = low + *rc::gen::inRange(0, 2000) / 1000.0;
    const VerdictWord word = judge({.mean = (low + high) / 2, .low = low, .high = high, .n = 5}).word;
    RC_ASSERT((word == VerdictWord::kNone) == (low > -0.02 && high < 0.02));
    RC_ASSERT((word == VerdictWord::kFull) == (low > 0.95));
    RC_ASSERT((word == VerdictWord::kPartial) == (low >= 0.02 && high <= 0.95));
  });
}

TEST(Properties, TheOrderOfRecordsDoesNotMatter) {
  holds("permutation", [] {
    RunData run;
    add_controls(run);
    const auto values = *rc::gen::container<std::vector<int>>(6, rc::gen::inRange(-1000, 1000));
    std::vector<double> etas;
    for (const int value : values) etas.push_back(value / 1000.0);
    add_pairs(run, {.noise = 1000}, etas);
    RunData shuffled = run;
    const auto swaps = *rc::gen::container<std::vector<std::size_t>>(
        40, rc::gen::inRange<std::size_t>(0, run.stages.size()));
    for (std::size_t i = 0; i + 1 < swaps.size(); i += 2)
      std::swap(shuffled.stages[swaps[i]], shuffled.stages[swaps[i + 1]]);
    const Analysis first_analysis = analyse(run);
    const Analysis second_analysis = analyse(shuffled);
    const Verdict& first = verdict_of(first_analysis, "sqlite");
    const Verdict& second = verdict_of(second_analysis, "sqlite");
    RC_ASSERT(first.eta == second.eta);
    RC_ASSERT(first.low == second.low);
    RC_ASSERT(first.high == second.high);
    RC_ASSERT(first.word == second.word);
    RC_ASSERT(group_of(first_analysis, "sqlite").edr.at("files").mean ==
              group_of(second_analysis, "sqlite").edr.at("files").mean);
  });
}

TEST(Properties, CopiesAreCountedOnce) {
  holds("edr = n * edr_cluster for all copies, and for one", [] {
    const Sizes sizes = any_sizes();
    const double copies = *rc::gen::inRange(10, 60) / 10.0;
    const bool all = *rc::gen::arbitrary<bool>();
    const auto edr = effective_dedup_ratio({sizes.logical, sizes.stored_u0, copies, all});
    const auto cluster = cluster_dedup_ratio({sizes.logical, sizes.stored_u0, copies, all});
    RC_ASSERT(std::abs(*edr / *cluster - copies) < 1e-9 * copies);
  });
}

}  // namespace
}  // namespace lab::report
