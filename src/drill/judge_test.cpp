// What a drill must never let pass, each put into a journal by hand.
// SPDX-License-Identifier: Apache-2.0
#include "drill/judge.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "core/testing/temporary_folder.hpp"
#include "journal/journal.hpp"

namespace lab::drill {
namespace {

constexpr std::int64_t kStored = 1 << 20;
constexpr std::int64_t kBegan = 1'000'000;

StageRecord record_of(const std::string& stage, int repetition = 1) {
  StageRecord record;
  record.cell.system = "redis";
  record.cell.repetition = repetition;
  record.cell_id = cell_id(record.cell);
  record.chain = "bulk_insert>update";
  record.stage = stage;
  record.valid = true;
  record.objects = record.objects_live = 64;
  record.unique_objects = 32;
  record.logical_bytes = kStored;
  record.empty_bytes = {{"files", 0}};
  record.after_bytes = {{"files", kStored + std::int64_t{repetition} * 100}};
  record.quantum_bytes = {{"files", 4096}};
  record.started_ms = kBegan;
  record.ended_ms = kBegan + 1'000;
  return record;
}

class Judge : public testing::Test {
 protected:
  /// A run with one attempt a record, in a folder of its own.
  std::filesystem::path run_of(const std::vector<StageRecord>& records) {
    const auto folder = folder_.path() / std::to_string(runs_++);
    EXPECT_TRUE(make_directories(folder));
    auto journal = Journal::create(folder, {.run_id = "r", .plan_toml = "x"});
    EXPECT_TRUE(journal) << journal.error().text();
    std::int64_t attempt = 0;
    std::string cell;
    for (const StageRecord& record : records) {
      if (record.cell_id != cell) {
        EXPECT_TRUE(attempt == 0 || (*journal)->finish_attempt(attempt).has_value());
        cell = record.cell_id;
        attempt = *(*journal)->begin_attempt(cell, cell);
      }
      EXPECT_TRUE((*journal)->add_stage(attempt, record, {}));
    }
    EXPECT_TRUE((*journal)->finish_attempt(attempt));
    EXPECT_TRUE((*journal)->close());
    return folder;
  }
  Reference reference() {
    const auto loaded = load_reference(run_of({record_of("bulk_insert"), record_of("update"),
                                               record_of("bulk_insert", 2), record_of("update", 2)}));
    EXPECT_TRUE(loaded) << loaded.error().text();
    return loaded ? *loaded : Reference{};
  }
  Judgement judged(const std::vector<StageRecord>& records, const std::optional<Moment>& ended = {},
                   bool whole = true) {
    const auto judgement = judge(run_of(records), reference(), ended, whole);
    EXPECT_TRUE(judgement) << judgement.error().text();
    return judgement ? *judgement : Judgement{};
  }
  /// The findings of a run whose update is changed so.
  std::vector<std::string> found(const std::function<void(StageRecord&)>& change) {
    StageRecord changed = record_of("update");
    change(changed);
    return judged({record_of("bulk_insert"), changed}).findings;
  }

