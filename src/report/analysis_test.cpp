// From records to verdicts: every word, every reason not to pair, and what never becomes a number.
// SPDX-License-Identifier: Apache-2.0
#include "report/analysis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

using testing::HasSubstr;

RunData run_of(const Shape& shape, const std::vector<double>& etas) {
  RunData run;
  add_controls(run);
  add_pairs(run, shape, etas);
  return run;
}

TEST(Analysis, GivesEveryVerdictWord) {
  struct Case {
    const char* what;
    std::vector<double> etas;
    VerdictWord want;
  };
  const std::vector<Case> cases{
      {"nothing removed", {0.001, -0.001, 0.002, 0, -0.002}, VerdictWord::kNone},
      {"everything removed", {0.991, 0.993, 0.99, 0.992, 0.994}, VerdictWord::kFull},
      {"half removed", {0.5, 0.51, 0.49, 0.5, 0.52}, VerdictWord::kPartial},
      {"spread over a limit", {0.0, 0.1, -0.1, 0.05, -0.05}, VerdictWord::kInconclusive},
      {"four pairs", {0.5, 0.51, 0.49, 0.5}, VerdictWord::kTooFewRepetitions},
      {"one pair", {0.5}, VerdictWord::kTooFewRepetitions},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const Analysis analysis = analyse(run_of({}, c.etas));
    const Verdict& verdict = verdict_of(analysis, "sqlite");
    EXPECT_EQ(verdict.word, c.want);
    EXPECT_EQ(verdict.n, c.etas.size());
    EXPECT_FALSE(verdict.reason.empty());
    ASSERT_TRUE(verdict.eta);
    EXPECT_EQ(verdict.low.has_value(), c.etas.size() > 1);
    EXPECT_EQ(verdict.high.has_value(), c.etas.size() > 1);
    EXPECT_EQ(group_of(analysis, "sqlite").etas.at("files").size(), c.etas.size());
  }
}

TEST(Analysis, AVerdictNamesItsMatrixPoint) {
  const Analysis analysis = analyse(run_of({}, std::vector<double>(5, 0)));
  const Verdict& verdict = verdict_of(analysis, "sqlite");
  EXPECT_EQ(verdict.variant, "default");
  EXPECT_EQ(verdict.payload, "random_binary");
  EXPECT_EQ(verdict.object_size, "131072");
  EXPECT_EQ(verdict.total_bytes, kLogical);
  EXPECT_EQ(verdict.grade, "U90");
  EXPECT_EQ(verdict.order, "shuffled");
  EXPECT_EQ(verdict.placement, "within");
  EXPECT_EQ(verdict.mode, "blob");
  EXPECT_EQ(verdict.cache, "warm");
  EXPECT_EQ(verdict.chain, "bulk_insert");
  EXPECT_EQ(verdict.stage, "bulk_insert");
  EXPECT_EQ(verdict.probe, "files");
  EXPECT_EQ(group_of(analysis, "sqlite").server, "Server 1.2.3");
}

