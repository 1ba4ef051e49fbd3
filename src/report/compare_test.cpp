// What changed between two runs, and when that is too much.
// SPDX-License-Identifier: Apache-2.0
#include "report/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

using testing::HasSubstr;

RunData run_of(const std::vector<double>& etas, double cost = 1, const std::string& system = "sqlite") {
  RunData run;
  add_controls(run);
  add_pairs(run, {.system = system, .cost = cost}, etas);
  return run;
}

Comparison compared(const RunData& first, const RunData& second,
                    const std::vector<Threshold>& thresholds = {}) {
  return compare(first, analyse(first), second, analyse(second), thresholds);
}

const Difference& difference_of(const Comparison& comparison, const std::string& metric,
                                const std::string& grade) {
  for (const Difference& difference : comparison.differences)
    if (difference.metric == metric && difference.point.find(grade) != std::string::npos &&
        (difference.probe == "files" || difference.probe.empty()))
      return difference;
  ADD_FAILURE() << "no difference " << metric << " " << grade;
  static const Difference kNone;
  return kNone;
}

std::vector<Threshold> thresholds_of(const char* text) {
  const auto thresholds = parse_thresholds(text);
  EXPECT_TRUE(thresholds) << thresholds.error().text();
  return thresholds ? *thresholds : std::vector<Threshold>{};
}

TEST(Thresholds, AreReadAsWritten) {
  const auto thresholds =
      thresholds_of("eta<0.01, change.edr <= -0.05,duration_seconds>=2.5,stored_bytes>1e6");
  ASSERT_EQ(thresholds.size(), 4U);
  EXPECT_EQ(thresholds[0].metric, "eta");
  EXPECT_FALSE(thresholds[0].of_change);
  EXPECT_EQ(thresholds[0].op, "<");
  EXPECT_EQ(thresholds[0].value, 0.01);
  EXPECT_EQ(thresholds[1].metric, "edr");
  EXPECT_TRUE(thresholds[1].of_change);
  EXPECT_EQ(thresholds[1].op, "<=");
  EXPECT_EQ(thresholds[1].value, -0.05);
  EXPECT_EQ(thresholds[2].op, ">=");
  EXPECT_EQ(thresholds[3].value, 1e6);
}

