// Reading journals, alone and united.
// SPDX-License-Identifier: Apache-2.0
#include "report/run_data.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.hpp"
#include "core/testing/temporary_folder.hpp"
#include "report/outputs.hpp"
#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kCommon = "[run]\nseed = 42\n[dataset]\nobjects = 400\n";

struct Directory {
  std::string name{};
  std::string plan = std::string(kCommon) + "[systems.sqlite]\n";
  std::vector<StageRecord> records{};
  std::string cells_planned = "4";
  std::string run_id{};  // The name where it is empty.
  std::string metric = "files";
};

/// Writes a run directory below `folder`: one attempt a record, two samples each, one event.
fs::path write_directory(const TemporaryFolder& folder, const Directory& directory) {
  const fs::path path = folder.path() / directory.name;
  EXPECT_TRUE(make_directories(path));
  RunInfo info;
  info.run_id = directory.run_id.empty() ? directory.name : directory.run_id;
  info.seed = 42;
  info.plan_toml = directory.plan;
  auto journal = Journal::create(path, info);
  EXPECT_TRUE(journal) << journal.error().text();
  if (!journal) return path;
  for (const StageRecord& record : directory.records) {
    const auto attempt = (*journal)->begin_attempt(block_id(record.cell), record.cell_id);
    EXPECT_TRUE(attempt);
    const std::vector<Sample> samples{{1000, directory.metric, 5, "bytes"},
                                      {1100, directory.metric, 6.5, "bytes"}};
    EXPECT_TRUE((*journal)->add_stage(*attempt, record, samples));
    EXPECT_TRUE((*journal)->finish_attempt(*attempt));
  }
  EXPECT_TRUE((*journal)->add_event({5, "run_started", "", "", "", "", directory.name}));
  if (!directory.cells_planned.empty()) {
    EXPECT_TRUE((*journal)->set_value("cells_planned", directory.cells_planned));
  }
  EXPECT_TRUE((*journal)->set_value("environment", "{\"kernel\": \"" + directory.name + "\"}"));
  EXPECT_TRUE((*journal)->close());
  return path;
}

std::vector<StageRecord> cells(const std::string& system, int count, bool control = false) {
  std::vector<StageRecord> records;
  for (int repetition = 1; repetition <= count; ++repetition)
    records.push_back(make_record({.system = system, .repetition = repetition, .control = control}));
  return records;
}

TEST(LoadRuns, ReadsOneDirectory) {
  const TemporaryFolder folder;
  Directory one{.name = "a", .records = cells("sqlite", 3)};
  const auto controls = cells("files", 1, true);
  one.records.insert(one.records.end(), controls.begin(), controls.end());
  const std::vector<fs::path> paths{write_directory(folder, one)};
  const auto run = load_runs(paths);
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ(run->info.run_id, "a");
  EXPECT_EQ(run->info.seed, 42U);
  EXPECT_EQ(run->stages.size(), 4U);
  EXPECT_EQ(run->stages[1].record.cell.repetition, 2);
  EXPECT_EQ(run->stages[1].record.after_bytes.at("files"), kEmptyBytes + kLogical);
  EXPECT_EQ(run->events.size(), 1U);
  EXPECT_EQ(run->environment_json, "{\"kernel\": \"a\"}");
  EXPECT_EQ(run->cells_finished, 3U) << "controls are not counted";
  EXPECT_EQ(run->cells_planned, 4U);
  EXPECT_THAT(run->notes, testing::ElementsAre(HasSubstr("1 of 4 cells are not finished")));
  const auto samples = load_samples(*run, run->stages[1]);
  ASSERT_TRUE(samples);
  ASSERT_EQ(samples->size(), 2U);
  EXPECT_EQ((*samples)[1].value, 6.5);
}

TEST(LoadRuns, APlanBesideTheJournalThatIsAnotherOneIsNoted) {
  const TemporaryFolder folder;
  const std::vector<fs::path> paths{write_directory(folder, {.name = "a", .records = cells("sqlite", 4)})};
  const auto recorded = load_runs(paths)->info.plan_toml;
  ASSERT_TRUE(write_file_atomic(paths[0] / "plan.toml", recorded));
  EXPECT_THAT(load_runs(paths)->notes, testing::Not(testing::Contains(HasSubstr("plan.toml"))));
  ASSERT_TRUE(write_file_atomic(paths[0] / "plan.toml", recorded + "# of another run\n"));
  EXPECT_THAT(load_runs(paths)->notes,
              testing::Contains(HasSubstr("is not the plan of the journal beside it")));
}