TEST(Analysis, FiveEqualPairsHaveTheSystematicIntervalNotNone) {
  const Analysis analysis = analyse(run_of({.noise = 50'000}, std::vector<double>(5, 0)));
  const Verdict& verdict = verdict_of(analysis, "sqlite");
  // R = 1, d = 0.9, both sizes L: u = sqrt(2) * noise / L / d.
  const double half = 1.96 * std::sqrt(2.0) * 50'000 / static_cast<double>(kLogical) / 0.9;
  EXPECT_NEAR(*verdict.high, half, 1e-9);
  EXPECT_NEAR(*verdict.low, -half, 1e-9);
  EXPECT_EQ(verdict.word, VerdictWord::kNone);
}

TEST(Analysis, NoiseAsLargeAsTheAnswerMakesItInconclusive) {
  const Analysis analysis = analyse(run_of({.quantum = 4 << 20}, std::vector<double>(5, 0)));
  const Verdict& verdict = verdict_of(analysis, "sqlite");
  EXPECT_EQ(verdict.word, VerdictWord::kInconclusive);
  EXPECT_THAT(verdict.reason, HasSubstr("allocation steps"));
  ASSERT_EQ(analysis.warnings.size(), 1U);
  EXPECT_THAT(analysis.warnings[0], HasSubstr("80 % of the unique bytes"));
  EXPECT_THAT(analysis.warnings[0], HasSubstr("400 MiB unique"));
}

TEST(Analysis, EdrIsAGeometricMeanWithItsInterval) {
  const Analysis analysis = analyse(run_of({.cost = 0.5, .noise = 1'000}, std::vector<double>(5, 0)));
  const Estimate& edr = group_of(analysis, "sqlite", "U0").edr.at("files");
  EXPECT_DOUBLE_EQ(edr.mean, 2);
  EXPECT_EQ(edr.n, 5U);
  EXPECT_LT(edr.low.value(), 2);
  EXPECT_GT(edr.high.value(), 2);
  EXPECT_DOUBLE_EQ(group_of(analysis, "sqlite", "U90").edr_max, 10);
}

TEST(Analysis, EdrOfOneRepetitionHasNoInterval) {
  const Analysis analysis = analyse(run_of({.cost = 0.5, .noise = 1'000}, {0}));
  EXPECT_FALSE(group_of(analysis, "sqlite", "U0").edr.at("files").low);
}

TEST(Analysis, EdrOfAProbeWhoseNoiseFloorWasNotMeasuredHasNoInterval) {
  RunData run = run_of({.cost = 0.5, .noise = 1'000}, std::vector<double>(5, 0));
  run.stages.back().record.noise_bytes.erase("files");  // U90 of the last repetition.
  const Analysis analysis = analyse(run);
  const Group& group = group_of(analysis, "sqlite", "U90");
  const Estimate& edr = group.edr.at("files");
  EXPECT_DOUBLE_EQ(edr.mean, 2);
  EXPECT_EQ(edr.n, 5U);
  EXPECT_FALSE(edr.low || edr.high);
  EXPECT_EQ(edr.no_interval, "noise floor not measured");
  EXPECT_TRUE(group.edr.at("apparent").low);
  EXPECT_TRUE(group_of(analysis, "sqlite", "U0").edr.at("files").low);
  // The factor into that rung knows as little.
  ASSERT_EQ(group.ladder->steps.size(), 2U);
  EXPECT_TRUE(group.ladder->steps[0].low);
  EXPECT_FALSE(group.ladder->steps[1].low);
  EXPECT_EQ(group.ladder->steps[1].no_interval, "noise floor not measured");
}

TEST(Analysis, U0HasNoVerdict) {
  const Analysis analysis = analyse(run_of({}, std::vector<double>(5, 0)));
  EXPECT_TRUE(group_of(analysis, "sqlite", "U0").verdicts.empty());
}

TEST(Analysis, RefusesAPairWhoseProbeCountedSomethingElseAtU0AndNoOtherProbe) {
  RunData run = run_of({}, std::vector<double>(5, 0.5));
  const auto say = [&](int grade, const std::string& claims) {
    for (StageRow& row : run.stages)
      if (row.record.cell.dataset.grade == grade) row.record.counted["apparent"] = claims;
  };
  say(90, "claims data-0, data-1");
  EXPECT_EQ(verdict_of(analyse(run), "sqlite", "apparent").n, 0U) << "what U0 counted is not known";
  say(0, "claims data-0, data-1, data-2");
  const Analysis analysis = analyse(run);
  const Verdict& apparent = verdict_of(analysis, "sqlite", "apparent");
  EXPECT_EQ(apparent.n, 0U);
  EXPECT_FALSE(apparent.eta);
  EXPECT_THAT(apparent.reason, HasSubstr("5 pairs refused: its U0 counted claims data-0, data-1, data-2, and "
                                         "this claims data-0, data-1"));
  EXPECT_EQ(verdict_of(analysis, "sqlite", "files").n, 5U);
  say(0, "claims data-0, data-1");
  EXPECT_EQ(verdict_of(analyse(run), "sqlite", "apparent").n, 5U);
}

TEST(Analysis, WarnsOfAProbeThatIsCoarserThanTheFiles) {
  RunData run = run_of({}, std::vector<double>(5, 0.5));
  const auto named = [&] {
    const auto warnings = analyse(run).warnings;
    return std::count_if(warnings.begin(), warnings.end(), [](const std::string& warning) {
      return warning.find(", apparent: allocation step and noise of 64.0 MiB") != std::string::npos;
    });
  };
  EXPECT_EQ(named(), 0);
  for (StageRow& row : run.stages)
    if (row.record.cell.system == "sqlite") row.record.quantum_bytes["apparent"] = 64 << 20;
  EXPECT_EQ(named(), 1);
}

/// Changes the U90 records of a run, or its U0 records.
RunData changed(RunData run, int grade, const std::function<void(StageRecord&)>& change) {
  for (StageRow& row : run.stages)
    if (row.record.cell.system == "sqlite" && row.record.cell.dataset.grade == grade) change(row.record);
  return run;
}

TEST(Analysis, RefusesPairsThatDifferInMoreThanTheGrade) {
  struct Case {
    const char* reason;
    std::function<void(StageRecord&)> change;
  };
  const std::vector<Case> cases{
      {"not valid", [](StageRecord& record) { record.valid = false; }},
      {"another dataset seed", [](StageRecord& record) { record.cell.dataset.dataset_seed += 1; }},
      {"another server version", [](StageRecord& record) { record.server.version = "1.2.4"; }},
      {"another server version", [](StageRecord& record) { record.server.name = "Other"; }},
      {"other server settings", [](StageRecord& record) { record.settings["fsync"] = "off"; }},
      {"another number of copies", [](StageRecord& record) { record.copies = 3; }},
      {"there is no U0", [](StageRecord& record) { record.superseded = true; }},
      {"there is no U0", [](StageRecord& record) { record.cell.repetition += 5; }},
      {"there is no U0", [](StageRecord& record) { record.cell.mode = "native"; }},
      {"there is no U0", [](StageRecord& record) { record.cell.dataset.order = Order::kAdjacent; }},
      {"U0: unsettled", [](StageRecord& record) { record.missing["files"] = "unsettled"; }},
      {"noise floor not measured", [](StageRecord& record) { record.noise_bytes.erase("files"); }},
      {"U0: below resolution", [](StageRecord& record) { record.noise_bytes["files"] = kLogical; }},
      {"stored bytes are not positive",
       [](StageRecord& record) { record.after_bytes["files"] = record.empty_bytes["files"]; }},
  };
  const RunData whole = run_of({}, std::vector<double>(5, 0.5));
  for (const Case& c : cases) {
    SCOPED_TRACE(c.reason);
    const Analysis analysis = analyse(changed(whole, 0, c.change));
    const Verdict& verdict = verdict_of(analysis, "sqlite");
    EXPECT_EQ(verdict.word, VerdictWord::kTooFewRepetitions);
    EXPECT_EQ(verdict.n, 0U);
    EXPECT_FALSE(verdict.eta);
    EXPECT_FALSE(verdict.low);
    EXPECT_FALSE(verdict.high);
    EXPECT_THAT(verdict.reason, HasSubstr("5 pairs refused"));
    EXPECT_THAT(verdict.reason, HasSubstr(c.reason));
  }
}

TEST(Analysis, AStorageThatKeepsAnotherNumberOfCopiesRefusesThePairAndOneThatIsNotKnownDoesNot) {
  RunData run = run_of({}, std::vector<double>(5, 0.5));
  for (StageRow& row : run.stages) row.record.storage_copies = 2;
  EXPECT_EQ(verdict_of(analyse(run), "sqlite").n, 5U);
  const auto with = [&](std::optional<double> copies) {
    return analyse(changed(run, 0, [&](StageRecord& record) { record.storage_copies = copies; }));
  };
  EXPECT_EQ(verdict_of(with(std::nullopt), "sqlite").n, 5U);
  const Analysis other = with(3);
  EXPECT_EQ(verdict_of(other, "sqlite").n, 0U);
  EXPECT_THAT(verdict_of(other, "sqlite").reason, HasSubstr("by the storage in another number of copies"));
}

TEST(Analysis, WhatProbesSayIsWarnedOfOnceForEachProbeWithTheFirstOfItsTexts) {
  RunData run = run_of({}, std::vector<double>(5, 0.5));
  ASSERT_THAT(analyse(run).warnings, testing::Not(testing::Contains(HasSubstr("not trimmed"))));
  for (StageRow& row : run.stages)
    if (row.record.cell.system == "sqlite") {
      row.record.remarks = {{"volume", "pvc: not trimmed"}};
      row.record.copies_unknown = "volume: no modes";
    }
  const auto warnings = analyse(run).warnings;
  EXPECT_THAT(warnings, testing::Contains("sqlite, volume, in 10 stages, the first: pvc: not trimmed"));
  EXPECT_THAT(warnings,
              testing::Contains("sqlite, edr_cluster, in 10 stages, the first: none: volume: no modes"));
}

TEST(Analysis, AnotherRunsU0IsNoTwin) {
  RunData run;
  add_controls(run);
  add_controls(run, "random_binary", 5, 1);
  for (int repetition = 1; repetition <= 5; ++repetition) {
    add_record(run, make_record({.grade = 0, .repetition = repetition}), 0);
    add_record(run, make_record({.grade = 90, .repetition = repetition, .eta = 0.5}), 1);
  }
  // Control cells of the second run count once only.
  for (StageRow& row : run.stages)
    if (row.source == 1 && row.record.cell.control) {
      row.record.superseded = true;
      row.counted_elsewhere = true;
    }
  const Analysis analysis = analyse(run);
  EXPECT_THAT(verdict_of(analysis, "sqlite").reason, HasSubstr("there is no U0 of its block"));
}

TEST(Analysis, AnInvalidRecordIsInNoResult) {
  RunData run = run_of({}, std::vector<double>(6, 0.5));
  StageRecord& bad = run.stages.back().record;
  bad.valid = false;
  bad.reason = "CONNECTION_LOST";
  bad.after_bytes["files"] = -1;
  const Analysis analysis = analyse(run);
  const Verdict& verdict = verdict_of(analysis, "sqlite");
  EXPECT_EQ(verdict.n, 5U);
  EXPECT_EQ(verdict.word, VerdictWord::kPartial);
  EXPECT_THAT(verdict.reason, HasSubstr("1 pair refused: not valid"));
  EXPECT_TRUE(analysis.figures.back().stored_bytes.empty());
  EXPECT_EQ(group_of(analysis, "sqlite").edr.at("files").n, 5U);
  EXPECT_EQ(group_of(analysis, "sqlite").valid_rows, 5U);
  EXPECT_EQ(analysis.valid, 11U);
  EXPECT_EQ(analysis.invalid, 1U);
  EXPECT_EQ(analysis.invalid_reasons.at("CONNECTION_LOST"), 1U);
}

TEST(Analysis, ASupersededRecordIsInNoResult) {
  RunData run = run_of({}, std::vector<double>(5, 0.5));
  StageRecord old = make_record({.grade = 90, .repetition = 1, .eta = -3});
  old.superseded = true;
  add_record(run, old);
  const Analysis analysis = analyse(run);
  EXPECT_EQ(verdict_of(analysis, "sqlite").n, 5U);
  EXPECT_NEAR(*verdict_of(analysis, "sqlite").eta, 0.5, 1e-6);
  EXPECT_TRUE(analysis.figures.back().stored_bytes.empty());
  EXPECT_EQ(analysis.superseded, 1U);
  EXPECT_EQ(analysis.valid, 10U);
}

TEST(Analysis, AMissingProbeNeverBecomesANumber) {
  // What a failed size query has been mistaken for: minus one, zero, the logical size.
  for (const std::int64_t pretended : {std::int64_t{-1}, std::int64_t{0}, kLogical}) {
    SCOPED_TRACE(pretended);
    const RunData run = changed(run_of({}, std::vector<double>(5, 0.5)), 90, [&](StageRecord& record) {
      record.after_bytes["files"] = pretended;
      record.missing["files"] = "size query failed";
    });
    const Analysis analysis = analyse(run);
    const Verdict& verdict = verdict_of(analysis, "sqlite");
    EXPECT_EQ(verdict.n, 0U);
    EXPECT_FALSE(verdict.eta);
    EXPECT_THAT(verdict.reason, HasSubstr("size query failed"));
    EXPECT_FALSE(group_of(analysis, "sqlite").edr.contains("files"));
    // The other probe is not touched by it.
    EXPECT_EQ(verdict_of(analysis, "sqlite", "apparent").word, VerdictWord::kPartial);
  }
}

TEST(Analysis, APartIsJudgedLikeAWhole) {
  RunData run = run_of({}, std::vector<double>(5, 0));
  for (StageRow& row : run.stages) {
    StageRecord& record = row.record;
    record.empty_bytes["files:payload"] = 0;
    // The payload part shrinks by all duplicates although the whole does not.
    record.after_bytes["files:payload"] = record.unique_bytes;
  }
  const Analysis analysis = analyse(run);
  EXPECT_EQ(verdict_of(analysis, "sqlite").word, VerdictWord::kNone);
  EXPECT_EQ(verdict_of(analysis, "sqlite", "files:payload").word, VerdictWord::kFull);
}

TEST(Analysis, WhereNothingIsLeftThereIsNoVerdict) {
  RunData run = run_of({}, std::vector<double>(5, 0));
  for (StageRow& row : run.stages) {
    row.record.stage = "perfile_delete";
    row.record.logical_bytes = 0;
    row.record.unique_bytes = 0;
  }
  const Analysis analysis = analyse(run);
  const Group& group = group_of(analysis, "sqlite", "U90", "perfile_delete");
  EXPECT_TRUE(group.verdicts.empty());
  EXPECT_TRUE(group.edr.empty());
  EXPECT_EQ(group.edr_max, 0);
}

TEST(Analysis, AnInsertThatNeverSucceededStillHasAVerdict) {
  const RunData run = changed(run_of({}, std::vector<double>(5, 0)), 90, [](StageRecord& record) {
    record.valid = false;
    record.reason = "read-back differs";
    record.after_bytes.clear();
  });
  const Analysis analysis = analyse(run);
  EXPECT_EQ(verdict_of(analysis, "sqlite").word, VerdictWord::kTooFewRepetitions);
  EXPECT_THAT(verdict_of(analysis, "sqlite").reason, HasSubstr("not valid"));
  EXPECT_EQ(analysis.invalid_reasons.at("read-back differs"), 5U);
}

TEST(Analysis, AnUnsupportedStageHasNoFiguresAndNoVerdict) {
  const RunData run = changed(run_of({}, std::vector<double>(5, 0)), 90, [](StageRecord& record) {
    record.valid = false;
    record.unsupported = true;
    record.reason = "unsupported: no bulk path";
  });
  const Analysis analysis = analyse(run);
  EXPECT_TRUE(group_of(analysis, "sqlite").verdicts.empty());
  EXPECT_TRUE(group_of(analysis, "sqlite").edr.empty());
  EXPECT_EQ(analysis.unsupported, 5U);
  EXPECT_EQ(analysis.invalid, 0U);
}

TEST(Analysis, ADeclaredLossIsSemanticAndHasNoEta) {
  const RunData run = changed(run_of({}, {0.9, 0.9}), 90, [](StageRecord& record) {
    record.keeps = "one per key";
    record.removed = 360;
  });
  const Analysis analysis = analyse(run);
  const Verdict& verdict = verdict_of(analysis, "sqlite");
  EXPECT_EQ(verdict.word, VerdictWord::kSemantic);
  EXPECT_EQ(verdict.removed, 360U);
  EXPECT_EQ(verdict.of, 400U);
  EXPECT_EQ(verdict.n, 2U);
  EXPECT_FALSE(verdict.eta);
  EXPECT_FALSE(verdict.low);
  EXPECT_THAT(verdict.reason, HasSubstr("360 of 400"));
  EXPECT_FALSE(group_of(analysis, "sqlite").etas.contains("files"));
}

TEST(Analysis, AVerdictNamesTheDuplicateUnit) {
  RunData run = run_of({}, {0.5, 0.5});
  EXPECT_EQ(verdict_of(analyse(run), "sqlite").duplicate_unit, "object");
  const auto with = [&run](DuplicateUnit unit) {
    for (StageRow& row : run.stages)
      if (row.record.cell.system == "sqlite") row.record.cell.dataset.unit = unit;
    return analyse(run);
  };
  const Analysis blocks = with({.kind = DuplicateUnit::Kind::kBlock, .bytes = 4_KiB});
  EXPECT_EQ(verdict_of(blocks, "sqlite").duplicate_unit, "block:4 KiB");
  EXPECT_NEAR(*verdict_of(blocks, "sqlite").eta, 0.5, 1e-6);
}

TEST(Analysis, EtaOfChangedCopiesIsOfTheBytesTheyShareWithTheirOriginal) {
  RunData run = run_of({}, std::vector<double>(5, 0.5));
  for (StageRow& row : run.stages) {
    StageRecord& record = row.record;
    if (record.cell.system != "sqlite") continue;
    record.cell.dataset.unit = {.kind = DuplicateUnit::Kind::kChanged, .bytes = Bytes{16}};
    record.near_duplicate_bytes = record.logical_bytes - record.unique_bytes;
    record.unique_bytes = record.logical_bytes;
  }
  const Analysis halved = analyse(run);
  EXPECT_NEAR(*verdict_of(halved, "sqlite").eta, 0.5, 1e-6);
  EXPECT_EQ(verdict_of(halved, "sqlite").word, VerdictWord::kPartial);
  EXPECT_THAT(verdict_of(halved, "sqlite").reason,
              HasSubstr("d is 0, eta is of the bytes that changed copies"));
  EXPECT_NEAR(group_of(halved, "sqlite").edr_max, 10, 1e-6) << "of a system that finds what they share";
  for (StageRow& row : run.stages) row.record.near_duplicate_bytes = 0;  // As if no copy shared anything.
  EXPECT_FALSE(verdict_of(analyse(run), "sqlite").eta);
}

TEST(Analysis, SemanticRemovalThatVariesSaysTheLeast) {
  RunData run =
      changed(run_of({}, {0.9, 0.9}), 90, [](StageRecord& record) { record.keeps = "one per key"; });
  std::uint64_t removed = 100;
  run = changed(std::move(run), 90, [&](StageRecord& record) { record.removed = removed += 50; });
  const Analysis analysis = analyse(run);
  EXPECT_EQ(verdict_of(analysis, "sqlite").removed, 150U);
  EXPECT_THAT(verdict_of(analysis, "sqlite").reason,
              HasSubstr("150 of 400 objects removed at least, 200 at most"));
}

TEST(Analysis, AFailedControlWithholdsEverythingButSemantic) {
  RunData run;
  add_pairs(run, {.system = "files", .control = true}, std::vector<double>(5, 0.5));  // Must be 0.
  add_pairs(run, {.system = "cas", .control = true}, std::vector<double>(5, 1));
  add_pairs(run, {}, std::vector<double>(5, 0));
  add_pairs(run, {.system = "rocksdb"}, {0, 0});  // Withheld outranks too few.
  add_pairs(run, {.system = "null"}, std::vector<double>(5, 0.9));
  for (StageRow& row : run.stages)
    if (row.record.cell.system == "null") row.record.keeps = "one per key";
  add_controls(run, "structured_json");
  add_pairs(run, {.system = "lmdb", .payload = "structured_json"}, std::vector<double>(5, 0));
  const Analysis analysis = analyse(run);
  EXPECT_EQ(verdict_of(analysis, "sqlite").word, VerdictWord::kWithheld);
  EXPECT_THAT(verdict_of(analysis, "sqlite").reason, HasSubstr("eta of 'files' is 0.5"));
  EXPECT_EQ(verdict_of(analysis, "rocksdb").word, VerdictWord::kWithheld);
  EXPECT_EQ(verdict_of(analysis, "cas").word, VerdictWord::kWithheld);
  EXPECT_EQ(verdict_of(analysis, "null").word, VerdictWord::kSemantic);
  EXPECT_EQ(verdict_of(analysis, "lmdb").word, VerdictWord::kNone);
}

TEST(Analysis, AVerdictNeedsFivePairsOfItsControlsToo) {
  for (const auto& [files, cas, word] :
       {std::tuple{4, 5, VerdictWord::kWithheld}, std::tuple{5, 4, VerdictWord::kWithheld},
        std::tuple{5, 5, VerdictWord::kNone}}) {
    RunData run;
    add_pairs(run, {.system = "files", .control = true},
              std::vector<double>(static_cast<std::size_t>(files), 0));
    add_pairs(run, {.system = "cas", .control = true}, std::vector<double>(static_cast<std::size_t>(cas), 1));
    add_pairs(run, {}, std::vector<double>(5, 0));
    add_pairs(run, {.system = "rocksdb"}, {0, 0});
    const Analysis analysis = analyse(run);
    EXPECT_EQ(verdict_of(analysis, "sqlite").word, word) << verdict_of(analysis, "sqlite").reason;
    EXPECT_EQ(verdict_of(analysis, "rocksdb").word, VerdictWord::kTooFewRepetitions) << "its own lack";
  }
}

TEST(Analysis, ControlsAreNotCountedInTheMatrix) {
  const Analysis analysis = analyse(run_of({}, std::vector<double>(5, 0)));
  EXPECT_EQ(analysis.valid, 10U);
}

TEST(Analysis, PayloadsAndVariantsStandAsThePlanListsThemWhateverRanFirst) {
  RunData run;
  run.info.plan_toml =
      "[dataset]\npayloads = [\"text_document\", \"random_binary\"]\n[systems.sqlite]\nvariants = "
      "[\"page_64k\", \"default\"]\n[systems.lmdb]\n";
  for (const auto& [variant, payload] : {std::pair{"default", "random_binary"},
                                         {"page_64k", "random_binary"},
                                         {"default", "text_document"},
                                         {"page_64k", "text_document"}})
    add_record(run, make_record({.variant = variant, .payload = payload}));
  add_record(run, make_record({.system = "lmdb", .payload = "random_binary"}));
  std::vector<std::string> names;
  for (const Group& group : analyse(run).groups)
    names.push_back(group.system + " " + group.variant + " " + group.payload);
  EXPECT_EQ(names, (std::vector<std::string>{"sqlite page_64k text_document", "sqlite page_64k random_binary",
                                             "sqlite default text_document", "sqlite default random_binary",
                                             "lmdb default random_binary"}));
}

TEST(Analysis, OfNothingIsNothing) {
  const Analysis analysis = analyse({});
  EXPECT_TRUE(analysis.groups.empty());
  EXPECT_TRUE(analysis.controls.empty());
  EXPECT_TRUE(analysis.figures.empty());
}

}  // namespace
}  // namespace lab::report
