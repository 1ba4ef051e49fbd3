// A scan after a stage: figures by part, the census against what the system should hold, reasons for none.
// SPDX-License-Identifier: Apache-2.0
#include "stage/stage_scan.hpp"

#include <gtest/gtest.h>

#include "core/files.hpp"
#include "core/testing/temporary_folder.hpp"
#include "stage/testing/stage_fixture.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

/// An observer of folders that a test has filled; nothing else of it is asked.
class FolderObserver final : public Observer {
 public:
  explicit FolderObserver(std::vector<fs::path> roots) : roots_(std::move(roots)) {}

  Result<ServerIdentity> identity(const CallContext&) override { return ServerIdentity{}; }
  Result<std::map<std::string, std::string>> settings(const CallContext&) override {
    return std::map<std::string, std::string>{};
  }
  Result<std::map<std::string, double>> busy(const CallContext&) override {
    return std::map<std::string, double>{};
  }
  Result<std::vector<Counter>> activity(const CallContext&) override { return std::vector<Counter>{}; }
  Result<Footprint> footprint(const CallContext&) override { return Footprint{}; }
  Result<std::vector<fs::path>> directories(const CallContext&) override { return roots_; }
  std::optional<FilePart> part_of(const fs::path& relative) const override {
    const std::string name = relative.filename();
    if (name.starts_with("payload")) return FilePart::kPayload;
    if (name.starts_with("log")) return FilePart::kLog;
    return std::nullopt;
  }
  Bytes quantum() const override { return 4_KiB; }
  Result<double> copies(const CallContext&) override { return 1.0; }
  Result<std::map<std::string, double>> statement_seconds(const CallContext&) override {
    return std::map<std::string, double>{};
  }

 private:
  std::vector<fs::path> roots_;
};

/// 40 objects of 2 KiB at U50, and a folder that a test fills.
class StageScanTest : public testing::Test {
 protected:
  void SetUp() override {
    auto dataset = Dataset::make(small_spec(50));
    ASSERT_TRUE(dataset) << dataset.error().text();
    dataset_ = *dataset;
    state_ = std::make_unique<ChainState>(dataset_, Keeps::kAll);
    ASSERT_TRUE(state_->finish_insert());
    plan_.chunkers = {{ChunkerSpec::Kind::kFixed, 2048}};
  }

  /// Objects one after the other, in one file.
  void write_objects(const fs::path& path, std::uint64_t from, std::uint64_t to, std::string head = "") {
    std::string text = std::move(head);
    std::vector<std::byte> bytes;
    for (std::uint64_t number = from; number < to; ++number) {
      ASSERT_TRUE(dataset_->source().fill(state_->order_of(number).content, bytes));
      text += as_text(bytes);
    }
    ASSERT_TRUE(write_file_atomic(folder_.path() / path, text));
  }

  StageScan scan(const CallContext& call = {}) {
    FolderObserver observer({folder_.path()});
    return scan_stage({plan_, observer, *state_}, call);
  }

  static const ChunkFigures* figures_of(const StageScan& scan, std::string_view part) {
    for (const ChunkRow& row : scan.rows)
      if (row.figures.name == part) return &row.figures;
    return nullptr;
  }

  TemporaryFolder folder_{};
  std::shared_ptr<const Dataset> dataset_{};
  std::unique_ptr<ChainState> state_{};
  ScanPlan plan_{};
};

TEST_F(StageScanTest, FiguresAreByPartAndTheCensusFindsEveryCopy) {
  write_objects("payload.1", 0, 30);
  write_objects("log.1", 30, 40, "some header");
  write_objects("other", 0, 0, std::string(4096, '\0'));
  const StageScan found = scan();
  ASSERT_EQ(found.missing, "");
  ASSERT_EQ(found.rows.size(), 4U) << "all, payload, log, mixed";
  const ChunkFigures* all = figures_of(found, "all");
  EXPECT_EQ(all->bytes, 40 * 2048U + 11 + 4096);
  EXPECT_EQ(all->files, 3U);
  EXPECT_EQ(figures_of(found, "payload")->chunks, 30U);
  EXPECT_EQ(figures_of(found, "log")->bytes, 10 * 2048U + 11);
  EXPECT_EQ(figures_of(found, "log")->unique_bytes, 10 * 2048U + 11) << "shifted by the header, all differ";
  EXPECT_EQ(figures_of(found, "mixed")->zero_bytes, 4096U);
  EXPECT_EQ(figures_of(found, "index"), nullptr) << "no file is one";
  ASSERT_TRUE(found.census);
  EXPECT_EQ(found.census->originals, 20U);
  EXPECT_EQ(found.census->copies_expected, 40U);
  EXPECT_EQ(found.census->copies_whole, 40U);
  EXPECT_EQ(found.census->located_bytes, 40 * 2048);
  EXPECT_FALSE(found.census->gone);
  ASSERT_EQ(found.census->parts.size(), 3U);
  EXPECT_EQ(found.census->parts[0], (CensusPart{"payload", 30 * 2048, 30 * 2048}));
  EXPECT_EQ(found.census->parts[1], (CensusPart{"log", 10 * 2048 + 11, 10 * 2048}));
  EXPECT_EQ(found.census->parts[2], (CensusPart{"mixed", 4096, 0}));
}

