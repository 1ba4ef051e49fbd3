// The ladder: factors whose product is the whole, and the rung at which duplicates vanish.
// SPDX-License-Identifier: Apache-2.0
#include "report/ladder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "report/figures.hpp"
#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

using testing::HasSubstr;

/// Sets what a probe keeps after the stage; nothing before it.
void keep(StageRecord& record, const std::string& probe, std::int64_t bytes,
          const std::string& scope = "all copies") {
  record.empty_bytes[probe] = 0;
  record.before_bytes[probe] = 0;
  record.after_bytes[probe] = bytes;
  record.noise_bytes[probe] = 0;
  record.scope[probe] = scope;
}

/// L = 50 MiB kept in two copies: by the engine 40 (one copy), in 100 of file lengths, 102 of blocks, 120 of
/// the file system.
StageRecord two_copies() {
  StageRecord record = make_record({});
  record.copies = 2;
  keep(record, "engine", 40 << 20, "one copy");
  keep(record, "apparent", 100 << 20);
  keep(record, "files", 102 << 20);
  keep(record, "filesystem", 120 << 20);
  return record;
}

Ladder ladder_of(const StageRecord& record) {
  const auto ladder = compute_ladder(record, compute_figures(record));
  EXPECT_TRUE(ladder);
  return ladder ? *ladder : Ladder{};
}

TEST(LadderOfARecord, HasAFactorBetweenNeighboursThatAnsweredPerCopy) {
  const Ladder ladder = ladder_of(two_copies());
  ASSERT_EQ(ladder.steps.size(), 4U);
  EXPECT_EQ(ladder.steps[0].above, "L");
  EXPECT_EQ(ladder.steps[0].rung, "engine");
  EXPECT_DOUBLE_EQ(ladder.steps[0].factor, 50.0 / 40);
  EXPECT_EQ(ladder.steps[1].above, "engine");
  EXPECT_EQ(ladder.steps[1].rung, "apparent");
  EXPECT_DOUBLE_EQ(ladder.steps[1].factor, 40.0 / 50);
  EXPECT_DOUBLE_EQ(ladder.steps[2].factor, 100.0 / 102);
  EXPECT_EQ(ladder.steps[3].above, "files");
  EXPECT_EQ(ladder.steps[3].rung, "filesystem");
  EXPECT_DOUBLE_EQ(ladder.steps[3].factor, 102.0 / 120);
  EXPECT_DOUBLE_EQ(ladder.whole, 50.0 / 60);
}

TEST(LadderOfARecord, ItsFactorsMultiplyToTheWhole) {
  EXPECT_TRUE(rc::check("product = L / last", [] {
    StageRecord record = make_record({});
    record.copies = *rc::gen::inRange(1, 5);
    for (const std::string_view rung : kRungs) {
      const std::string name(rung);
      for (ByteMap* readings : {&record.empty_bytes, &record.before_bytes, &record.after_bytes})
        readings->erase(name);
      if (*rc::gen::inRange(0, 4) == 0) continue;  // Does not answer.
      keep(record, name, *rc::gen::inRange<std::int64_t>(1, 1LL << 40),
           *rc::gen::arbitrary<bool>() ? "one copy" : "all copies");
    }
    const StageFigures figures = compute_figures(record);
    const auto ladder = compute_ladder(record, figures);
    RC_ASSERT(ladder.has_value() == !figures.edr.empty());
    if (!ladder) return;
    RC_ASSERT(ladder->steps.size() == figures.edr.size());
    RC_ASSERT(check_product(ladder->steps, ladder->whole).has_value());
    RC_ASSERT(ladder->whole == figures.edr.at(ladder->steps.back().rung));
  }));
}

TEST(LadderOfARecord, AProductThatIsNotTheWholeIsAnErrorWithBothNumbers) {
  Ladder ladder = ladder_of(two_copies());
  ladder.steps[1].factor *= 1.0001;
  const Status status = check_product(ladder.steps, ladder.whole);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().detail, HasSubstr("0.833416667"));
  EXPECT_THAT(status.error().detail, HasSubstr("L / filesystem is 0.833333333"));
}

