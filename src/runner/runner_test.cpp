// SPDX-License-Identifier: Apache-2.0
#include "runner/runner.hpp"

#include <algorithm>
#include <set>

#include "core/log.hpp"
#include "runner/testing/run_fixture.hpp"

namespace lab {
namespace {

constexpr std::size_t kStages = 2 * 2 * 2 * 3;  // Systems, grades, repetitions, stages of both chains.

// A system's first cell is the warm-up, whose records are discarded: calls of a driver in one cell.
constexpr std::uint64_t kPutsOfACell = 6;        // Objects of the one chain with single inserts.
constexpr std::uint64_t kProvesOfACell = 3 * 2;  // Before each stage, and as its first step.

TEST_F(RunFixture, EveryCellChainAndStageHasExactlyOneRecordThatCounts) {
  const auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->end, RunEnd::kComplete);
  EXPECT_EQ(figures().size(), kStages);
  EXPECT_TRUE(records(true).empty());
}

TEST_F(RunFixture, ASecondRunOverAFinishedDirectoryDoesNothing) {
  ASSERT_TRUE(run());
  const auto before = figures();
  faults({{.operation = "open", .code = ErrorCode::kInternal}});  // Any cell would fail now.
  ASSERT_TRUE(run());
  EXPECT_EQ(figures(), before);
  EXPECT_EQ(files_faults()->calls("open"), 0U);
}

TEST_F(RunFixture, ALostConnectionRunsTheWholeBlockAgainAndKeepsTheOldRecordsMarked) {
  faults({{.operation = "put", .after_calls = 9, .once = true}});
  const auto outcome = run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->blocks_failed, 0U);
  EXPECT_EQ(figures().size(), kStages);
  const auto old = records(true);
  ASSERT_FALSE(old.empty());
  const bool cause_kept = std::any_of(old.begin(), old.end(), [](const StageRecord& record) {
    return record.error_code == "CONNECTION_LOST";
  });
  EXPECT_TRUE(cause_kept);
  EXPECT_EQ(events("retry"), 1U);
  EXPECT_EQ(events("warm_up"), 2U) << "one a system";
}

TEST_F(RunFixture, ALossBehindAFailureThatIsNotTriedAgainLeavesNoStageWithoutARecord) {
  plan_.dataset.grades = {0, 50, 75};
  std::size_t both = 0;
  for (std::uint64_t after = 12; after < 60; after += 6) {
    SCOPED_TRACE(after);
    TearDown();
    SetUp();
    faults({{.operation = "put", .after_calls = 9, .code = ErrorCode::kCorruption, .once = true},
            {.operation = "put", .after_calls = after, .once = true}});
    ASSERT_TRUE(run());
    const auto current = records(false);
    EXPECT_EQ(current.size(), kStages / 2 * 3);
    const auto any = [&](std::string_view code) {
      return std::any_of(current.begin(), current.end(),
                         [&](const StageRecord& record) { return record.error_code == code; });
    };
    EXPECT_TRUE(any("CORRUPTION"));
    both += any("CONNECTION_LOST") ? 1 : 0;
  }
  EXPECT_GT(both, 0U) << "none of the losses was in the block that is not tried again";
}

TEST_F(RunFixture, ALossInsideAStageThatHealsAtOnceIsStillALoss) {
  faults({{.operation = "put_batch", .after_calls = 2, .once = true}});
  ASSERT_TRUE(run());
  EXPECT_FALSE(records(true).empty());
  EXPECT_EQ(figures().size(), kStages);
}

TEST_F(RunFixture, AtWhicheverReadingTheConnectionIsLostTheRunEndsWhole) {
  ASSERT_TRUE(run());
  const auto undisturbed = figures();
  const std::uint64_t readings = files_faults()->calls("footprint");
  ASSERT_GT(readings, 20U);
  // In the baseline, in the idle control, before and after each stage.
  for (std::uint64_t reading = 0; reading < readings; reading += 1 + readings / 8) {
    SCOPED_TRACE(reading);
    TearDown();
    SetUp();
    faults({{.operation = "footprint", .after_calls = reading, .once = true}});
    const auto outcome = run();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->blocks_failed, 0U);
    EXPECT_EQ(figures(), undisturbed);
  }
}

/// Notes how long the run waits between giving a block up and beginning it again.
class BackOff : public RunFixture {
 protected:
  void on_event(const Event& event) override {
    if (event.type == "retry") given_up_ = time_.now();
  }
  void on_cell(const Cell& /*cell*/) override {
    if (given_up_) pauses_.push_back(std::chrono::duration_cast<Millis>(time_.now() - *given_up_));
    given_up_.reset();
  }

