// Figures of one record: what exists, what is absent and why.
// SPDX-License-Identifier: Apache-2.0
#include "report/figures.hpp"

#include <gtest/gtest.h>

#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

StageRecord record_with(std::int64_t stored, std::int64_t noise) {
  StageRecord record = make_record({.noise = noise});
  record.after_bytes["files"] = kEmptyBytes + stored;
  return record;
}

/// A stage that ends with `after` bytes in files; the system was at `before` and, empty, at kEmptyBytes.
StageRecord stage_between(const std::string& stage, std::int64_t before, std::int64_t after,
                          std::int64_t noise) {
  StageRecord record = make_record({.noise = noise});
  record.stage = stage;
  record.before_bytes["files"] = kEmptyBytes + before;
  record.after_bytes["files"] = kEmptyBytes + after;
  if (stage != "refill") record.logical_bytes = 0;
  return record;
}

TEST(Figures, StoredBytesAreMeasuredAgainstTheEmptySystem) {
  const StageFigures figures = compute_figures(record_with(1'000'000, 0));
  EXPECT_EQ(figures.stored_bytes.at("files"), 1'000'000);
  EXPECT_DOUBLE_EQ(figures.edr.at("files"), static_cast<double>(kLogical) / 1e6);
  EXPECT_DOUBLE_EQ(figures.edr_cluster.at("files"), static_cast<double>(kLogical) / 1e6);
  EXPECT_TRUE(figures.missing.empty());
}

TEST(Figures, UnderThreeNoiseFloorsThereIsNoNumber) {
  struct Case {
    std::int64_t stored, noise;
    bool is_number;
  };
  for (const Case& c : {Case{299, 100, false}, Case{300, 100, true}, Case{-299, 100, false},
                        Case{0, 1, false}, Case{0, 0, true}, Case{-300, 100, true}}) {
    SCOPED_TRACE(c.stored);
    const StageFigures figures = compute_figures(record_with(c.stored, c.noise));
    EXPECT_EQ(figures.stored_bytes.contains("files"), c.is_number);
    if (!c.is_number) {
      EXPECT_NE(figures.missing.at("files").find("below resolution"), std::string::npos);
      EXPECT_FALSE(figures.edr.contains("files"));
    }
  }
}

TEST(Figures, NothingStoredHasNoRatio) {
  for (const std::int64_t stored : {std::int64_t{0}, std::int64_t{-4096}}) {
    const StageFigures figures = compute_figures(record_with(stored, 0));
    EXPECT_EQ(figures.stored_bytes.at("files"), stored);
    EXPECT_FALSE(figures.edr.contains("files"));
    EXPECT_NE(figures.missing.at("files").find("no EDR"), std::string::npos);
  }
}

TEST(Figures, AMissingReadingIsNeverReplacedByANumber) {
  StageRecord record = make_record({});
  record.after_bytes.erase("files");
  EXPECT_EQ(compute_figures(record).missing.at("files"), "no reading after the stage");
  record = make_record({});
  record.empty_bytes.erase("files");
  EXPECT_EQ(compute_figures(record).missing.at("files"), "no reading of the empty system");
  record = make_record({});
  record.missing["files"] = "unsettled";
  const StageFigures figures = compute_figures(record);
  EXPECT_EQ(figures.missing.at("files"), "unsettled");
  EXPECT_FALSE(figures.stored_bytes.contains("files"));
  EXPECT_FALSE(figures.edr.contains("files"));
  EXPECT_TRUE(figures.edr.contains("apparent"));
}

TEST(Figures, AnInvalidOrUnsupportedRecordHasNone) {
  for (const bool unsupported : {false, true}) {
    StageRecord record = make_record({});
    record.valid = unsupported;
    record.unsupported = unsupported;
    const StageFigures figures = compute_figures(record);
    EXPECT_TRUE(figures.stored_bytes.empty());
    EXPECT_TRUE(figures.edr.empty());
    EXPECT_TRUE(figures.edr_cluster.empty());
  }
}

