// How often a 95 % interval holds the truth, in 10,000 simulated experiments of five repetitions each.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/random.hpp"
#include "report/statistics.hpp"

namespace lab::report {
namespace {

constexpr int kExperiments = 10'000;
constexpr int kRepetitions = 5;
constexpr double kLogicalBytes = 400.0 * 131'072;

/// One kind of experiment. The truth is known; each size is read with a random error, new in each repetition,
/// and with what the instrument shares.
struct World {
  const char* what = "";
  double eta = 0;      // The truth.
  double spread = 0;   // From run to run, bytes, normal.
  double quantum = 0;  // Sizes are multiples of it: to the nearest one, a uniform error of its width.
  double noise = 0;    // One error an experiment and grade, bytes, normal.
  double residue = 0;  // Last change before a size was read; what is still to go is 0 to 2 of it, shared too.
  bool vary = false;   // L differs by grade and repetition, and U0 has some duplicates itself.
  bool same = false;   // Each repetition has the same sizes, as with objects of one fixed size.
  bool up = false;     // Steps always round up, as an allocator does.
};

/// Standard normal by Box and Muller: the library's distributions differ between implementations.
double normal(Random& random) {
  return std::sqrt(-2 * std::log(1 - random.unit())) * std::cos(2 * std::numbers::pi * random.unit());
}

/// L and U of one grade, whole bytes.
struct Contents {
  std::int64_t logical = 0, unique = 0;
  double share() const { return 1 - static_cast<double>(unique) / static_cast<double>(logical); }
};

Contents draw_contents(const World& world, double grade, Random& random) {
  const double wobble = world.vary ? 0.3 * random.unit() : 0;
  const double logical = kLogicalBytes * (1 + wobble);
  const double distinct = 1 - grade * (world.vary ? 0.9 + 0.1 * random.unit() : 1);
  return {std::llround(logical), std::llround(logical * distinct)};
}

struct Experiment {
  std::vector<double> etas{}, ratios{};
  double uncertainty = 0, relative = 0;  // Of eta, and of the ratio.
};

/// Five repetitions of U0 and U90. `cost` is the price of a stored byte: it puts sizes anywhere within a
/// step.
Experiment perform(const World& world, Random& random) {
  const double u_sys =
      systematic_uncertainty({.quantum = world.quantum, .noise = world.noise, .residue = world.residue});
  const auto share = [&] { return world.noise * normal(random) + 2 * world.residue * random.unit(); };
  const double shared[] = {share(), share()};
  const double fixed_cost = 0.8 + 0.4 * random.unit();
  Experiment experiment;
  const auto stored = [&](const Contents& contents, double cost, double error) {
    const double bytes = cost * static_cast<double>(contents.logical) * (1 - world.eta * contents.share()) +
                         error + world.spread * normal(random);
    if (world.quantum <= 0) return std::llround(bytes);
    const double steps = bytes / world.quantum;
    return std::llround((world.up ? std::ceil(steps) : std::round(steps)) * world.quantum);
  };
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    const double cost = world.same ? fixed_cost : 0.8 + 0.4 * random.unit();
    const Contents original = draw_contents(world, world.vary ? 0.05 : 0, random);
    const Contents graded = draw_contents(world, 0.9, random);
    const std::int64_t b0 = stored(original, cost, shared[0]);
    const std::int64_t bg = stored(graded, cost, shared[1]);
    const auto eta = duplicate_removal_efficiency({original.logical, original.unique, b0, u_sys},
                                                  {graded.logical, graded.unique, bg, u_sys});
    EXPECT_TRUE(eta);
    if (!eta) break;
    experiment.etas.push_back(eta->eta);
    experiment.uncertainty += eta->uncertainty / kRepetitions;
    // The ratio of U0, freed from the cost that this repetition has: its truth is 1.
    const double truth = static_cast<double>(original.logical) /
                         (cost * static_cast<double>(original.logical) * (1 - world.eta * original.share()));
    experiment.ratios.push_back(static_cast<double>(original.logical) / static_cast<double>(b0) / truth);
    experiment.relative += u_sys / static_cast<double>(b0) / kRepetitions;
  }
  return experiment;
}

struct Coverage {
  double eta = 0, edr = 0;
};

Coverage simulate(const World& world, std::uint64_t seed) {
  Random random(seed);
  int eta_held = 0, edr_held = 0;
  const auto holds = [](const Result<Estimate>& interval, double truth) {
    return interval && *interval->low <= truth && truth <= *interval->high ? 1 : 0;
  };
  for (int i = 0; i < kExperiments; ++i) {
    const Experiment experiment = perform(world, random);
    eta_held += holds(estimate(experiment.etas, experiment.uncertainty), world.eta);
    edr_held += holds(estimate_ratio(experiment.ratios, experiment.relative), 1);
  }
  const Coverage coverage{static_cast<double>(eta_held) / kExperiments,
                          static_cast<double>(edr_held) / kExperiments};
  fmt::print("coverage, {}: eta {:.2f} %, EDR {:.2f} %\n", world.what, 100 * coverage.eta,
             100 * coverage.edr);
  testing::Test::RecordProperty("coverage_eta", fmt::format("{:.4f}", coverage.eta));
  testing::Test::RecordProperty("coverage_edr", fmt::format("{:.4f}", coverage.edr));
  return coverage;
}

// Without an allocation step all error is from repetition to repetition: Student's interval is exact but for
// the bend of eta and EDR in the sizes.
TEST(Coverage, OfAnIntervalWithoutAllocationStepsIs94To96Percent) {
  std::uint64_t seed = 20'260'131;
  for (const World& world :
       {World{.what = "no step, eta 0", .eta = 0, .spread = 90'000},
        World{.what = "no step, eta 0.5", .eta = 0.5, .spread = 90'000},
        World{.what = "no step, eta 1", .eta = 1, .spread = 90'000},
        World{.what = "no step, eta 0.4, sizes vary", .eta = 0.4, .spread = 90'000, .vary = true},
        World{.what = "no step, eta 0.5, wide spread", .eta = 0.5, .spread = 600'000}}) {
    SCOPED_TRACE(world.what);
    const Coverage coverage = simulate(world, ++seed);
    EXPECT_GE(coverage.eta, 0.94);
    EXPECT_LE(coverage.eta, 0.96);
    EXPECT_GE(coverage.edr, 0.94);
    EXPECT_LE(coverage.edr, 0.96);
  }
}

TEST(Coverage, OfAnIntervalWithAllocationStepsIsAtLeast94Percent) {
  constexpr double kStep = 131'072;
  std::uint64_t seed = 20'260'231;
  for (const World& world :
       {World{.what = "step alone, eta 0", .eta = 0, .quantum = kStep},
        World{.what = "step alone, eta 0.5", .eta = 0.5, .quantum = kStep},
        World{.what = "step alone, eta 1", .eta = 1, .quantum = kStep},
        World{.what = "step alone, five equal sizes", .eta = 0.5, .quantum = kStep, .same = true},
        World{.what = "step and a spread of a fifth",
              .eta = 0.4,
              .spread = kStep / 5,
              .quantum = kStep,
              .same = true},
        World{.what = "step and a spread like it", .eta = 0.4, .spread = kStep, .quantum = kStep},
        World{.what = "step and three times its spread", .eta = 0.4, .spread = 3 * kStep, .quantum = kStep},
        World{.what = "step and spread, sizes vary",
              .eta = 0.4,
              .spread = kStep,
              .quantum = kStep,
              .vary = true}}) {
    SCOPED_TRACE(world.what);
    const Coverage coverage = simulate(world, ++seed);
    EXPECT_GE(coverage.eta, 0.94);
    EXPECT_GE(coverage.edr, 0.94);
  }
}

// A step that always rounds up makes each size too large by half of it on average, which the interval does
// not know: near eta 1, and of EDR, it holds the truth less often, as the documentation says. What it misses
// by is less than a step.
TEST(Coverage, WhereStepsAlwaysRoundUpTheMissIsLessThanAStep) {
  constexpr double kStep = 131'072;
  std::uint64_t seed = 20'260'531;
  for (const World& world :
       {World{.what = "steps up, eta 0", .eta = 0, .quantum = kStep, .same = true, .up = true},
        World{.what = "steps up, eta 0.5", .eta = 0.5, .quantum = kStep, .same = true, .up = true},
        World{.what = "steps up, eta 1", .eta = 1, .quantum = kStep, .same = true, .up = true}}) {
    SCOPED_TRACE(world.what);
    const Coverage coverage = simulate(world, ++seed);
    EXPECT_GE(coverage.eta, world.eta == 0 ? 0.94 : 0.5);
    Random random(seed);
    for (int i = 0; i < 1'000; ++i) {
      const auto interval = estimate(perform(world, random).etas, 0);
      ASSERT_TRUE(interval);
      // The smallest size of U0 is 0.8 L; eta is per duplicate byte, of which there are 0.9.
      EXPECT_LT(std::abs(interval->mean - world.eta), kStep / (0.8 * kLogicalBytes * 0.9));
    }
  }
}

// An error that each repetition makes in the same way must not be divided by the root of their number.
TEST(Coverage, OfAnIntervalWithANoiseFloorIsAtLeast94Percent) {
  std::uint64_t seed = 20'260'331;
  for (const World& world : {World{.what = "noise alone", .eta = 0.4, .noise = 60'000},
                             World{.what = "noise and spread", .eta = 0.4, .spread = 90'000, .noise = 60'000},
                             World{.what = "noise, step and spread",
                                   .eta = 0.4,
                                   .spread = 60'000,
                                   .quantum = 131'072,
                                   .noise = 60'000}}) {
    SCOPED_TRACE(world.what);
    const Coverage coverage = simulate(world, ++seed);
    EXPECT_GE(coverage.eta, 0.94);
    EXPECT_GE(coverage.edr, 0.94);
  }
}

// A size that is read before all has gone that will go is too large by an unknown part of its last change.
TEST(Coverage, OfAnIntervalWithASettleResidueIsAtLeast94Percent) {
  std::uint64_t seed = 20'260'531;
  for (const World& world :
       {World{.what = "residue alone", .eta = 0.4, .residue = 60'000},
        World{.what = "residue and spread", .eta = 0.4, .spread = 60'000, .residue = 60'000},
        World{.what = "residue, noise, step and spread",
              .eta = 0.4,
              .spread = 60'000,
              .quantum = 131'072,
              .noise = 60'000,
              .residue = 60'000}}) {
    SCOPED_TRACE(world.what);
    const Coverage coverage = simulate(world, ++seed);
    EXPECT_GE(coverage.eta, 0.94);
    EXPECT_GE(coverage.edr, 0.94);
  }
}

// The claim can fail: the plain interval of Student, without the systematic part, holds the truth too rarely.
TEST(Coverage, WithoutTheSystematicPartIsTooLow) {
  Random random(20'260'431);
  const World world{.what = "noise and spread", .eta = 0.4, .spread = 90'000, .noise = 60'000};
  int held = 0;
  for (int i = 0; i < 2'000; ++i) {
    const auto interval = estimate(perform(world, random).etas, 0);
    held += interval && *interval->low <= world.eta && world.eta <= *interval->high ? 1 : 0;
  }
  EXPECT_LT(held, 2'000 * 0.90);
}

}  // namespace
}  // namespace lab::report