TEST_F(StageScanTest, WhatWasDeletedAndIsStillThereIsCountedApart) {
  write_objects("payload.1", 0, 40);
  state_->finish_delete();
  const StageScan found = scan();
  ASSERT_TRUE(found.census) << found.missing;
  EXPECT_EQ(found.census->originals, 0U);
  EXPECT_EQ(found.census->copies_expected, 0U);
  EXPECT_EQ(found.census->located_bytes, 0);
  EXPECT_FALSE(found.census->share_located());
  ASSERT_TRUE(found.census->gone);
  EXPECT_EQ(*found.census->gone, (GoneContent{20, 40, 40 * 2048}));
}

TEST_F(StageScanTest, AVariantThatKeepsOnePerKeyIsExpectedToHoldOneCopy) {
  state_ = std::make_unique<ChainState>(dataset_, Keeps::kOnePerKeyAtIngestion);
  ASSERT_TRUE(state_->finish_insert());
  write_objects("payload.1", 0, 40);
  const StageScan found = scan();
  ASSERT_TRUE(found.census) << found.missing;
  EXPECT_EQ(found.census->copies_expected, 20U);
  EXPECT_EQ(found.census->copies_whole, 40U) << "it holds them all";
}

TEST_F(StageScanTest, WithoutACensusNothingIsSaidOfCopies) {
  write_objects("payload.1", 0, 40);
  plan_.census = false;
  const StageScan found = scan();
  EXPECT_EQ(found.missing, "");
  EXPECT_FALSE(found.census);
  EXPECT_EQ(figures_of(found, "all")->unique_chunks, 20U);
}

TEST_F(StageScanTest, WhatGoesWrongIsTheReasonWhyThereAreNoFigures) {
  EXPECT_NE(scan().missing.find("nothing to scan"), std::string::npos) << "an empty folder";
  FolderObserver nowhere({});
  EXPECT_NE(scan_stage({plan_, nowhere, *state_}, {}).missing.find("no files on the local machine"),
            std::string::npos);
  FolderObserver gone({folder_.path() / "gone"});
  EXPECT_NE(scan_stage({plan_, gone, *state_}, {}).missing.find("gone"), std::string::npos);
  write_objects("payload.1", 0, 40);
  plan_.memory = 1_MiB;
  plan_.chunkers = {{ChunkerSpec::Kind::kFixed, 1U << 20U}};
  EXPECT_NE(scan().missing.find("too little"), std::string::npos);
}

TEST_F(StageScanTest, AScanEndsWithItsLimitAndWithTheRun) {
  write_objects("payload.1", 0, 40);
  ASSERT_TRUE(write_file_atomic(folder_.path() / "log.1", std::string(32 << 20, 'x')));
  plan_.limit = Millis{1};
  const StageScan late = scan();
  EXPECT_NE(late.missing.find("not done within the limit of 1ms"), std::string::npos) << late.missing;
  EXPECT_TRUE(late.rows.empty());
  plan_.limit = Millis{600'000};
  std::stop_source stop;
  stop.request_stop();
  EXPECT_NE(scan({.stop = stop.get_token()}).missing.find("CANCELLED"), std::string::npos);
}

TEST(ScansAfter, TheStagesOfThePlanOrAllOfThem) {
  ScanPlan plan;
  EXPECT_FALSE(scans_after(plan, StageKind::kBulkInsert));
  plan.chunkers = {{ChunkerSpec::Kind::kFixed, 4096}};
  EXPECT_TRUE(scans_after(plan, StageKind::kBulkInsert));
  plan.stages = {StageKind::kMaintenance};
  EXPECT_FALSE(scans_after(plan, StageKind::kBulkInsert));
  EXPECT_TRUE(scans_after(plan, StageKind::kMaintenance));
}

TEST(CheckScan, MemoryThatIsTooLittleForTheChunkersIsNamedWithWhatWouldDo) {
  ScanPlan plan{.chunkers = {{ChunkerSpec::Kind::kFixed, 1U << 20U}}, .memory = 1_MiB};
  const Status status = check_scan(plan);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(status.error().detail.find("key 'scan.memory': 1 MiB is too little"), std::string::npos)
      << status.error().detail;
  plan.memory = Bytes{1LL << 50};
  EXPECT_NE(check_scan(plan).error().detail.find("more than the machine has"), std::string::npos);
  plan.chunkers.clear();
  EXPECT_TRUE(check_scan(plan)) << "no scan, no memory";
}

}  // namespace
}  // namespace lab
