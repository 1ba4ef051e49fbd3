// A server whose disk is full: found before a run where it can be, else its cells are invalid and say why.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "../e2e/program_test_support.hpp"
#include "probe/testing/loop_file_system.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::int64_t kDisk = 700LL << 20;
// A server that neither takes nor refuses costs each step its whole limit: the operations, and the reset of
// the next cell, twice with the warm-up; and what was written, at the end.
constexpr std::chrono::seconds kEndLimit{300};
constexpr std::int64_t kLeft = 24LL << 20;  // Of the disk, when it is filled under the run.

class FullServerDisk : public ProgramTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    disk_ = std::make_unique<LoopFileSystem>(root_, "ext4", "", kDisk);
    if (!disk_->mounted()) GTEST_SKIP() << disk_->lacks();
    environment_ = {{"XDG_STATE_HOME", disk_->top().string()}};
    // A server that refuses root runs as another user, who must get to its home.
    for (const fs::path& above : {root_, root_.parent_path()})
      fs::permissions(above, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
    const Ended up =
        with_state({"testbed", "up", GetParam(), "--directory", (disk_->top() / "homes").string()});
    // Where everything was installed before, a missing server is a fault and no reason to skip.
    if (up.exit_code == 3 && std::getenv("CI") == nullptr)
      GTEST_SKIP() << GetParam() << " is not installed: " << up.err;
    ASSERT_EQ(up.exit_code, 0) << up.err;
    const Ended table = with_state({"testbed", "env", GetParam()});
    ASSERT_EQ(table.exit_code, 0) << table.err;
    table_ = table.out;
  }
  void TearDown() override {
    fs::remove(ballast());
    if (!environment_.empty()) {
      const Ended down = with_state({"testbed", "down"});
      EXPECT_EQ(down.exit_code, 0) << down.err;
    }
    disk_.reset();
    ProgramTest::TearDown();
  }

  Ended with_state(std::vector<std::string> arguments) const {
    return deduplab(std::move(arguments), scratch_, environment_);
  }
  std::string plan_of(std::uint64_t objects) const {
    return write("plan.toml", fmt::format(R"([run]
seed = 7
repetitions = 1
[dataset]
payloads = ["random_binary"]
grades = ["U0"]
objects = {}
object_size = "128 KiB"
[stages]
chains = [["bulk_insert"]]
limit = "40s"
step_limit = "40s"
[settle]
window = "300ms"
limit = "20s"
[retry]
max_retries = 0
reconnect_attempts = 1
{}
)",
                                          objects, table_))
        .string();
  }
  fs::path ballast() const { return disk_->top() / "ballast"; }

  /// Leaves `kLeft` of the disk.
  void fill() const {
    struct statvfs disk{};
    ASSERT_EQ(::statvfs(disk_->top().c_str(), &disk), 0);
    const auto free = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
    const int file = ::open(ballast().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ASSERT_GE(file, 0);
    EXPECT_EQ(::posix_fallocate(file, 0, free - kLeft), 0);
    ::close(file);
  }

  std::unique_ptr<LoopFileSystem> disk_{};
  std::map<std::string, std::string> environment_{};
  std::string table_{};
};

TEST_P(FullServerDisk, IsFoundBeforeAnythingIsWritten) {
  const std::string plan = plan_of(40'000);
  const Ended examined = with_state({"doctor", plan});
  EXPECT_EQ(examined.exit_code, 3) << examined.out;
  EXPECT_NE((examined.out + examined.err).find(std::string(GetParam()) + " disk"), std::string::npos)
      << examined.out;
  const Ended refused = with_state({"run", plan, "--out", (root_ / "out").string(), "--no-progress"});
  EXPECT_EQ(refused.exit_code, 3) << refused.err;
  EXPECT_FALSE(fs::exists(root_ / "out")) << "nothing is written";
}

TEST_P(FullServerDisk, ThatFillsUnderTheRunMakesItsCellsInvalidWithTheReason) {
  const std::string plan = plan_of(800);
  const fs::path out = root_ / "out";
  Program program({LAB_PROGRAM_PATH, "run", plan, "--out", out.string(), "--no-progress"}, scratch_,
                  environment_);
  for (int looks = 0; looks < 1'000 && program.running() && !fs::exists(out / "journal.db"); ++looks)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ASSERT_NO_FATAL_FAILURE(fill());
  const Ended ended = program.wait(kEndLimit);
  EXPECT_EQ(ended.exit_code, 1) << ended.err;
  std::ifstream file(out / "results.json");
  const Json results = Json::parse(file, nullptr, false);
  ASSERT_TRUE(results.is_object());
  int records = 0;
  for (const Json& stage : results["stages"]) {
    if (stage["system"] != GetParam()) continue;
    ++records;
    EXPECT_FALSE(stage["valid"].get<bool>()) << "100 MiB do not go into 24";
    EXPECT_FALSE(stage["reason"].get<std::string>().empty());
    std::cout << "[ reason   ] " << GetParam() << ": " << stage["reason"].get<std::string>() << "\n";
    EXPECT_TRUE(stage["edr"].empty());
  }
  EXPECT_EQ(records, 1);
}

INSTANTIATE_TEST_SUITE_P(Servers, FullServerDisk,
                         testing::Values("postgresql", "mariadb", "clickhouse", "redis", "kafka", "minio"),
                         [](const auto& parameter) { return std::string(parameter.param); });

}  // namespace
}  // namespace lab::e2e
