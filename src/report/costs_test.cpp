// What a copy costs: known lines give known prices, and what has no line has no price.
// SPDX-License-Identifier: Apache-2.0
#include "report/costs.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

constexpr double kFixed = 64'000;  // Bytes that no object adds to.

/// Repetitions of U0, U50 and U90 in which an original takes `original` bytes and ms, a duplicate `copy`.
RunData run_of(int repetitions, double original, double copy) {
  RunData run;
  for (int repetition = 1; repetition <= repetitions; ++repetition)
    for (const int grade : {0, 50, 90}) {
      StageRecord record = make_record({.grade = grade, .repetition = repetition});
      const auto distinct = static_cast<double>(record.unique_objects);
      const double duplicates = static_cast<double>(kObjects) - distinct;
      const double sum = original * distinct + copy * duplicates;
      record.after_bytes["files"] = kEmptyBytes + static_cast<std::int64_t>(kFixed + sum);
      record.empty_bytes["files:log"] = 0;
      record.after_bytes["files:log"] = static_cast<std::int64_t>(sum / 10) + std::int64_t{100} * repetition;
      record.duration_seconds = sum / 1000;
      record.client_cpu_seconds = sum / 4000;
      add_record(run, record);
    }
  return run;
}

const CopyCost& cost_in(const Analysis& analysis, const std::string& quantity) {
  const Group& group = group_of(analysis, "sqlite", "U0");
  for (const CopyCost& cost : group.costs)
    if (cost.quantity == quantity) return cost;
  ADD_FAILURE() << "no cost " << quantity;
  static const CopyCost kNone;
  return kNone;
}