TEST(LadderOfARecord, AMissingRungIsLeftOutAndNeverANumber) {
  StageRecord record = two_copies();
  record.missing["apparent"] = "size query failed";
  const Ladder ladder = ladder_of(record);
  ASSERT_EQ(ladder.steps.size(), 3U);
  EXPECT_EQ(ladder.steps[1].above, "engine");
  EXPECT_EQ(ladder.steps[1].rung, "files");
  EXPECT_TRUE(check_product(ladder.steps, ladder.whole));
}

TEST(LadderOfARecord, WithoutLogicalBytesThereIsNone) {
  StageRecord record = two_copies();
  record.logical_bytes = record.unique_bytes = 0;
  EXPECT_FALSE(compute_ladder(record, compute_figures(record)));
}

TEST(Vanishing, IsTheFirstRungThatRemovesBelowOnesThatDoNot) {
  using enum VerdictWord;
  struct Case {
    const char* what;
    std::vector<RungVerdict> rungs;
    VanishWord word;
    const char* rung;
    const char* reason;
  };
  for (const Case& c : {
           Case{"in the engine",
                {{"engine", kFull}, {"files", kFull}},
                VanishWord::kAt,
                "engine",
                "full at engine"},
           Case{"below the files",
                {{"apparent", kNone}, {"files", kNone}, {"filesystem", kPartial}},
                VanishWord::kAt,
                "filesystem",
                "partial at filesystem, files none above it"},
           Case{"a probe of the plan's own",
                {{"files", kNone}, {"extents", kNone}, {"metrics:v", kFull}},
                VanishWord::kAt,
                "metrics:v",
                "full at metrics:v, whose place in the ladder is not known; extents none"},
           Case{"in two steps",
                {{"files", kPartial}, {"volume", kFull}},
                VanishWord::kAt,
                "files",
                "partial at files, the logical bytes above it; full at volume below it"},
           Case{"what the engine says comes back below",
                {{"engine", kFull}, {"files", kNone}},
                VanishWord::kAt,
                "engine",
                "none at files below it"},
           Case{"nowhere", {{"engine", kNone}, {"files", kNone}}, VanishWord::kNowhere, "", "down to files"},
           Case{"doubt above it",
                {{"files", kInconclusive}, {"volume", kFull}},
                VanishWord::kNotTold,
                "",
                "the verdict at files is inconclusive"},
           Case{"doubt at the end",
                {{"files", kNone}, {"volume", kInconclusive}},
                VanishWord::kNotTold,
                "",
                "the verdict at volume is inconclusive"},
           Case{"withheld", {{"files", kWithheld}}, VanishWord::kNotTold, "", "files is withheld"},
           Case{"too few", {{"files", kTooFewRepetitions}}, VanishWord::kNotTold, "", "too_few_repetitions"},
           Case{"semantic", {{"files", kSemantic}}, VanishWord::kSemantic, "", "one object per key"},
           Case{"no rung", {}, VanishWord::kNotTold, "", "no rung"},
       }) {
    SCOPED_TRACE(c.what);
    const Vanishing found = find_vanishing(c.rungs);
    EXPECT_EQ(found.word, c.word);
    EXPECT_EQ(found.rung, c.rung);
    EXPECT_THAT(found.reason, HasSubstr(c.reason));
  }
}

/// sqlite pays for every duplicate in its files; a file system below removes them all.
RunData deduplicating_file_system() {
  RunData run;
  add_controls(run);
  add_pairs(run, {}, std::vector<double>(5, 0));
  for (StageRow& row : run.stages)
    if (!row.record.cell.control) keep(row.record, "filesystem", row.record.unique_bytes);
  return run;
}

