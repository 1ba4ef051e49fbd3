// When the instrument may be believed.
// SPDX-License-Identifier: Apache-2.0
#include "report/controls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

using testing::HasSubstr;

ControlOutcome outcome_of(const RunData& run) {
  const Analysis analysis = analyse(run);
  EXPECT_EQ(analysis.controls.size(), 1U);
  return analysis.controls.empty() ? ControlOutcome{} : analysis.controls.front();
}

RunData controls_with(double eta_files, double eta_cas, bool control = true) {
  RunData run;
  add_pairs(run, {.system = "files", .control = control}, {eta_files, eta_files});
  add_pairs(run, {.system = "cas", .control = control}, {eta_cas, eta_cas});
  return run;
}

TEST(Controls, PassWithinTheirLimitsOnly) {
  struct Case {
    double eta_files, eta_cas;
    bool passes;
  };
  for (const Case& c : {Case{0, 1, true}, Case{0.0199, 0.9501, true}, Case{-0.0199, 1.01, true},
                        Case{0.0201, 1, false}, Case{-0.0201, 1, false}, Case{0, 0.9499, false}}) {
    SCOPED_TRACE(testing::PrintToString(c.eta_files) + " " + testing::PrintToString(c.eta_cas));
    for (const bool named_by_the_plan : {false, true}) {
      const ControlOutcome outcome = outcome_of(controls_with(c.eta_files, c.eta_cas, !named_by_the_plan));
      EXPECT_EQ(outcome.passed, c.passes);
      EXPECT_NEAR(*outcome.eta_files, c.eta_files, 1e-6);
      EXPECT_NEAR(*outcome.eta_cas, c.eta_cas, 1e-6);
      EXPECT_EQ(outcome.grade, "U90");
      EXPECT_EQ(outcome.probe, "files");
      EXPECT_FALSE(outcome.reason.empty());
    }
  }
}

TEST(Controls, AreTheMeanOverTheirPairs) {
  RunData run;
  add_pairs(run, {.system = "files", .control = true}, {0.05, -0.05, 0.01});
  add_pairs(run, {.system = "cas", .control = true}, {0.94, 0.98});
  const ControlOutcome outcome = outcome_of(run);
  EXPECT_TRUE(outcome.passed);
  EXPECT_EQ(outcome.pairs, 2U) << "of the one that has fewer";
  EXPECT_NEAR(*outcome.eta_files, 0.01 / 3, 1e-6);
  EXPECT_NEAR(*outcome.eta_cas, 0.96, 1e-6);
}

TEST(Controls, OfAnotherDuplicateUnitAreNotTheControl) {
  RunData run = controls_with(0, 1);
  for (const int grade : {0, 90}) {
    StageRecord blocks = make_record({.system = "cas", .grade = grade, .repetition = 1});
    blocks.cell.dataset.unit = {.kind = DuplicateUnit::Kind::kBlock, .bytes = 4_KiB};
    add_record(run, blocks);
  }
  const ControlOutcome outcome = outcome_of(run);
  EXPECT_TRUE(outcome.passed) << outcome.reason;
  EXPECT_NEAR(*outcome.eta_cas, 1, 1e-6) << "that blocks are paid in full says nothing of the instrument";
}

TEST(Controls, AMissingOneHasNotPassed) {
  RunData run;
  add_pairs(run, {.system = "files", .control = true}, {0, 0});
  ControlOutcome outcome = outcome_of(run);
  EXPECT_FALSE(outcome.passed);
  EXPECT_FALSE(outcome.eta_cas);
  EXPECT_THAT(outcome.reason, HasSubstr("'cas' has no complete valid pair"));
  add_pairs(run, {.system = "cas", .control = true}, {1, 1});
  for (StageRow& row : run.stages)
    if (row.record.cell.system == "cas") row.record.valid = false;
  outcome = outcome_of(run);
  EXPECT_FALSE(outcome.passed);
  EXPECT_THAT(outcome.reason, HasSubstr("2 pairs refused: not valid"));
}