TEST(Figures, WhereNothingShouldBeStoredThereIsNoRatio) {
  const StageFigures figures = compute_figures(stage_between("perfile_delete", kLogical, 4'096, 0));
  EXPECT_EQ(figures.stored_bytes.at("files"), 4'096);
  EXPECT_TRUE(figures.edr.empty());
  EXPECT_FALSE(figures.missing.contains("files"));
}

TEST(Figures, AFigureOfOneCopyIsNeverDivided) {
  StageRecord record = make_record({});
  record.copies = 3;
  record.scope = {{"files", "one copy"}, {"apparent", "all copies"}};
  const StageFigures figures = compute_figures(record);
  EXPECT_DOUBLE_EQ(figures.edr.at("files"), 1);
  EXPECT_DOUBLE_EQ(figures.edr_cluster.at("files"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(figures.edr.at("apparent"), 3);
  EXPECT_DOUBLE_EQ(figures.edr_cluster.at("apparent"), 1);
}

TEST(Figures, TheClusterPaysForEachCopyOfTheStorageAndTheRatioOfOneCopyDoesNot) {
  StageRecord record = make_record({});
  record.copies = 2;
  record.storage_copies = 3;
  record.scope = {{"files", "one copy"}, {"apparent", "all copies"}};
  const StageFigures figures = compute_figures(record);
  EXPECT_DOUBLE_EQ(figures.edr.at("files"), 1);
  EXPECT_DOUBLE_EQ(figures.edr_cluster.at("files"), 1.0 / 6);
  EXPECT_DOUBLE_EQ(figures.edr.at("apparent"), 2);
  EXPECT_DOUBLE_EQ(figures.edr_cluster.at("apparent"), 1.0 / 3);
  record.storage_copies = 0;
  EXPECT_FALSE(compute_figures(record).edr_cluster.contains("files"));
}

TEST(Figures, WhereTheStoragesCopiesWereNotCountedTheClusterHasNoRatio) {
  StageRecord record = make_record({});
  record.copies_unknown = "volume: no modes";
  const StageFigures figures = compute_figures(record);
  EXPECT_TRUE(figures.edr.contains("files"));
  EXPECT_TRUE(figures.edr_cluster.empty());
  EXPECT_EQ(figures.missing.at("edr_cluster"), "the copies of the storage are not known: volume: no modes");
}

TEST(Figures, WithoutAScopeSeveralCopiesGiveNoRatio) {
  StageRecord record = make_record({});
  record.scope.clear();
  EXPECT_TRUE(compute_figures(record).edr.contains("files"));
  record.copies = 3;
  EXPECT_FALSE(compute_figures(record).edr.contains("files"));
}

TEST(Figures, APartTakesWhatItLacksFromItsWhole) {
  StageRecord record = make_record({.noise = 100, .quantum = 4096});
  record.after_bytes["files:log"] = kEmptyBytes + 250;
  record.empty_bytes["files:log"] = kEmptyBytes;
  EXPECT_TRUE(compute_figures(record).missing.contains("files:log"));
  EXPECT_DOUBLE_EQ(stored_uncertainty(record, "files:log").value(),
                   stored_uncertainty(record, "files").value());
  record.noise_bytes["files:log"] = 10;
  EXPECT_EQ(compute_figures(record).stored_bytes.at("files:log"), 250);
}

TEST(Figures, FreedShareIsOfWhatWasStoredBefore) {
  const StageFigures figures = compute_figures(stage_between("perfile_delete", 1'000'000, 250'000, 100));
  EXPECT_DOUBLE_EQ(*figures.eta_free, 0.75);
  EXPECT_FALSE(figures.reuse_share);
  EXPECT_DOUBLE_EQ(*compute_figures(stage_between("maintenance", 1'000'000, 1'100'000, 0)).eta_free, -0.1);
}

TEST(Figures, FreedShareBelowTheNoiseIsNoNumber) {
  const StageFigures nothing_freed =
      compute_figures(stage_between("delete_logical", 1'000'000, 999'900, 100));
  EXPECT_FALSE(nothing_freed.eta_free);
  EXPECT_NE(nothing_freed.missing.at("freed_share").find("below resolution"), std::string::npos);
  const StageFigures nothing_there = compute_figures(stage_between("maintenance", 200, 100, 100));
  EXPECT_FALSE(nothing_there.eta_free);
  EXPECT_NE(nothing_there.missing.at("freed_share").find("nothing above resolution"), std::string::npos);
}

TEST(Figures, ReuseShareIsWhatRefillingDidNotGrow) {
  EXPECT_DOUBLE_EQ(*compute_figures(stage_between("refill", kLogical, kLogical * 5 / 4, 0)).reuse_share,
                   0.75);
  EXPECT_DOUBLE_EQ(*compute_figures(stage_between("refill", kLogical, kLogical, 0)).reuse_share, 1);
  EXPECT_FALSE(compute_figures(stage_between("refill", kLogical, kLogical + 100, 100)).reuse_share);
  StageRecord copies = stage_between("refill", kLogical, kLogical * 4, 0);
  copies.copies = 3;
  EXPECT_DOUBLE_EQ(*compute_figures(copies).reuse_share, 0);
}

TEST(Figures, AShareIsMissingWhereFilesIs) {
  StageRecord record = stage_between("perfile_delete", 1'000'000, 0, 0);
  record.missing["files"] = "unsettled";
  EXPECT_FALSE(compute_figures(record).eta_free);
  EXPECT_EQ(compute_figures(record).missing.at("freed_share"), "unsettled");
}

TEST(Figures, ATimeThatNoSampleShowsIsMarkedAsCensored) {
  StageRecord record = stage_between("maintenance", 1'000'000, 250'000, 100);
  EXPECT_EQ(compute_figures(record).missing.at("seconds_to_95").substr(0, 9), "censored:");
  record.seconds_to_95 = 3.5;
  EXPECT_FALSE(compute_figures(record).missing.contains("seconds_to_95"));
  const StageFigures grown = compute_figures(stage_between("maintenance", 1'000'000, 1'100'000, 0));
  EXPECT_FALSE(grown.missing.contains("seconds_to_95")) << "nothing became free, so nothing is waited for";
}

TEST(Figures, ASharedFileSystemThatDriftsGivesNoNumberUnderThreeNoiseFloors) {
  StageRecord record = make_record({});
  for (const char* probe : {"filesystem", "volume", "volume:trimmed"}) {
    record.empty_bytes[probe] = 1'000'000'000;
    record.after_bytes[probe] = 1'000'299'999;
    record.scope[probe] = "all copies";
  }
  record.noise_bytes["filesystem"] = 100'000;
  record.noise_bytes["volume"] = 100'000;  // Of the trimmed one too.
  const StageFigures figures = compute_figures(record);
  for (const char* probe : {"filesystem", "volume", "volume:trimmed"}) {
    SCOPED_TRACE(probe);
    EXPECT_FALSE(figures.stored_bytes.contains(probe));
    EXPECT_FALSE(figures.edr.contains(probe));
    EXPECT_EQ(figures.missing.at(probe), "below resolution: 299999 bytes, noise floor 100000 bytes");
  }
  record.after_bytes["filesystem"] += 1;
  EXPECT_EQ(compute_figures(record).stored_bytes.at("filesystem"), 300'000);
}

}  // namespace
}  // namespace lab::report