  std::optional<Clock::time_point> given_up_{};
  std::vector<Millis> pauses_{};
};

TEST_F(BackOff, PausesAreFiveTenAndTwentySecondsAndTheLastOneRepeats) {
  faults({{.operation = "put"}});
  plan_.repetitions = 1;
  plan_.systems = {{.name = "files"}};
  plan_.stages.chains = {{StageKind::kPerfileInsert}};
  plan_.retry.max_retries = 4;
  const auto outcome = run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->blocks_failed, 1U);
  EXPECT_EQ(pauses_, (std::vector<Millis>{Millis{5'000}, Millis{10'000}, Millis{20'000}, Millis{20'000}}));
}

TEST_F(RunFixture, ABlockThatFailsForGoodIsShownAndTheOthersGoOn) {
  faults({{.operation = "put"}});
  plan_.retry.max_retries = 1;
  const auto outcome = run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->end, RunEnd::kComplete);
  EXPECT_GT(outcome->blocks_failed, 0U);
  std::set<std::string> valid_systems;
  for (const StageRecord& record : records()) {
    if (record.valid && record.chain.starts_with("perfile")) valid_systems.insert(record.cell.system);
    EXPECT_TRUE(record.valid || !record.reason.empty());
  }
  EXPECT_EQ(valid_systems, std::set<std::string>{"cas"});
}

TEST_F(RunFixture, AServersWordsThatRepeatASecretAreKeptWithoutIt) {
  log_redact("correct horse");
  faults({{.operation = "put", .code = ErrorCode::kRefused, .detail = "at 'PASSWORD correct horse'"}});
  plan_.repetitions = 1;
  const auto outcome = run();
  ASSERT_TRUE(outcome);
  std::size_t seen = 0;
  for (const StageRecord& record : records()) {
    EXPECT_EQ(record.reason.find("correct horse"), std::string::npos) << record.reason;
    seen += record.reason.find("at 'PASSWORD ***'") != std::string::npos ? 1U : 0U;
  }
  EXPECT_GT(seen, 0U);
  ASSERT_FALSE(outcome->failures.empty());
  for (const std::string& line : outcome->failures)
    EXPECT_EQ(line.find("correct horse"), std::string::npos) << line;
}

TEST_F(RunFixture, AFailureThatCannotGoAwayIsNotRetried) {
  faults({{.operation = "put", .code = ErrorCode::kRefused}});
  ASSERT_TRUE(run());
  EXPECT_TRUE(records(true).empty());
}

TEST_F(RunFixture, AMaintenanceThatDidNothingIsAnErrorAndNotASuccess) {
  plan_.stages.chains = {{StageKind::kPerfileInsert, StageKind::kPerfileDelete, StageKind::kMaintenance}};
  cas_faults() = std::make_shared<FaultScript>(std::vector<Fault>{{.operation = "maintain", .lie = true}});
  ASSERT_TRUE(run());
  std::size_t found = 0;
  for (const StageRecord& record : records())
    if (record.cell.system == "cas" && record.stage == "maintenance") {
      EXPECT_FALSE(record.valid);
      EXPECT_NE(record.reason.find("did nothing"), std::string::npos) << record.reason;
      ++found;
    }
  EXPECT_EQ(found, 4U);
}

TEST_F(RunFixture, AReconnectBetweenStagesIsCountedAndLeavesTheCellValid) {
  faults({{.operation = "prove", .after_calls = kProvesOfACell + 2, .once = true}});
  ASSERT_TRUE(run());
  EXPECT_EQ(figures().size(), kStages);
  EXPECT_TRUE(records(true).empty());
  std::uint64_t retries = 0;
  for (const StageRecord& record : records()) retries += record.retries;
  EXPECT_EQ(retries, 1U);
}

/// Counts what each stage opens to sample itself; idle controls, which come before, may be done again.
class SampledStages : public RunFixture {
 protected:
  void on_stage_start(const Cell& cell, const std::string&) override {
    if (cell.system == "files") before_ = files_faults()->calls("open_observer");
  }
  void on_stage_end(const StageRecord& record) override {
    if (record.cell.system == "files") opened_.push_back(files_faults()->calls("open_observer") - before_);
  }
  std::uint64_t before_ = 0;
  std::vector<std::uint64_t> opened_{};
};