TEST(CopyCost, IsReadOffTheLineThroughTheGrades) {
  const Analysis analysis = analyse(run_of(5, 132'000, 33'000));
  const CopyCost& bytes = cost_in(analysis, "stored_bytes:files");
  ASSERT_TRUE(bytes.copy && bytes.original && bytes.difference);
  EXPECT_NEAR(bytes.copy->mean, 33'000 + kFixed / kObjects, 1);
  EXPECT_NEAR(bytes.original->mean, 132'000 + kFixed / kObjects, 1);
  EXPECT_NEAR(bytes.difference->mean, 33'000 - 132'000, 1);
  EXPECT_EQ(bytes.unit, "bytes");
  EXPECT_EQ(bytes.copy->n, 5U);
  EXPECT_EQ(bytes.objects, static_cast<std::uint64_t>(kObjects));
  EXPECT_EQ(bytes.grades, (std::vector<std::string>{"U0", "U50", "U90"}));
  EXPECT_NEAR(cost_in(analysis, "stored_bytes:files:log").copy->mean, 3'300 + 300.0 / kObjects, 1);
  EXPECT_NEAR(cost_in(analysis, "duration_seconds").copy->mean, 33, 1e-9);
  EXPECT_NEAR(cost_in(analysis, "client_cpu_seconds").difference->mean, -99.0 / 4, 1e-9);
}

TEST(CopyCost, SizesHaveTheirSystematicPartAndTimesHaveNone) {
  RunData run = run_of(5, 132'000, 132'000);
  for (StageRow& row : run.stages) row.record.noise_bytes["files"] = 10'000;
  const Analysis analysis = analyse(run);
  const CopyCost& bytes = cost_in(analysis, "stored_bytes:files");
  // x = 0, 200, 360 of N = 400: c = 1/3 + (x - 186.67)(400 - 186.67)/64853 of y, divided by N.
  EXPECT_NEAR(bytes.u_copy.value(), 10'000 * std::sqrt(1.0 / 3 + 213.3333 * 213.3333 / 65'066.6667) / 400,
              0.01);
  EXPECT_NEAR(bytes.u_difference.value(), 10'000 / std::sqrt(65'066.6667), 0.01);
  EXPECT_NEAR(*bytes.copy->high - bytes.copy->mean, 1.96 * bytes.u_copy.value(), 1e-6);
  const CopyCost& seconds = cost_in(analysis, "duration_seconds");
  EXPECT_EQ(seconds.u_copy, 0);
}

TEST(CopyCost, OfAProbeWhoseNoiseFloorWasNotMeasuredHasNoInterval) {
  RunData run = run_of(5, 132'000, 33'000);
  run.stages.back().record.noise_bytes.erase("files");
  const Analysis analysis = analyse(run);
  const CopyCost& bytes = cost_in(analysis, "stored_bytes:files");
  ASSERT_TRUE(bytes.copy);
  EXPECT_NEAR(bytes.copy->mean, 33'000 + kFixed / kObjects, 1);
  for (const auto* figure : {&bytes.original, &bytes.copy, &bytes.difference}) {
    EXPECT_FALSE((*figure)->low || (*figure)->high);
    EXPECT_EQ((*figure)->no_interval, "noise floor not measured");
  }
  EXPECT_FALSE(bytes.u_copy || bytes.u_difference);
  const CopyCost& seconds = cost_in(analysis, "duration_seconds");
  EXPECT_TRUE(seconds.copy->low) << "a time has no noise floor to miss";
  EXPECT_EQ(seconds.u_copy, 0);
}

TEST(CopyCost, ABlockWithoutAllItsGradesGivesNoLine) {
  RunData run = run_of(5, 132'000, 33'000);
  run.stages.back().record.valid = false;  // U90 of the last repetition.
  run.stages[0].record.missing["files"] = "unsettled";
  const Analysis analysis = analyse(run);
  const CopyCost& bytes = cost_in(analysis, "stored_bytes:files");
  ASSERT_TRUE(bytes.copy);
  EXPECT_EQ(bytes.copy->n, 3U);
  EXPECT_EQ(bytes.refused.at("not every grade is a valid pair"), 1U);
  EXPECT_EQ(bytes.refused.at("unsettled"), 1U);
  EXPECT_EQ(cost_in(analysis, "duration_seconds").copy->n, 4U);
}

TEST(CopyCost, WithoutAnyLineIsAbsentWithItsReason) {
  RunData run = run_of(2, 132'000, 33'000);
  for (StageRow& row : run.stages) row.record.missing["files:log"] = "the log is elsewhere";
  const Analysis analysis = analyse(run);
  const CopyCost& log = cost_in(analysis, "stored_bytes:files:log");
  EXPECT_FALSE(log.copy);
  EXPECT_FALSE(log.original);
  EXPECT_EQ(log.refused.at("the log is elsewhere"), 2U);
}

TEST(CopyCost, OfAnotherUnitThanWholeObjectsIsAbsentWithItsReason) {
  RunData run = run_of(5, 132'000, 33'000);
  for (auto& row : run.stages)
    row.record.cell.dataset.unit = {.kind = DuplicateUnit::Kind::kChanged, .bytes = Bytes{1}};
  const Analysis analysis = analyse(run);
  const CopyCost& bytes = cost_in(analysis, "stored_bytes:files");
  EXPECT_FALSE(bytes.copy || bytes.original || bytes.difference);
  ASSERT_EQ(bytes.refused.size(), 1U);
  EXPECT_EQ(bytes.refused.begin()->first, "no object is a whole copy: duplicate_unit is changed:1");
}

TEST(CopyCost, OfOneRepetitionHasNoInterval) {
  const Analysis analysis = analyse(run_of(1, 132'000, 33'000));
  const CopyCost& bytes = cost_in(analysis, "stored_bytes:files");
  ASSERT_TRUE(bytes.copy);
  EXPECT_FALSE(bytes.copy->low);
  EXPECT_EQ(bytes.copy->no_interval, "one repetition");
}

TEST(CopyCost, IsOfInsertingStagesWithGradesOnly) {
  RunData lone;
  add_record(lone, make_record({}));
  EXPECT_TRUE(group_of(analyse(lone), "sqlite", "U0").costs.empty());
  RunData deleted = run_of(2, 132'000, 33'000);
  for (StageRow& row : deleted.stages) row.record.stage = "perfile_delete";
  EXPECT_TRUE(group_of(analyse(deleted), "sqlite", "U0", "perfile_delete").costs.empty());
}

}  // namespace
}  // namespace lab::report