TEST(LoadRuns, UnitesDirectoriesOfOnePlan) {
  const TemporaryFolder folder;
  const std::vector<fs::path> paths{
      write_directory(folder, {.name = "a", .records = cells("sqlite", 4)}),
      write_directory(
          folder,
          {.name = "b", .plan = std::string(kCommon) + "[systems.lmdb]\n", .records = cells("lmdb", 4)})};
  const auto run = load_runs(paths);
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ(run->stages.size(), 8U);
  EXPECT_EQ(run->stages.back().source, 1U);
  EXPECT_EQ(run->run_ids, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(run->cells_planned, 8U);
  EXPECT_EQ(run->cells_finished, 8U);
  EXPECT_EQ(run->events.size(), 2U);
  EXPECT_TRUE(run->notes.empty());
  EXPECT_EQ(load_samples(*run, run->stages.back())->size(), 2U);
}

TEST(LoadRuns, RefusesAnotherPlanAndNamesTheKey) {
  const TemporaryFolder folder;
  const std::vector<fs::path> paths{
      write_directory(folder, {.name = "a"}),
      write_directory(folder, {.name = "b", .plan = "[run]\nseed = 42\n[dataset]\nobjects = 40\n"})};
  const auto run = load_runs(paths);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(run.error().detail, HasSubstr("dataset.objects is 400 and 40"));
}

TEST(LoadRuns, RefusesTheSameRunTwice) {
  const TemporaryFolder folder;
  const std::vector<fs::path> paths{write_directory(folder, {.name = "a"}),
                                    write_directory(folder, {.name = "b", .run_id = "a"})};
  const auto run = load_runs(paths);
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().detail, HasSubstr("same run"));
}

TEST(LoadRuns, TheFirstDirectoryCountsWhereACellStandsInTwo) {
  const TemporaryFolder folder;
  Directory second{.name = "b", .records = cells("sqlite", 3)};
  const auto controls = cells("files", 2, true);
  second.records.insert(second.records.end(), controls.begin(), controls.end());
  Directory first{.name = "a", .records = cells("sqlite", 2)};
  first.records.insert(first.records.end(), controls.begin(), controls.end());
  const std::vector<fs::path> paths{write_directory(folder, first), write_directory(folder, second)};
  const auto run = load_runs(paths);
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ(run->cells_finished, 3U);
  std::map<std::string, int> counted;
  for (const StageRow& row : run->stages) {
    counted[row.record.cell_id] += row.record.superseded ? 0 : 1;
    EXPECT_EQ(row.counted_elsewhere, row.record.superseded);
    if (row.record.superseded) {
      EXPECT_THAT(row.record.reason, HasSubstr("too"));
    }
  }
  EXPECT_EQ(counted.size(), 5U);
  for (const auto& [cell, count] : counted) EXPECT_EQ(count, 1) << cell;
  // Two conflicts by name, the controls in one line, one cell left over.
  ASSERT_EQ(run->notes.size(), 4U);
  EXPECT_THAT(run->notes[0], HasSubstr("conflict: cell system=sqlite"));
  EXPECT_THAT(run->notes[1], HasSubstr("conflict: cell system=sqlite"));
  EXPECT_THAT(run->notes[2], HasSubstr("2 control cells"));
}

TEST(LoadRuns, NamesASystemThatIsConfiguredDifferently) {
  const TemporaryFolder folder;
  const std::string plan = kCommon;
  const std::vector<fs::path> paths{
      write_directory(folder, {.name = "a", .plan = plan + "[systems.sqlite]\nvariants = ['x']\n"}),
      write_directory(folder,
                      {.name = "b", .plan = plan + "[systems.sqlite]\nvariants = ['y']\npath = '/d'\n"})};
  const auto run = load_runs(paths);
  ASSERT_TRUE(run);
  EXPECT_THAT(run->notes, testing::Contains(HasSubstr("system 'sqlite' is configured differently")));
}

