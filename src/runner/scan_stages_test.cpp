// Scans after the stages of a run: where they are in the journal, and that they change nothing else.
// SPDX-License-Identifier: Apache-2.0
#include "runner/testing/run_fixture.hpp"

namespace lab {
namespace {

struct ScannedRunTest : RunFixture {
  ScannedRunTest() {
    plan_.scan.chunkers = {{ChunkerSpec::Kind::kFixed, 4096}, {ChunkerSpec::Kind::kCdc, 512}};
  }
  void on_scan(double share) override { shares_.push_back(share); }

  std::vector<double> shares_{};
};

TEST_F(ScannedRunTest, EachRecordHasTheRedundancyOfItsFilesAndWhereTheCopiesAre) {
  plan_.stages.chains = {{StageKind::kBulkInsert}};
  ASSERT_TRUE(run());
  std::size_t seen = 0;
  for (const StageRecord& record : records()) {
    SCOPED_TRACE(record.cell_id);
    ASSERT_TRUE(record.valid) << record.reason;
    ASSERT_TRUE(record.scan);
    ASSERT_EQ(record.scan->missing, "");
    ASSERT_TRUE(record.scan->census);
    const CensusFigures& census = *record.scan->census;
    EXPECT_EQ(census.copies_expected, 6U);
    const bool once = record.cell.system == "cas";
    EXPECT_EQ(census.copies_whole, once ? record.unique_objects : 6U);
    EXPECT_EQ(census.located_bytes, once ? record.unique_bytes : record.logical_bytes);
    const ChunkRow& all = record.scan->rows.front();
    EXPECT_EQ(chunker_name(all.chunker), "fixed:4096");
    EXPECT_EQ(all.figures.name, "all");
    EXPECT_GE(all.figures.bytes, static_cast<std::uint64_t>(census.located_bytes));
    EXPECT_GE(record.ended_ms, record.started_ms);
    seen += 1;
  }
  EXPECT_EQ(seen, 8U) << "two systems, two grades, two repetitions";
}

TEST_F(ScannedRunTest, WhoeverWatchesIsToldHowMuchOfEachScanIsDone) {
  plan_.stages.chains = {{StageKind::kBulkInsert}};
  ASSERT_TRUE(run());
  EXPECT_EQ(std::count(shares_.begin(), shares_.end(), 1.0), 2 * 8)
      << "all read, and counting, of eight scans";
  for (const double share : shares_) {
    EXPECT_GT(share, 0);
    EXPECT_LE(share, 1);
  }
  shares_.clear();
  plan_.scan = {};
  directory_ /= "without";
  std::filesystem::create_directory(directory_);
  ASSERT_TRUE(run());
  EXPECT_TRUE(shares_.empty());
}

TEST_F(ScannedRunTest, OnlyTheStagesThatThePlanNamesAreScanned) {
  plan_.scan.stages = {StageKind::kPerfileInsert};
  ASSERT_TRUE(run());
  for (const StageRecord& record : records())
    EXPECT_EQ(record.scan.has_value(), record.stage == "perfile_insert") << record.stage;
}

TEST_F(ScannedRunTest, AScanThatFailsIsMissingWithItsReasonAndMakesNothingInvalid) {
  plan_.scan.memory = 1_MiB;
  plan_.scan.chunkers = {{ChunkerSpec::Kind::kFixed, 1U << 20U}};
  const auto outcome = run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->blocks_failed, 0U);
  for (const StageRecord& record : records()) {
    EXPECT_TRUE(record.valid) << record.reason;
    ASSERT_TRUE(record.scan);
    EXPECT_NE(record.scan->missing.find("too little"), std::string::npos) << record.scan->missing;
    EXPECT_TRUE(record.scan->rows.empty());
    EXPECT_TRUE(record.missing.empty() || !record.missing.contains("scan"));
  }
}

TEST_F(ScannedRunTest, AStageThatIsNotValidIsNotScanned) {
  faults({{.operation = "put", .code = ErrorCode::kRefused}});
  ASSERT_TRUE(run());
  bool invalid = false;
  for (const StageRecord& record : records()) {
    invalid = invalid || !record.valid;
    EXPECT_TRUE(record.valid || !record.scan) << record.stage;
  }
  EXPECT_TRUE(invalid);
}

TEST_F(ScannedRunTest, TheFiguresOfARunAreTheSameWithAndWithoutScans) {
  ASSERT_TRUE(run());
  const auto scanned = figures();
  std::filesystem::remove_all(directory_);
  ASSERT_TRUE(std::filesystem::create_directory(directory_));
  plan_.scan = {};
  ASSERT_TRUE(run());
  EXPECT_EQ(figures(), scanned);
}

}  // namespace
}  // namespace lab