TEST_F(SampledStages, AStageIsSampledOverOneConnectionHoweverOften) {
  plan_.repetitions = 1;
  plan_.systems = {{.name = "files"}};
  std::map<Millis, std::uint64_t> rounds;
  for (const Millis interval : {Millis{1}, Millis{60'000}}) {
    plan_.stages.sample_interval = interval;
    opened_.clear();
    faults({});
    ASSERT_TRUE(run());
    EXPECT_GE(opened_.size(), kStages / 4) << "one repetition of one of two systems";
    for (const std::uint64_t opened : opened_) EXPECT_EQ(opened, 1U) << format_duration(interval);
    for (const StageRecord& record : records()) rounds[interval] += record.samples;
    TearDown();
    SetUp();
  }
  EXPECT_GT(rounds[Millis{1}], rounds[Millis{60'000}]);
}

/// Watches one system while a stage of the other one runs.
class IdleSystem : public RunFixture {
 protected:
  static std::uint64_t calls_of_cas() {
    std::uint64_t calls = 0;
    for (const char* operation : {"open_driver", "open_observer", "activity", "busy", "directories", "prove"})
      calls += cas_faults()->calls(operation);
    return calls;
  }
  void on_stage_start(const Cell& cell, const std::string&) override {
    if (cell.system == "files") before_ = calls_of_cas();
  }
  void on_stage_end(const StageRecord& record) override {
    if (record.cell.system != "files") return;
    EXPECT_EQ(calls_of_cas(), before_) << record.cell_id;
    ++stages_;
  }
  std::uint64_t before_ = 0;
  std::size_t stages_ = 0;
};

TEST_F(IdleSystem, IsNeitherConnectedToNorAskedWhileAnotherOneIsMeasured) {
  plan_.repetitions = 1;
  plan_.stages.sample_interval = Millis{1};
  ASSERT_TRUE(run());
  EXPECT_GE(stages_, kStages / 4) << "one repetition of one of two systems";
  EXPECT_GT(calls_of_cas(), 0U);
}

TEST_F(RunFixture, StagesAfterAnInvalidOneAreRecordedAsNotRunWithWhatBeganIt) {
  faults({{.operation = "put", .code = ErrorCode::kResourceExhausted, .detail = "no space left"}});
  ASSERT_TRUE(run());
  std::size_t not_run = 0;
  for (const StageRecord& record : records())
    if (record.stage == "perfile_delete" && record.cell.system == "files") {
      EXPECT_FALSE(record.valid);
      EXPECT_TRUE(record.reason.starts_with("not run: perfile_insert before it was invalid: "))
          << record.reason;
      EXPECT_NE(record.reason.find("no space left"), std::string::npos) << record.reason;
      EXPECT_EQ(record.error_code, "RESOURCE_EXHAUSTED");
      ++not_run;
    }
  EXPECT_EQ(not_run, 4U);
}

TEST_F(RunFixture, ASystemThatCannotBeReachedIsNamedAndTheOthersGoOn) {
  faults({{.operation = "open"}});
  plan_.retry.max_retries = 0;
  const auto outcome = run();
  ASSERT_TRUE(outcome);
  ASSERT_EQ(outcome->unreached.size(), 1U);
  EXPECT_NE(outcome->unreached.front().find("files"), std::string::npos);
  faults({});  // It comes back; the same directory goes on and becomes whole.
  ASSERT_TRUE(run());
  EXPECT_EQ(figures().size(), kStages);
}

TEST_F(RunFixture, AVariantThatTheServerIsTooOldForIsUnsupportedAndNoFailure) {
  faults({{.operation = "open", .code = ErrorCode::kUnsupported, .detail = "needs version 24"}});
  const auto outcome = run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->blocks_failed, 0U);
  EXPECT_TRUE(outcome->unreached.empty());
  for (const StageRecord& record : records()) {
    if (record.cell.system != "files") continue;
    EXPECT_TRUE(record.unsupported);
    EXPECT_FALSE(record.valid);
    EXPECT_EQ(record.reason, "unsupported: needs version 24");
    EXPECT_TRUE(record.after_bytes.empty());
  }
}

TEST_F(RunFixture, TheRetryScopeSystemStartsAllItsRepetitionsAgain) {
  plan_.retry.scope = RetryScope::kSystem;
  faults({{.operation = "put", .after_calls = 4 * kPutsOfACell, .once = true}});  // In the second block.
  ASSERT_TRUE(run());
  EXPECT_EQ(figures().size(), kStages);
  std::set<std::string> again;
  for (const StageRecord& record : records(true)) again.insert(block_id(record.cell));
  EXPECT_EQ(again.size(), 2U);
}

TEST_F(RunFixture, StopAfterStartsNoBlockMoreAndResumeGivesTheSameFigures) {
  ASSERT_TRUE(run());
  const auto whole = figures();
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directories(directory_);
  auto outcome = run(Millis{0});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->end, RunEnd::kStopAfter);
  outcome = run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(figures(), whole);
}

TEST_F(RunFixture, AStopLeavesAJournalThatGoesOnToTheSameFigures) {
  ASSERT_TRUE(run());
  const auto whole = figures();
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directories(directory_);
  stop_.request_stop();
  auto outcome = run();
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->end, RunEnd::kStopped);
  stop_ = {};
  ASSERT_TRUE(run());
  EXPECT_EQ(figures(), whole);
}

TEST_F(RunFixture, RedoKeepsTheOldRecordsOfThatSystemAndMarksThem) {
  ASSERT_TRUE(run());
  ASSERT_TRUE(run({}, {"cas"}));
  EXPECT_EQ(figures().size(), kStages);
  const auto old = records(true);
  EXPECT_EQ(old.size(), kStages / 2);
  for (const StageRecord& record : old) EXPECT_EQ(record.cell.system, "cas");
}

TEST_F(RunFixture, AFailedProbeNeverBecomesANumber) {
  faults({{.operation = "directories", .after_calls = 12, .code = ErrorCode::kIo}});
  plan_.retry.max_retries = 0;
  ASSERT_TRUE(run());
  std::size_t without = 0;
  for (const StageRecord& record : records()) {
    for (const ByteMap* bytes : {&record.before_bytes, &record.after_bytes, &record.empty_bytes})
      for (const auto& [probe, value] : *bytes) EXPECT_GE(value, 0) << probe;
    if (record.cell.system != "files" || record.after_bytes.contains("files")) continue;
    EXPECT_FALSE(record.valid);
    ++without;
  }
  EXPECT_GT(without, 0U);
}

TEST_F(RunFixture, BlocksKeepTheirCellsTogetherAndTheOrderComesFromTheSeed) {
  ASSERT_TRUE(run());
  std::vector<std::string> order;
  for (const StageRecord& record : records())
    if (order.empty() || order.back() != block_id(record.cell)) order.push_back(block_id(record.cell));
  EXPECT_EQ(std::set<std::string>(order.begin(), order.end()).size(), order.size());
  std::vector<std::string> expected;
  for (const Block& block : expand(plan_)) expected.push_back(block.id);
  EXPECT_EQ(order, expected);
}

TEST_F(RunFixture, ControlsThatThePlanDoesNotNameAreRunAndMarked) {
  plan_.systems = {{.name = "files"}};
  ASSERT_TRUE(run());
  std::size_t controls = 0;
  for (const StageRecord& record : records()) {
    if (record.cell.system != "cas") continue;
    EXPECT_TRUE(record.cell.control);
    EXPECT_EQ(record.stage, "bulk_insert");
    ++controls;
  }
  EXPECT_EQ(controls, 4U);  // U0 and U50, two repetitions.
}

TEST_F(RunFixture, NoCallWaitsForLongerThanThePlanAllows) {
  plan_.stages.limit = Millis{3'600'000};
  plan_.stages.step_limit = Millis{60'000};
  plan_.stages.chains = {{StageKind::kBulkInsert, StageKind::kUpdate, StageKind::kDeleteLogical},
                         {StageKind::kPerfileInsert, StageKind::kPerfileDelete}};
  ASSERT_TRUE(run());
  // What may take as long as a stage; everything else is one step, and a server that is stopped but keeps its
  // connections holds it up for no longer.
  const std::set<std::string> of_a_stage{"put",   "put_batch", "erase", "erase_all",
                                         "flush", "read_all",  "count", "get"};
  const auto waits = files_faults()->longest_waits();
  EXPECT_GT(waits.size(), 12U);
  for (const auto& [operation, longest] : waits)
    EXPECT_LE(longest, of_a_stage.contains(operation) ? plan_.stages.limit : plan_.stages.step_limit)
        << operation;
}

TEST_F(RunFixture, RemoveSystemsLeavesNothingOfOurs) {
  ASSERT_TRUE(run());
  ASSERT_TRUE(std::filesystem::exists(directory_ / "data" / "files"));
  ASSERT_TRUE(remove_systems(plan_, faulty_registry(), {.run_id = "test-run"}, directory_));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "data" / "files"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "data" / "cas"));
}

TEST_F(RunFixture, AStopEndsTheRemovalAndTheNextOneFinishesIt) {
  ASSERT_TRUE(run());
  std::stop_source stop;
  stop.request_stop();
  const Status stopped =
      remove_systems(plan_, faulty_registry(), {.run_id = "test-run"}, directory_, {}, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled) << stopped.error().text();
  EXPECT_TRUE(std::filesystem::exists(directory_ / "data" / "files"));
  ASSERT_TRUE(remove_systems(plan_, faulty_registry(), {.run_id = "test-run"}, directory_));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "data" / "files"));
}

}  // namespace
}  // namespace lab