TEST(LoadRuns, SaysWhenThePlannedCellsAreNotKnown) {
  const TemporaryFolder folder;
  const std::vector<fs::path> paths{
      write_directory(folder, {.name = "a", .records = cells("sqlite", 2), .cells_planned = ""})};
  const auto run = load_runs(paths);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->cells_planned, 2U);
  EXPECT_THAT(run->notes, testing::ElementsAre(HasSubstr("was not recorded")));
}

TEST(LoadRuns, RefusesADirectoryWithoutAJournal) {
  const TemporaryFolder folder;
  const std::vector<fs::path> paths{folder.path()};
  EXPECT_FALSE(load_runs(paths));
  EXPECT_FALSE(load_runs({}));
}

TEST(LoadRuns, WritesTheSamplesOfEveryDirectory) {
  const TemporaryFolder folder;
  std::vector<StageRecord> records = cells("lmdb", 1);
  const std::vector<fs::path> paths{
      write_directory(folder, {.name = "a", .records = cells("sqlite", 1)}),
      write_directory(folder,
                      {.name = "b", .plan = std::string(kCommon) + "[systems.lmdb]\n", .records = records})};
  const auto run = load_runs(paths);
  ASSERT_TRUE(run);
  ASSERT_TRUE(write_outputs(*run, analyse(*run), folder.path() / "out", {Format::kCsv}));
  const std::string text = *read_file(folder.path() / "out/samples.csv");
  EXPECT_THAT(text, HasSubstr("1000,sqlite,files,5,bytes,system=sqlite"));
  EXPECT_THAT(text, HasSubstr("1100,lmdb,files,6.5,bytes,system=lmdb"));
}

TEST(SamplingGap, IsTheLongestOneOverThreePeriods) {
  const auto at = [](std::int64_t time_ms, const char* metric) {
    return Sample{time_ms, metric, 1, "bytes"};
  };
  const std::vector<Sample> steady{at(0, "files"), at(0, "engine"), at(100, "files"), at(400, "files")};
  EXPECT_FALSE(find_sampling_gap(steady, Millis{100})) << "three periods are none";
  const std::vector<Sample> holes{at(0, "files"), at(301, "files"), at(400, "files"), at(900, "files")};
  EXPECT_EQ(find_sampling_gap(holes, Millis{100}), Millis{500});
  EXPECT_FALSE(find_sampling_gap({}, Millis{100}));
}

TEST(SamplingGap, IsFoundInTheJournalAndWarnedOf) {
  const TemporaryFolder folder;
  std::vector<StageRecord> records = cells("sqlite", 2);
  for (StageRecord& record : records) record.samples = 2;
  const auto run_with = [&](const char* name, const char* interval) {
    const std::vector<fs::path> paths{write_directory(
        folder, {.name = name,
                 .plan = std::string(kCommon) + "[stages]\nsample_interval = '" + interval + "'\n",
                 .records = records})};
    auto run = load_runs(paths);
    EXPECT_TRUE(run);
    return run ? *run : RunData{};
  };
  const RunData holes = run_with("a", "20ms");  // The two samples lie 100 ms apart.
  ASSERT_EQ(holes.stages.size(), 2U);
  EXPECT_EQ(holes.stages[0].sampling_gap, Millis{100});
  EXPECT_THAT(analyse(holes).warnings,
              testing::Contains(HasSubstr("2 stages have a gap of over three periods in their samples")));
  const RunData steady = run_with("b", "100ms");
  EXPECT_FALSE(steady.stages[0].sampling_gap);
  EXPECT_THAT(analyse(steady).warnings, testing::Not(testing::Contains(HasSubstr("gap"))));
}

TEST(SamplingGap, OfAStageWhoseSamplesWereThinnedCountsFromWhatIsKept) {
  const TemporaryFolder folder;
  std::vector<StageRecord> records = cells("sqlite", 1);
  records[0].samples = 8;  // The journal has two rounds of them, 100 ms apart: one of four was kept.
  const std::vector<fs::path> paths{
      write_directory(folder, {.name = "a",
                               .plan = std::string(kCommon) + "[stages]\nsample_interval = '30ms'\n",
                               .records = records,
                               .metric = "acked_objects"})};
  const auto run = load_runs(paths);
  ASSERT_TRUE(run);
  EXPECT_FALSE(run->stages[0].sampling_gap) << "100 ms are less than three times 4 x 30 ms";
}

}  // namespace
}  // namespace lab::report
