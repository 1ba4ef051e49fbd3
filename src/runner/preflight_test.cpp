// SPDX-License-Identifier: Apache-2.0
#include "runner/preflight.hpp"

#include <fmt/format.h>

#include <fstream>

#include "core/files.hpp"
#include "driver/embedded_home.hpp"
#include "payload/real_data_test_support.hpp"
#include "runner/estimate.hpp"
#include "runner/testing/preflight_test_support.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

TEST_F(PreflightTest, AGoodPlanPassesAndNothingIsWritten) {
  for (const Check& check : preflight(small_plan(), two_systems(), root_ / "run"))
    EXPECT_TRUE(check.passed) << check.detail;
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(PreflightTest, RecordsOfRealDataAreCheckedAndCountedBeforeTheLoad) {
  constexpr int kRecords = 100;
  const fs::path corpora = root_ / "corpora";
  write_real_records(corpora, kRecords);
  Plan plan = small_plan();
  plan.systems.resize(1);
  plan.real_world_dir = corpora.string();
  plan.dataset.payloads = {"bank_transactions"};
  plan.dataset.grades = {0};
  plan.dataset.modes = {"native"};
  plan.dataset.object_sizes = {SizeLaw{.kind = SizeLaw::Kind::kRecord}};
  const auto checked = [&plan] { return check_payloads(plan, expand(plan)); };
  ASSERT_TRUE(checked()) << checked().error().text();
  const DatasetInputs inputs{.real_world_dir = corpora.string()};
  const Cell cell = expand(plan).front().cells.front();
  const auto dataset = Dataset::make(cell.dataset, inputs);
  ASSERT_TRUE(dataset) << dataset.error().text();
  const auto logical = logical_bytes(cell, inputs);
  ASSERT_TRUE(logical) << logical.error().text();
  EXPECT_EQ(*logical, (*dataset)->real_data_report()->bytes) << "all records of the source";
  const Estimate needs = estimate(plan, expand(plan), two_systems());
  EXPECT_GT(needs.logical, *logical) << "two repetitions";
  EXPECT_FALSE(check_quantum(plan, expand(plan), two_systems()).empty()) << "few bytes for blocks of 4 KiB";
  plan.dataset.objects = kRecords + 1;
  EXPECT_NE(checked().error().detail.find("has 100 different records"), std::string::npos);
  plan.dataset.objects = 10;
  plan.dataset.object_sizes = {SizeLaw{.low = Bytes{64}}};
  EXPECT_NE(checked().error().detail.find("object_size must be \"record\", not \"64\""), std::string::npos)
      << checked().error().detail;
  plan.dataset.payloads = {"random_binary"};
  plan.dataset.object_sizes = {SizeLaw{.kind = SizeLaw::Kind::kRecord}};
  EXPECT_NE(checked().error().detail.find("object size record: of real data"), std::string::npos);
}

TEST_F(PreflightTest, AScanThatCannotBeIsSaidBeforeTheLoad) {
  Plan plan = small_plan();
  EXPECT_EQ(find(preflight(plan, two_systems(), root_ / "run"), "scan"), nullptr) << "none is asked for";
  plan.scan.chunkers = {{ChunkerSpec::Kind::kFixed, 1U << 20U}};
  auto checks = preflight(plan, two_systems(), root_ / "run");
  ASSERT_NE(find(checks, "scan"), nullptr);
  EXPECT_TRUE(find(checks, "scan")->passed) << find(checks, "scan")->detail;
  plan.scan.memory = 1_MiB;
  checks = preflight(plan, two_systems(), root_ / "run");
  EXPECT_FALSE(find(checks, "scan")->passed);
  plan.scan.memory = 256_MiB;
  const char* const before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ASSERT_EQ(::setenv("TMPDIR", (root_ / "nowhere").c_str(), 1), 0);
  checks = preflight(plan, two_systems(), root_ / "run");
  ASSERT_EQ(kept.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", kept.c_str(), 1), 0);
  EXPECT_FALSE(find(checks, "scan")->passed);
  EXPECT_NE(find(checks, "scan")->detail.find("nowhere"), std::string::npos);
}

TEST_F(PreflightTest, AFolderWithForeignFilesIsRefused) {
  std::ofstream(root_ / "precious") << "x";
  Plan plan = small_plan();
  plan.systems[0].path = root_.string();
  const auto checks = preflight(plan, two_systems(), "/tmp/none");
  ASSERT_NE(find(checks, "files"), nullptr);
  EXPECT_FALSE(find(checks, "files")->passed);
  EXPECT_NE(find(checks, "files")->detail.find("not ours"), std::string::npos);
}

TEST_F(PreflightTest, AFolderOfAnotherSystemOrOfARunThatGoesOnIsRefused) {
  Plan plan = small_plan();
  plan.systems[0].path = (root_ / "home").string();
  const auto detail = [&] {
    const auto checks = preflight(plan, two_systems(), root_ / "run");
    const Check* const files = find(checks, "files");
    return files == nullptr ? "none" : files->passed ? "passed" : files->detail;
  };
  {
    const auto theirs = EmbeddedHome::open(root_ / "home", "sqlite", "20260131T120000Z-7e57ab1e");
    ASSERT_TRUE(theirs) << theirs.error().text();
  }
  EXPECT_NE(detail().find("holds data of sqlite, not of files"), std::string::npos) << detail();
  ASSERT_TRUE(EmbeddedHome::remove(root_ / "home", "sqlite"));
  const auto ours = EmbeddedHome::open(root_ / "home", "files", "20260131T120000Z-7e57ab1e");
  ASSERT_TRUE(ours) << ours.error().text();
  EXPECT_NE(detail().find("held by run 20260131T120000Z-7e57ab1e"), std::string::npos) << detail();
}

TEST_F(PreflightTest, TheHookBetweenLoadAndSizesNeedsItsProgramAndItsFolder) {
  Plan plan = small_plan();
  plan.hooks.after_operations = {"sh", "-c", "true", "{directory}"};
  const auto good = preflight(plan, two_systems(), root_ / "run");
  ASSERT_NE(find(good, "files after_operations"), nullptr);
  EXPECT_TRUE(find(good, "files after_operations")->passed);
  EXPECT_NE(find(good, "files after_operations")->detail.find((root_ / "run/data/files").string()),
            std::string::npos);
  plan.hooks.after_operations = {"no-such-dedupe"};
  const auto bad = preflight(plan, two_systems(), root_ / "run");
  ASSERT_NE(find(bad, "files after_operations"), nullptr);
  EXPECT_FALSE(find(bad, "files after_operations")->passed);
  EXPECT_NE(find(bad, "files after_operations")->detail.find("no-such-dedupe"), std::string::npos);
}

TEST_F(PreflightTest, WhatARequiredProbeNeedsIsSaidBeforeTheLoad) {
  SystemEntry server = files_system();
  server.name = "server";
  server.embedded = false;
  const Registry registry{server, files_system(), cas_system()};
  Plan plan = small_plan();
  plan.systems = {{.name = "server", .url = "x://y"}, {.name = "files", .probes = {"files", "command:a"}}};
  plan.systems[1].commands = {{.name = "a", .argv = {"no-such-program-anywhere"}}};
  const auto bad = preflight(plan, registry, root_ / "run");
  for (const char* name : {"server directory", "files command:a"}) {
    SCOPED_TRACE(name);
    ASSERT_NE(find(bad, name), nullptr);
    EXPECT_FALSE(find(bad, name)->passed);
  }
  plan.systems[0].directory = root_.string();
  plan.systems[1].commands[0].argv = {"sh"};
  const auto good = preflight(plan, registry, root_ / "run");
  EXPECT_EQ(find(good, "server directory"), nullptr);
  ASSERT_NE(find(good, "files command:a"), nullptr);
  EXPECT_TRUE(find(good, "files command:a")->passed);
  plan.systems[0].probes = {"zfs"};
  plan.systems[1].probes = {"btrfs"};
  const auto there = preflight(plan, registry, root_ / "run");
  for (const char* name : {"server zfs", "files btrfs"}) {
    SCOPED_TRACE(name);
    ASSERT_NE(find(there, name), nullptr);
    EXPECT_NE(find(there, name)->detail.find(root_.string() + " lies on "), std::string::npos)
        << find(there, name)->detail;
  }
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(PreflightTest, AVolumeThatCannotBeReadIsSaidBeforeTheLoad) {
  Plan plan = small_plan();
  plan.systems[0].volume = (root_ / "gone.img").string();
  plan.systems[1].volume = (root_ / "disk.img").string();
  std::ofstream(root_ / "disk.img") << "x";
  const auto checks = preflight(plan, two_systems(), root_ / "run");
  ASSERT_NE(find(checks, "files volume"), nullptr);
  EXPECT_FALSE(find(checks, "files volume")->passed);
  ASSERT_NE(find(checks, "cas volume"), nullptr);
  EXPECT_TRUE(find(checks, "cas volume")->passed) << find(checks, "cas volume")->detail;
}

/// A server whose check answers with what the test puts here.

TEST_F(PreflightTest, ADiskThatIsTooSmallIsSaidBeforeTheLoad) {
  Plan plan = small_plan();
  plan.dataset.objects = 900'000'000;
  const auto checks = preflight(plan, two_systems(), root_ / "run");
  ASSERT_NE(find(checks, "files disk"), nullptr);
  EXPECT_FALSE(find(checks, "files disk")->passed);
}

TEST_F(PreflightTest, ObjectsTooSmallToBeDistinctAreAnError) {
  Plan plan = small_plan();
  plan.dataset.object_sizes = {SizeLaw{.low = Bytes{0}}};
  const auto checks = preflight(plan, two_systems(), root_ / "run");
  EXPECT_FALSE(checks.front().passed);
}

TEST_F(PreflightTest, MaxBytesBelowTheNeedIsRefused) {
  Plan plan = small_plan();
  plan.systems[0].max_bytes = Bytes{1000};
  EXPECT_FALSE(find(preflight(plan, two_systems(), root_ / "run"), "files max_bytes")->passed);
}

TEST_F(PreflightTest, APathThatIsTheRunDirectoryOrAnotherSystemsIsRefused) {
  Plan plan = small_plan();
  plan.systems[0].path = (root_ / "run").string();
  EXPECT_FALSE(find(preflight(plan, two_systems(), root_ / "run"), plan.systems[0].name)->passed);
  plan.systems[0].path = (root_ / "same").string();
  EXPECT_TRUE(find(preflight(plan, two_systems(), root_ / "run"), plan.systems[0].name)->passed);
  plan.systems[1].path = (root_ / "." / "same").string();
  EXPECT_FALSE(find(preflight(plan, two_systems(), root_ / "run"), plan.systems[1].name)->passed);
}

TEST_F(PreflightTest, APlanTooSmallForItsSystemIsWarnedOfWithTheSizeItNeeds) {
  Plan plan = small_plan();
  plan.dataset.object_sizes = {SizeLaw{.low = Bytes{4096}}};
  const auto checks = check_quantum(plan, expand(plan), two_systems());
  ASSERT_FALSE(checks.empty());
  EXPECT_TRUE(checks.front().warning);
  EXPECT_NE(checks.front().detail.find("objects in all"), std::string::npos);
  // The number that it names is enough, and one less is not.
  for (const int grade : {0, 33, 90, 99})
    for (const std::uint64_t objects : {1U, 11U, 40U, 90U}) {
      plan.dataset.grades = {grade};
      plan.dataset.objects = objects;
      const auto small = check_quantum(plan, expand(plan), two_systems());
      if (small.empty()) continue;
      const std::string& text = small.front().detail;
      const std::uint64_t named = std::stoull(text.substr(text.find("that is ") + 8));
      SCOPED_TRACE(text);
      plan.dataset.objects = named;
      EXPECT_TRUE(check_quantum(plan, expand(plan), two_systems()).empty());
      plan.dataset.objects = named - 1;
      EXPECT_FALSE(check_quantum(plan, expand(plan), two_systems()).empty());
    }
  EXPECT_TRUE(check_quantum(small_plan(), expand(small_plan()), two_systems()).empty());
}

TEST_F(PreflightTest, EachProbeOfThePlanWithACoarseStepHasThatWarningToo) {
  Plan plan = small_plan();
  SystemPlan& system = plan.systems[0];
  system.metrics = {{.name = "v", .url = "http://127.0.0.1:1", .metric = "m", .step = 64_MiB}};
  system.commands = {{.name = "fine", .argv = {"true"}}, {.name = "rough", .argv = {"true"}, .step = 8_MiB}};
  const auto checks = check_quantum(plan, expand(plan), two_systems());
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_TRUE(checks[0].warning);
  EXPECT_NE(checks[0].detail.find("command:rough that moves by 8.00 MiB"), std::string::npos)
      << checks[0].detail;
  EXPECT_NE(checks[1].detail.find("metrics:v that moves by 64.0 MiB needs 6.25 GiB"), std::string::npos)
      << checks[1].detail;
}

TEST_F(PreflightTest, RealFilesAndTheStepOfTheVariantCountInThatWarning) {
  Plan plan = small_plan();
  std::filesystem::create_directories(root_ / "pool");
  for (int number = 0; number < 4; ++number)
    ASSERT_TRUE(write_file_atomic(root_ / "pool" / fmt::format("{}", number),
                                  std::string(100, static_cast<char>('a' + number))));
  plan.dataset.payloads = {"directory:" + (root_ / "pool").string()};
  plan.dataset.grades = {0};
  plan.dataset.objects = 4;
  EXPECT_NE(check_quantum(plan, expand(plan), two_systems()).at(0).detail.find("has 400 B of unique bytes"),
            std::string::npos);
  Registry registry = two_systems();
  for (SystemEntry& entry : registry) entry.variants = {{"default", "", 1_MiB}};
  const auto checks = check_quantum(small_plan(), expand(small_plan()), registry);
  ASSERT_FALSE(checks.empty());
  EXPECT_NE(checks.front().detail.find("files that grow by 1.00 MiB"), std::string::npos);
}

TEST_F(PreflightTest, AColdPlanOverAServerNeedsACommandThatRestartsIt) {
  SystemEntry server = files_system();
  server.name = "server";
  server.embedded = false;
  const Registry registry{server, files_system(), cas_system()};
  Plan plan = small_plan();
  plan.systems = {{.name = "server", .url = "x://y"}, {.name = "files"}};
  EXPECT_EQ(find(preflight(plan, registry, root_ / "run"), "server restart"), nullptr) << "warm needs none";
  plan.dataset.caches = {"warm", "cold"};
  const auto without = preflight(plan, registry, root_ / "run");
  const Check* const check = find(without, "server restart");
  ASSERT_NE(check, nullptr);
  EXPECT_FALSE(check->passed);
  EXPECT_NE(check->detail.find("[hooks] restart"), std::string::npos) << check->detail;
  EXPECT_EQ(find(without, "files restart"), nullptr) << "an embedded system needs none";
  plan.hooks.restart = {"no-such-program-anywhere", "{system}"};
  EXPECT_FALSE(find(preflight(plan, registry, root_ / "run"), "server restart")->passed);
  plan.hooks.restart = {"sh", "{system}"};
  EXPECT_TRUE(find(preflight(plan, registry, root_ / "run"), "server restart")->passed);
}

TEST(Estimate, CountsCellsStagesAndBytesExactly) {
  const Plan plan = small_plan();
  const Estimate needs = estimate(plan, expand(plan), two_systems());
  EXPECT_EQ(needs.cells, 8U);  // 2 systems x 2 grades x 2 repetitions
  EXPECT_EQ(needs.control_cells, 0U);
  EXPECT_EQ(needs.stage_measurements, 8U);
  EXPECT_EQ(needs.logical.count, 8LL * 100 * 65'536);
}

TEST(Estimate, HoldsTheRestOfFiguresThatLag) {
  Plan plan = small_plan();
  const double without = estimate(plan, expand(plan), two_systems()).seconds;
  plan.systems[0].metrics = {
      {.name = "m", .url = "http://127.0.0.1:1", .metric = "m", .lag = Millis{60'000}}};
  plan.settle.limit = Millis{120'000};
  // Four cells of one chain and one stage rest twice each, and the idle control lasts as long as the lag.
  const double more = 60.0 * 2 * 4 + 60 - std::chrono::duration<double>(plan.settle.idle).count();
  EXPECT_DOUBLE_EQ(estimate(plan, expand(plan), two_systems()).seconds, without + more);
  Registry servers = two_systems();
  for (SystemEntry& entry : servers) entry.embedded = false;
  plan.systems[0].metrics.clear();
  const double at_once = estimate(plan, expand(plan), servers).seconds;
  plan.systems[0].metrics = {{.name = "m", .url = "http://127.0.0.1:1", .metric = "m", .lag = Millis{3'000}}};
  // Four chains of one stage: two rests and an idle control, each two seconds longer than the usual second.
  EXPECT_DOUBLE_EQ(estimate(plan, expand(plan), servers).seconds, at_once + 4 * 3 * 2.0);
  plan.settle.limit = Millis{1'000};
  EXPECT_DOUBLE_EQ(estimate(plan, expand(plan), servers).seconds, at_once) << "it can never answer";
}

TEST(Estimate, HoldsTheScansOfTheStagesThatAreScannedAndOfNoOthers) {
  Plan plan = small_plan();
  const double without = estimate(plan, expand(plan), two_systems()).seconds;
  EXPECT_EQ(estimate(plan, expand(plan), two_systems()).scan_seconds, 0);
  plan.scan.chunkers = {{ChunkerSpec::Kind::kFixed, 4096}, {ChunkerSpec::Kind::kCdc, 8192}};
  plan.scan.census = false;
  const Estimate needs = estimate(plan, expand(plan), two_systems());
  const double gigabytes = 8.0 * 100 * 65'536 / 1e9;  // Eight cells of one stage.
  EXPECT_DOUBLE_EQ(needs.scan_seconds, gigabytes * (kAssumedScanRead + 2 * kAssumedScanChunker));
  EXPECT_DOUBLE_EQ(needs.seconds, without + needs.scan_seconds);
  plan.scan.census = true;
  EXPECT_GT(estimate(plan, expand(plan), two_systems()).scan_seconds, needs.scan_seconds);
  plan.scan.stages = {StageKind::kMaintenance};
  EXPECT_EQ(estimate(plan, expand(plan), two_systems()).scan_seconds, 0) << "no chain has it";
  plan.scan.stages = {};
  Registry registry = two_systems();
  for (SystemEntry& entry : registry) entry.has_files = false;
  EXPECT_EQ(estimate(plan, expand(plan), registry).scan_seconds, 0);
}

}  // namespace
}  // namespace lab
