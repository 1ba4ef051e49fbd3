// Controls that deduplicate by themselves: what backup programs made of exact data, as a scan finds it.
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/process.hpp"
#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::int64_t kObject = 131'072;
constexpr std::int64_t kObjects = 400;
constexpr std::int64_t kDistinct = 40;  // U90.
constexpr double kOverheadMax = 0.05;   // Indexes, trees and headers, by the distinct bytes.

class BackupRepository : public ProgramTest {
 protected:
  void make(const std::string& grade, const std::string& folder) const {
    const Ended made = run({"generate", "--payload", "random_binary", "--grade", grade, "--objects",
                            std::to_string(kObjects), "--object-size", std::to_string(kObject), "--output",
                            (root_ / folder).string()});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }

  /// Where everything was installed before, a missing program is a fault and no reason to skip.
  static bool may_skip(const char* program) { return !find_program(program) && std::getenv("CI") == nullptr; }

  /// Both keep what they know of the user's repositories, and their keys, below HOME.
  void tool(std::vector<std::string> argv) const {
    const auto ended =
        run_command({Clock::now() + std::chrono::seconds(120), {}},
                    {.argv = std::move(argv),
                     .environment = {"HOME=" + (root_ / "home").string(), "RESTIC_PASSWORD=of this test",
                                     "RESTIC_PROGRESS_FPS=0.1"},
                     .directory = root_});
    ASSERT_TRUE(ended) << ended.error().text();
    ASSERT_EQ(ended->exit_code, 0) << ended->output;
  }

  json scan(const std::string& folder, const std::string& chunker) const {
    const Ended ended =
        run({"--json", "scan", "--no-progress", "--chunker", chunker, (root_ / folder).string()});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    const json all = json::parse(ended.out, nullptr, false);
    return all.is_array() && all.size() == 1 ? all[0] : json::object();
  }

  /// One copy of each distinct object, and nothing that a layer below could still remove.
  void expect_one_copy_of_each(const std::string& repository) const {
    const json source = scan("data/objects", "fixed:131072");
    EXPECT_EQ(source["bytes"], kObjects * kObject);
    EXPECT_EQ(source["unique_bytes"], kDistinct * kObject);
    EXPECT_DOUBLE_EQ(source["residual"].get<double>(), 0.9);
    for (const char* chunker : {"fixed:4096", "cdc:2048"}) {
      SCOPED_TRACE(chunker);
      const json found = scan(repository, chunker);
      EXPECT_GE(found["bytes"].get<std::int64_t>(), kDistinct * kObject);
      EXPECT_LE(found["bytes"].get<double>(), (1 + kOverheadMax) * kDistinct * kObject);
      EXPECT_LT(found["residual"].get<double>(), 0.01);
    }
  }
};

TEST_F(BackupRepository, OfResticHoldsEachDistinctObjectOnce) {
  if (may_skip("restic")) GTEST_SKIP() << "restic is not installed: scripts/setup test";
  ASSERT_NO_FATAL_FAILURE(make("U90", "data"));
  ASSERT_NO_FATAL_FAILURE(tool({"restic", "init", "--quiet", "--repo", "repository"}));
  ASSERT_NO_FATAL_FAILURE(
      tool({"restic", "backup", "--quiet", "--no-cache", "--repo", "repository", "data/objects"}));
  expect_one_copy_of_each("repository");
}

TEST_F(BackupRepository, OfBorgHoldsEachDistinctObjectOnce) {
  if (may_skip("borg")) GTEST_SKIP() << "borg is not installed: scripts/setup test";
  ASSERT_NO_FATAL_FAILURE(make("U90", "data"));
  ASSERT_NO_FATAL_FAILURE(tool({"borg", "init", "--encryption", "none", "repository"}));
  ASSERT_NO_FATAL_FAILURE(tool({"borg", "create", "repository::one", "data/objects"}));
  expect_one_copy_of_each("repository");
}

/// A known answer: logical bytes to those of the repository, by grade.
TEST_F(BackupRepository, OfBorgWithoutCompressionGivesTheKnownRatios) {
  if (may_skip("borg")) GTEST_SKIP() << "borg is not installed: scripts/setup test";
  struct Known {
    const char* grade;
    double low;
    double high;
  };
  for (const Known& known :
       {Known{"U0", 0.99, 1.0}, Known{"U50", 1.97, 2.0}, Known{"U90", 9.6, 10.0}, Known{"U99", 75, 85}}) {
    SCOPED_TRACE(known.grade);
    const std::string name = known.grade;
    ASSERT_NO_FATAL_FAILURE(make(name, "data-" + name));
    ASSERT_NO_FATAL_FAILURE(tool({"borg", "init", "--encryption", "none", "repository-" + name}));
    ASSERT_NO_FATAL_FAILURE(tool({"borg", "create", "--compression", "none", "repository-" + name + "::one",
                                  "data-" + name + "/objects"}));
    const double stored = scan("repository-" + name, "fixed:4096")["bytes"];
    EXPECT_GE(kObjects * kObject / stored, known.low);
    EXPECT_LE(kObjects * kObject / stored, known.high);
  }
}

}  // namespace
}  // namespace lab::e2e
