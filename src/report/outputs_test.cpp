// Which files are written, and what happens when one cannot be.
// SPDX-License-Identifier: Apache-2.0
#include "report/outputs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing/temporary_folder.hpp"
#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

namespace fs = std::filesystem;

RunData sample_run() {
  RunData run;
  run.info.run_id = "run-1";
  add_controls(run);
  add_pairs(run, {}, {0.5, 0.5});
  return run;
}

std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

TEST(WriteOutputs, WritesWhatWasAskedForAndNothingElse) {
  struct Case {
    std::set<Format> formats;
    std::set<std::string> want;
  };
  const std::set<std::string> csv{"results.csv", "stages.csv", "samples.csv", "events.csv", "scans.csv"};
  const RunData run = sample_run();
  const Analysis analysis = analyse(run);
  for (const Case& c : {Case{{Format::kCsv}, csv}, Case{{Format::kJson}, {"results.json"}},
                        Case{{Format::kHtml}, {"report.html"}}, Case{{}, {}}}) {
    const TemporaryFolder folder;
    const Status written = write_outputs(run, analysis, folder.path() / "new", c.formats);
    ASSERT_TRUE(written) << written.error().text();
    EXPECT_EQ(files_in(folder.path() / "new"), c.want);
  }
}

TEST(WriteOutputs, ReplacesOlderFiles) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomic(folder.path() / "results.json", "old"));
  const RunData run = sample_run();
  ASSERT_TRUE(write_outputs(run, analyse(run), folder.path(), {Format::kJson}));
  EXPECT_TRUE(read_file(folder.path() / "results.json")->starts_with("{"));
}

TEST(WriteOutputs, AFailureNamesTheFileAndLeavesNoHalf) {
  const TemporaryFolder folder;
  const RunData run = sample_run();
  for (const std::string name : {"stages.csv", "results.json", "report.html"}) {
    SCOPED_TRACE(name);
    // A folder stands where the file should: the rename cannot succeed.
    ASSERT_TRUE(make_directories(folder.path() / name / "occupied"));
    const Status written =
        write_outputs(run, analyse(run), folder.path(), {Format::kCsv, Format::kJson, Format::kHtml});
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().text(), testing::HasSubstr((folder.path() / name).string()));
    for (const std::string& left : files_in(folder.path())) EXPECT_FALSE(left.ends_with(".tmp")) << left;
    ASSERT_TRUE(remove_tree(folder.path() / name));
  }
}

}  // namespace
}  // namespace lab::report