  TemporaryFolder folder_{};
  int runs_ = 0;
};

TEST_F(Judge, ARunLikeTheUndisturbedOneIsAllowed) {
  const Judgement judgement = judged({record_of("bulk_insert"), record_of("update")});
  EXPECT_TRUE(judgement.findings.empty()) << judgement.findings.front();
  EXPECT_EQ(judgement.valid, 2U);
  EXPECT_TRUE(judgement.invalid.empty());
}

TEST_F(Judge, AnObjectLostOrDoubledIsFound) {
  EXPECT_EQ(found([](StageRecord& record) { record.objects_live -= 1; }).size(), 1U);
  EXPECT_EQ(found([](StageRecord& record) { record.objects += 1; }).size(), 1U);
  EXPECT_EQ(found([](StageRecord& record) { record.unique_objects += 1; }).size(), 1U);
  EXPECT_EQ(found([](StageRecord& record) { record.logical_bytes -= 1; }).size(), 1U);
}

TEST_F(Judge, ASizeIsEqualWithinUncertaintySpreadAndMarginAndNotBeyond) {
  EXPECT_TRUE(found([](StageRecord& record) { record.after_bytes["files"] += 4'096; }).empty());
  EXPECT_TRUE(found([](StageRecord& record) { record.after_bytes["files"] -= 4'096; }).empty());
  EXPECT_TRUE(found([](StageRecord& record) { record.after_bytes["files"] += kStored / 50; }).empty());
  EXPECT_EQ(found([](StageRecord& record) { record.after_bytes["files"] += 64'000; }).size(), 1U);
  EXPECT_EQ(found([](StageRecord& record) { record.after_bytes["files"] -= 64'000; }).size(), 1U);
}

TEST_F(Judge, TheSpreadOfASystemIsTheLargestOfItsCellsAtThatStage) {
  const auto at_grade_50 = [](int repetition, std::int64_t more) {
    StageRecord record = record_of("update", repetition);
    record.cell.dataset.grade = 50;
    record.cell_id = cell_id(record.cell);
    record.after_bytes["files"] += more;
    return record;
  };
  const auto loaded = load_reference(
      run_of({record_of("update"), record_of("update", 2), at_grade_50(1, 0), at_grade_50(2, 50'000)}));
  ASSERT_TRUE(loaded);
  StageRecord changed = record_of("update");
  changed.after_bytes["files"] += 100'000;
  EXPECT_TRUE(judge(run_of({changed}), *loaded, {}, false)->findings.empty());
  changed.after_bytes["files"] += 100'000;
  EXPECT_EQ(judge(run_of({changed}), *loaded, {}, false)->findings.size(), 1U);
}

TEST_F(Judge, WhatHoldsTheDataDecidesWhereItIsKnown) {
  const auto with_payload = [](int repetition, std::int64_t payload, std::int64_t others) {
    StageRecord record = record_of("update", repetition);
    record.empty_bytes["files:payload"] = 0;
    record.after_bytes["files:payload"] = payload;
    record.after_bytes["files"] = payload + others;
    return record;
  };
  const auto loaded = load_reference(run_of({with_payload(1, kStored, 100), with_payload(2, kStored, 100)}));
  ASSERT_TRUE(loaded);
  const auto findings = [&](const StageRecord& record) {
    return judge(run_of({record}), *loaded, {}, false)->findings;
  };
  EXPECT_TRUE(findings(with_payload(1, kStored, 500'000)).empty()) << "a server's own log";
  EXPECT_EQ(findings(with_payload(1, kStored + 200'000, 0)).size(), 1U);
  EXPECT_EQ(findings(with_payload(1, kStored - 200'000, 200'100)).size(), 1U)
      << "though the whole is the same";
  StageRecord unknown = with_payload(1, kStored, 500'000);
  unknown.after_bytes.erase("files:payload");
  EXPECT_EQ(findings(unknown).size(), 1U);
}

TEST_F(Judge, AnInvalidStageNeedsAReason) {
  const auto with = [&](const std::string& reason) {
    StageRecord broken = record_of("update");
    broken.valid = false;
    broken.reason = reason;
    return judged({record_of("bulk_insert"), broken});
  };
  EXPECT_TRUE(with("redis.put: gone").findings.empty());
  EXPECT_EQ(with("redis.put: gone").invalid.begin()->second, "redis.put: gone");
  EXPECT_EQ(with("").findings.size(), 1U);
}

TEST_F(Judge, AStageDuringWhichTheServerEndedCannotBeValid) {
  const std::vector<StageRecord> records{record_of("bulk_insert"), record_of("update")};
  EXPECT_EQ(judged(records, Moment{kBegan + 500, "redis"}).findings.size(), 2U);
  EXPECT_TRUE(judged(records, Moment{kBegan + 500, "kafka"}).findings.empty());
  EXPECT_TRUE(judged(records, Moment{kBegan - 1, "redis"}).findings.empty());
  EXPECT_TRUE(judged(records, Moment{kBegan + 1'001, "redis"}).findings.empty());
}

TEST_F(Judge, ACellThatIsMissingAtTheEndIsFound) {
  EXPECT_EQ(judged({record_of("bulk_insert")}).findings.size(), 1U);
  EXPECT_TRUE(judged({record_of("bulk_insert")}, {}, false).findings.empty()) << "before it is resumed";
}

TEST_F(Judge, ARecordOfAnotherPlanIsFound) {
  EXPECT_EQ(judged({record_of("bulk_insert"), record_of("update"), record_of("refill")}).findings.size(), 1U);
}

TEST_F(Judge, AReferenceWithAnInvalidStageIsNone) {
  StageRecord broken = record_of("update");
  broken.valid = false;
  broken.reason = "redis.put: gone";
  const auto loaded = load_reference(run_of({record_of("bulk_insert"), broken}));
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().detail.find("redis.put: gone"), std::string::npos);
}

}  // namespace
}  // namespace lab::drill