TEST(Controls, OfSizesThatVaryAreJudgedByFileLengths) {
  for (const bool directory : {false, true}) {
    RunData run = controls_with(0, 1);
    for (StageRow& row : run.stages) {
      if (directory)
        row.record.cell.dataset.payload = "directory:/data/mail";
      else
        row.record.cell.dataset.object_size = {SizeLaw::Kind::kUniform, Bytes{4096}, Bytes{65536}, 0};
      // Whole blocks would say something else.
      row.record.after_bytes["files"] = row.record.empty_bytes["files"] + kLogical;
    }
    const ControlOutcome outcome = outcome_of(run);
    EXPECT_EQ(outcome.probe, "apparent");
    EXPECT_TRUE(outcome.passed) << outcome.reason;
  }
}

TEST(Controls, AreJudgedAtTheHighestGradeOfThePayload) {
  RunData run = controls_with(0, 1);
  // At a lower grade the control is off; that is not what it is asked.
  StageRecord lower =
      make_record({.system = "files", .grade = 50, .repetition = 1, .eta = 0.5, .control = true});
  add_record(run, lower);
  EXPECT_TRUE(outcome_of(run).passed);
  StageRecord higher = make_record({.system = "sqlite", .grade = 99, .repetition = 1});
  add_record(run, higher);
  EXPECT_FALSE(outcome_of(run).passed);
  EXPECT_EQ(outcome_of(run).grade, "U99");
}

TEST(Controls, OneGoodCellHidesNoBadOne) {
  RunData run = controls_with(0, 1, false);
  for (int repetition = 1; repetition <= 2; ++repetition)
    for (const int grade : {0, 90}) {
      StageRecord record =
          make_record({.system = "files", .grade = grade, .repetition = repetition, .eta = -0.3});
      record.cell.dataset.order = Order::kAdjacent;
      add_record(run, record);
    }
  const ControlOutcome outcome = outcome_of(run);
  EXPECT_FALSE(outcome.passed);
  EXPECT_NEAR(*outcome.eta_files, -0.3, 1e-6);
}

TEST(Controls, EveryRunNeedsItsOwn) {
  RunData run = controls_with(0, 1);
  add_record(run, make_record({.grade = 90, .repetition = 1}), 1);
  EXPECT_FALSE(outcome_of(run).passed);
  const std::size_t first_of_second = run.stages.size();
  add_controls(run, "random_binary", 2, 1);
  for (std::size_t row = first_of_second; row < run.stages.size(); ++row) {
    run.stages[row].record.superseded = true;
    run.stages[row].counted_elsewhere = true;
  }
  EXPECT_TRUE(outcome_of(run).passed);
  run.stages.back().record.after_bytes["files"] *= 100;
  EXPECT_FALSE(outcome_of(run).passed);
}

TEST(Controls, WithoutAGradeThereIsNothingToJudge) {
  RunData run;
  add_record(run, make_record({.system = "files"}));
  EXPECT_TRUE(analyse(run).controls.empty());
}

TEST(Controls, OfAPlanWithoutBulkInsertAreJudgedOnTheOtherInsert) {
  RunData run = controls_with(0, 1, false);
  for (StageRow& row : run.stages)
    if (row.record.cell.system == "files") row.record.stage = "perfile_insert";
  EXPECT_TRUE(outcome_of(run).passed) << outcome_of(run).reason;
  for (StageRow& row : run.stages) row.record.stage = "refill";
  EXPECT_FALSE(outcome_of(run).passed);
}

TEST(Controls, OtherVariantsAndStagesAreNotTheControl) {
  RunData run = controls_with(0, 1);
  for (const int grade : {0, 90}) {
    add_record(run, make_record({.system = "files", .variant = "sparse", .grade = grade, .eta = 0.9}));
    StageRecord refill = make_record({.system = "files", .grade = grade, .eta = 0.9});
    refill.stage = "refill";
    add_record(run, refill);
  }
  EXPECT_TRUE(outcome_of(run).passed);
}

}  // namespace
}  // namespace lab::report