TEST(Thresholds, RefuseWhatTheyDoNotKnow) {
  for (const char* text : {"", " ", "eta", "eta=1", "etta<1", "eta<", "eta<x", "eta<1x", "eta<nan", "eta<inf",
                           "<0.1", "eta<0.1,", "changed.eta<1"}) {
    SCOPED_TRACE(text);
    const auto thresholds = parse_thresholds(text);
    ASSERT_FALSE(thresholds);
    EXPECT_EQ(thresholds.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_THAT(parse_thresholds("etta<1").error().detail, HasSubstr("did you mean 'eta'"));
}

TEST(Compare, FindsNoChangeBetweenARunAndItself) {
  const RunData run = run_of({0.5, 0.52, 0.48});
  for (const Difference& difference : compared(run, run).differences) {
    EXPECT_FALSE(difference.only_in_first || difference.only_in_second);
    ASSERT_TRUE(difference.change);
    EXPECT_NEAR(*difference.change, 0, 1e-12);
    EXPECT_LE(*difference.low, 0);
    EXPECT_GE(*difference.high, 0);
  }
}

TEST(Compare, GivesEtaADifferenceAndSizesAShare) {
  const Comparison comparison = compared(run_of({0, 0, 0}), run_of({0.5, 0.5, 0.5}, 2));
  const Difference& eta = difference_of(comparison, "eta", "U90");
  EXPECT_NEAR(*eta.before, 0, 1e-6);
  EXPECT_NEAR(*eta.after, 0.5, 1e-6);
  EXPECT_NEAR(*eta.change, 0.5, 1e-6);
  const Difference& stored = difference_of(comparison, "stored_bytes", "U0");
  EXPECT_NEAR(*stored.change, 1, 1e-9);
  EXPECT_NEAR(*difference_of(comparison, "edr", "U0").change, -0.5, 1e-9);
  EXPECT_EQ(difference_of(comparison, "duration_seconds", "U0").before, 2.0);
  EXPECT_EQ(eta.point, "sqlite/default random_binary U90 bulk_insert");
}

TEST(Compare, HasNoIntervalOfOneRepetition) {
  const Comparison comparison = compared(run_of({0.1}), run_of({0.2, 0.2}));
  const Difference& eta = difference_of(comparison, "eta", "U90");
  EXPECT_TRUE(eta.change);
  EXPECT_FALSE(eta.low);
  EXPECT_FALSE(eta.high);
}

TEST(Compare, HasNoIntervalOfSizesWhoseNoiseFloorWasNotMeasured) {
  const RunData first = run_of({0, 0});
  RunData second = run_of({0, 0}, 2);
  for (StageRow& row : second.stages)
    if (row.record.cell.dataset.grade == 0 && !row.record.cell.control) row.record.noise_bytes.clear();
  const Comparison comparison = compared(first, second);
  for (const char* metric : {"edr", "stored_bytes"}) {
    SCOPED_TRACE(metric);
    const Difference& unknown = difference_of(comparison, metric, "U0");
    EXPECT_TRUE(unknown.change);
    EXPECT_FALSE(unknown.low || unknown.high);
    EXPECT_EQ(unknown.no_interval, "noise floor not measured");
    EXPECT_TRUE(difference_of(comparison, metric, "U90").low);
  }
  EXPECT_TRUE(difference_of(comparison, "duration_seconds", "U0").low);
  EXPECT_THAT(comparison_text(comparison),
              HasSubstr("stored_bytes:files: 5.24288e+07 -> 1.04858e+08, +100.00 % (no interval: noise floor "
                        "not measured)"));
  const auto parsed = nlohmann::json::parse(comparison_json(comparison));
  EXPECT_EQ(std::count_if(parsed["differences"].begin(), parsed["differences"].end(),
                          [](const auto& one) {
                            return one.contains("no_interval") && !one.contains("low") &&
                                   one["no_interval"] == "noise floor not measured";
                          }),
            4);  // Two figures, two probes.
}

TEST(Compare, KeepsWhatOnlyOneRunHas) {
  const Comparison comparison = compared(run_of({0, 0}), run_of({0, 0}, 1, "lmdb"));
  int only_first = 0;
  int only_second = 0;
  for (const Difference& difference : comparison.differences) {
    EXPECT_NE(difference.only_in_first, difference.only_in_second);
    EXPECT_FALSE(difference.change);
    only_first += difference.only_in_first ? 1 : 0;
    only_second += difference.only_in_second ? 1 : 0;
  }
  EXPECT_GT(only_first, 0);
  EXPECT_EQ(only_first, only_second);
}

TEST(Compare, NoLogarithmOfNothing) {
  RunData first = run_of({0, 0});
  for (StageRow& row : first.stages) row.record.after_bytes["files"] = row.record.empty_bytes["files"];
  const Comparison comparison = compared(first, run_of({0, 0}));
  const Difference& stored = difference_of(comparison, "stored_bytes", "U0");
  EXPECT_EQ(stored.before, 0.0);
  EXPECT_FALSE(stored.change);
}

TEST(Compare, BreaksAThresholdAtAnyPoint) {
  const RunData first = run_of({0.5, 0.5});
  const RunData second = run_of({0.1, 0.1}, 1.2);
  struct Case {
    const char* text;
    std::size_t broken;
  };
  for (const Case& c :
       {Case{"eta<0.2", 1}, Case{"eta<0.05", 0}, Case{"change.eta<-0.3", 1}, Case{"eta>=0.2", 0},
        Case{"change.stored_bytes>0.1", 2}, Case{"change.duration_seconds>0.1", 0}, Case{"edr<100", 2},
        Case{"eta<0.2,edr<100", 3}}) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(compared(first, second, thresholds_of(c.text)).broken.size(), c.broken);
  }
}

TEST(Compare, AFigureThatWasLostBreaksItsThreshold) {
  const RunData first = run_of({0.5, 0.5});
  RunData second = run_of({0.5, 0.5});
  for (StageRow& row : second.stages) row.record.valid = false;
  const auto broken = compared(first, second, thresholds_of("eta<0.01")).broken;
  ASSERT_EQ(broken.size(), 2U);
  EXPECT_THAT(broken[0], HasSubstr("no figure in the second run"));
  EXPECT_THAT(broken[1], HasSubstr("no matrix point of the second run has that figure"));
}

TEST(Compare, APointThatTheSecondPlanHasNotIsNoLoss) {
  RunData first = run_of({0.5, 0.5});
  add_pairs(first, {.system = "lmdb"}, {0.5, 0.5});
  EXPECT_TRUE(compared(first, run_of({0.5, 0.5}), thresholds_of("eta<0.01")).broken.empty());
}

TEST(Compare, TellsPointsApartByWhatVaries) {
  RunData run = run_of({0, 0});
  for (int repetition = 1; repetition <= 2; ++repetition)
    for (const int grade : {0, 90}) {
      StageRecord record = make_record({.grade = grade, .repetition = repetition});
      record.cell.dataset.order = Order::kAdjacent;
      add_record(run, record);
    }
  const Comparison comparison = compared(run, run);
  EXPECT_EQ(difference_of(comparison, "eta", "order=adjacent").point,
            "sqlite/default random_binary U90 bulk_insert order=adjacent");
  EXPECT_FALSE(difference_of(comparison, "eta", "order=shuffled").only_in_first);
}

TEST(Compare, PrintsForPeopleAndScripts) {
  const Comparison comparison =
      compared(run_of({0.5, 0.5}), run_of({0.1, 0.1}), thresholds_of("change.eta<-0.3"));
  EXPECT_THAT(comparison_text(comparison), HasSubstr("eta:files: 0.5 -> 0.1, -0.4000 [-0.4000, -0.4000]"));
  EXPECT_THAT(comparison_text(comparison), HasSubstr("broken: change.eta<-0.3"));
  const auto parsed = nlohmann::json::parse(comparison_json(comparison));
  EXPECT_EQ(parsed["broken"].size(), 1U);
  EXPECT_EQ(parsed["differences"].size(), comparison.differences.size());
}

}  // namespace
}  // namespace lab::report
