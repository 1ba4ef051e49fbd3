// Latency over runs: intervals from ten runs on, blanks where a run is too short, and how far a grade lies.
// SPDX-License-Identifier: Apache-2.0
#include "report/latency.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "report/resampling.hpp"
#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

using testing::HasSubstr;

/// Repetitions of U0 and U90 of perfile_insert; p50 is 100 + repetition at U0, `slower` more at U90.
RunData run_of(int repetitions, double slower) {
  RunData run;
  run.info.seed = 42;
  for (int repetition = 1; repetition <= repetitions; ++repetition)
    for (const int grade : {0, 90}) {
      StageRecord record = make_record({.grade = grade, .repetition = repetition});
      record.chain = record.stage = "perfile_insert";
      const double p50 = 100 + repetition + (grade == 0 ? 0 : slower);
      record.latency = {.count = 400, .values_us = {{"p50", p50}, {"p90", 2 * p50}, {"p99", 9 * p50}}};
      add_record(run, record);
    }
  return run;
}

const LatencyFigure& figure_in(const Analysis& analysis, const std::string& percentile,
                               const std::string& grade = "U90") {
  return group_of(analysis, "sqlite", grade, "perfile_insert").latencies.at(percentile);
}

TEST(Latency, HasTheMedianOverRunsAndItsInterval) {
  const Analysis analysis = analyse(run_of(11, 1));
  const LatencyFigure& p50 = figure_in(analysis, "p50");
  EXPECT_EQ(p50.n, 11U);
  EXPECT_DOUBLE_EQ(*p50.median_us, 107);
  ASSERT_TRUE(p50.low && p50.high);
  EXPECT_LT(*p50.low, 107);
  EXPECT_GT(*p50.high, 107);
  EXPECT_GE(*p50.low, 102);
  EXPECT_LE(*p50.high, 112);
  EXPECT_TRUE(p50.missing.empty());
}

TEST(Latency, HasNoIntervalOfFewerThanTenRuns) {
  const Analysis analysis = analyse(run_of(9, 1));
  const LatencyFigure& p50 = figure_in(analysis, "p50");
  EXPECT_TRUE(p50.median_us);
  EXPECT_FALSE(p50.low);
  EXPECT_FALSE(p50.high);
  EXPECT_FALSE(p50.cliffs_delta);
  EXPECT_EQ(p50.missing, "n too small: 9 runs, an interval of latencies needs 10");
}

TEST(Latency, APercentileThatOneRunCannotCarryIsBlank) {
  RunData run = run_of(10, 1);
  run.stages.back().record.latency.values_us.erase("p99");
  const Analysis analysis = analyse(run);
  const LatencyFigure& p99 = figure_in(analysis, "p99");
  EXPECT_FALSE(p99.median_us);
  EXPECT_FALSE(p99.low);
  EXPECT_THAT(p99.missing, HasSubstr("n too small: 1 of 10 repetitions"));
  EXPECT_FALSE(figure_in(analysis, "p99.9").median_us) << "no run has it";
  EXPECT_TRUE(figure_in(analysis, "p90").low);
}

TEST(Latency, CliffsDeltaSaysHowOftenAGradeIsSlower) {
  EXPECT_DOUBLE_EQ(*figure_in(analyse(run_of(10, 20)), "p50").cliffs_delta, 1);
  EXPECT_DOUBLE_EQ(*figure_in(analyse(run_of(10, 0)), "p50").cliffs_delta, 0);
  EXPECT_DOUBLE_EQ(*figure_in(analyse(run_of(10, -20)), "p50").cliffs_delta, -1);
  EXPECT_FALSE(figure_in(analyse(run_of(10, 20)), "p50", "U0").cliffs_delta) << "U0 against itself";
}

TEST(Latency, TheSameSeedGivesTheSameIntervalAndIsStored) {
  RunData run = run_of(12, 3);
  const Analysis first = analyse(run), again = analyse(run);
  EXPECT_EQ(figure_in(first, "p50").low, figure_in(again, "p50").low);
  EXPECT_EQ(first.bootstrap_seed, bootstrap_seed(run));
  run.info.seed = 43;
  EXPECT_NE(analyse(run).bootstrap_seed, first.bootstrap_seed);
}

TEST(Latency, OfAStageWithoutSingleOperationsIsNothing) {
  RunData run;
  add_pairs(run, {}, {0, 0});
  EXPECT_TRUE(group_of(analyse(run), "sqlite").latencies.empty());
}

TEST(BootstrapMedian, RefusesTooFewRunsAndWhatIsNoNumber) {
  EXPECT_FALSE(bootstrap_median(std::vector<double>(9, 1.0), 1));
  std::vector<double> values(10, 1.0);
  EXPECT_TRUE(bootstrap_median(values, 1));
  values[3] = std::nan("");
  EXPECT_FALSE(bootstrap_median(values, 1));
}

TEST(BootstrapMedian, LiesWithinTheValuesAndHoldsTheirMedian) {
  const std::vector<double> values{5, 1, 4, 9, 2, 8, 7, 3, 6, 10, 30};
  const auto interval = bootstrap_median(values, 7);
  ASSERT_TRUE(interval);
  EXPECT_DOUBLE_EQ(interval->median, 6);
  EXPECT_LE(interval->low, 6);
  EXPECT_GE(interval->high, 6);
  EXPECT_GE(interval->low, 1);
  EXPECT_LE(interval->high, 30);
  EXPECT_LT(interval->low, interval->high);
}

TEST(Median, OfAnEvenNumberIsTheMeanOfTheTwoInTheMiddle) {
  EXPECT_DOUBLE_EQ(*median_of(std::vector<double>{4, 1, 3, 2}), 2.5);
  EXPECT_DOUBLE_EQ(*median_of(std::vector<double>{4}), 4);
  EXPECT_FALSE(median_of({}));
}

}  // namespace
}  // namespace lab::report