TEST(LadderOfAGroup, NamesTheRungWhereDuplicatesVanish) {
  const Analysis analysis = analyse(deduplicating_file_system());
  const Group& group = group_of(analysis, "sqlite");
  ASSERT_TRUE(group.ladder);
  ASSERT_TRUE(group.ladder->vanishing);
  EXPECT_EQ(group.ladder->vanishing->word, VanishWord::kAt);
  EXPECT_EQ(group.ladder->vanishing->rung, "filesystem");
  ASSERT_EQ(group.ladder->steps.size(), 3U);
  EXPECT_NEAR(group.ladder->steps[2].factor, 10, 1e-9);
  EXPECT_NEAR(group.ladder->product, group.ladder->whole, 1e-9);
  EXPECT_EQ(group.ladder->n, 5U);
  EXPECT_TRUE(group.ladder->broken.empty());
  EXPECT_EQ(group.ladder->scope.at("files"), "all copies");
  EXPECT_THAT(describe(*group.ladder),
              HasSubstr("files/filesystem 10.0 = 10.0; duplicates vanish at filesystem"));
  const Group& original = group_of(analysis, "sqlite", "U0");
  ASSERT_TRUE(original.ladder);
  EXPECT_FALSE(original.ladder->vanishing) << "without duplicates nothing can vanish";
}

TEST(LadderOfAGroup, DuplicatesVanishAtAnyProbeThatSeesIt) {
  for (const char* probe :
       {"btrfs", "kubelet", "minio", "zfs", "zpool", "vdo", "command:pool", "metrics:array"}) {
    SCOPED_TRACE(probe);
    RunData run;
    add_controls(run);
    add_pairs(run, {}, std::vector<double>(5, 0));
    for (StageRow& row : run.stages)
      if (!row.record.cell.control) keep(row.record, probe, row.record.unique_bytes);
    const Analysis analysis = analyse(run);
    const Vanishing& vanishing = *group_of(analysis, "sqlite").ladder->vanishing;
    EXPECT_EQ(vanishing.word, VanishWord::kAt) << vanishing.reason;
    EXPECT_EQ(vanishing.rung, probe);
  }
}

TEST(LadderOfAGroup, ARungThatARepetitionLacksIsLeftOutWithItsReason) {
  RunData run = deduplicating_file_system();
  StageRecord& last = run.stages.back().record;
  last.missing["filesystem"] = "the file system is shared";
  const Analysis analysis = analyse(run);
  const Group& group = group_of(analysis, "sqlite");
  ASSERT_TRUE(group.ladder);
  EXPECT_EQ(group.ladder->steps.size(), 2U);
  EXPECT_EQ(group.ladder->left_out.at("filesystem"), "1 of 5 repetitions: the file system is shared");
  EXPECT_EQ(group.ladder->left_out.at("engine"), "no reading");
}

TEST(LadderOfAGroup, OfOneRepetitionHasNoInterval) {
  RunData run;
  add_record(run, make_record({}));
  const Analysis analysis = analyse(run);
  const LadderSummary& ladder = *group_of(analysis, "sqlite", "U0").ladder;
  EXPECT_FALSE(ladder.steps[0].low);
  EXPECT_FALSE(ladder.steps[0].high);
}

TEST(LadderOfAGroup, TheMiddleOfTheFactorsIsGeometricWithItsInterval) {
  RunData run;
  for (int repetition = 1; repetition <= 2; ++repetition) {
    StageRecord record = make_record({.repetition = repetition});
    keep(record, "apparent", repetition == 1 ? kLogical : 4 * kLogical);
    add_record(run, record);
  }
  const Analysis analysis = analyse(run);
  const LadderSummary& ladder = *group_of(analysis, "sqlite", "U0").ladder;
  EXPECT_NEAR(ladder.steps[0].factor, 0.5, 1e-12);
  EXPECT_NEAR(std::log(*ladder.steps[0].high / 0.5), 12.7062047 * std::log(4.0) / 2, 1e-5);
}

TEST(LadderOfAGroup, ABrokenProductIsShownAsAnError) {
  LadderSummary ladder{.steps = {{"L", "files", 0.5, {}, {}}}, .product = 0.5, .whole = 0.6};
  ladder.broken = check_product(std::vector<LadderStep>{{"L", "files", 0.5, 0}}, 0.6).error().detail;
  EXPECT_THAT(describe(ladder), HasSubstr("BROKEN: the factors multiply to 0.5, but L / files is 0.6"));
}

}  // namespace
}  // namespace lab::report
