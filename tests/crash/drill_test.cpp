// The fault matrix: a sample that changes with the day, and (label deep) all of it on each real server.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../e2e/program_test_support.hpp"
#include "probe/testing/loop_file_system.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::int64_t kDisk = 900LL << 20;
constexpr const char* kServers[] = {"postgresql", "mariadb", "clickhouse", "redis", "kafka", "minio"};

/// The number of the day, or what LAB_DRILL_SEED says.
std::uint64_t seed_of_today() {
  const char* const given = std::getenv("LAB_DRILL_SEED");
  if (given != nullptr) return std::strtoull(given, nullptr, 10);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::hours>(now).count() / 24);
}

class Drill : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    environment_ = {{"XDG_STATE_HOME", (root_ / "state").string()}};
    // The sanitizer wants to be the first library; the one that moves the clock is.
    const char* const options = std::getenv("ASAN_OPTIONS");
    environment_["ASAN_OPTIONS"] =
        std::string(options == nullptr ? "" : options) + ":verify_asan_link_order=0";
  }
  void TearDown() override {
    if (up_) {
      const Ended down = with_state({"testbed", "down"});
      EXPECT_EQ(down.exit_code, 0) << down.err;
    }
    disk_.reset();
    ProgramTest::TearDown();
  }

  Ended with_state(std::vector<std::string> arguments,
                   std::chrono::seconds limit = std::chrono::seconds(240)) {
    arguments.insert(arguments.begin(), LAB_PROGRAM_PATH);
    return Program(std::move(arguments), scratch_, environment_).wait(limit);
  }

  std::string plan_of(const std::string& chains, const std::string& tables) const {
    return write("plan.toml", fmt::format(R"([run]
seed = 7
repetitions = 1
[dataset]
payloads = ["random_binary"]
grades = ["U50"]
objects = 64
object_size = "32 KiB"
[stages]
chains = [{}]
[settle]
window = "300ms"
idle = "100ms"
[retry]
max_retries = 2
delays = ["5s", "10s"]
{})",
                                          chains, tables))
        .string();
  }

  /// The server's table, its data on a small disk of its own. Skips where it is not installed, but for a CI,
  /// where everything was.
  void start(const std::string& system, std::string& table) {
    disk_ = std::make_unique<LoopFileSystem>(root_, "ext4", "", kDisk);
    std::vector<std::string> words{"testbed", "up", system};
    if (disk_->mounted()) words.insert(words.end(), {"--directory", (disk_->top() / "homes").string()});
    // A server that refuses root runs as another user, who must get to its home.
    for (const fs::path& above : {root_, root_.parent_path()})
      fs::permissions(above, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
    const Ended up = with_state(words);
    if (up.exit_code == 3 && std::getenv("CI") == nullptr)
      GTEST_SKIP() << system << " is not installed: " << up.err;
    ASSERT_EQ(up.exit_code, 0) << up.err;
    up_ = true;
    const Ended env = with_state({"testbed", "env", system});
    ASSERT_EQ(env.exit_code, 0) << env.err;
    table = env.out;
  }

  Json outcomes() const {
    std::ifstream file(root_ / "drill" / "drill.json");
    const Json all = Json::parse(file, nullptr, false);
    return all.is_object() ? all["cells"] : Json::array();
  }

  std::map<std::string, std::string> environment_{};
  std::unique_ptr<LoopFileSystem> disk_{};
  bool up_ = false;
};

TEST_F(Drill, AServerThatTheTestbedDidNotStartIsRefusedAndNothingIsWritten) {
  for (const char* table : {"[systems.redis]\nurl = \"redis://127.0.0.1:1\"\n",
                            "[systems.postgresql]\nurl = \"postgresql://lab@db.example:5432/lab\"\n"}) {
    SCOPED_TRACE(table);
    const std::string plan = plan_of(R"(["bulk_insert"])", table);
    const Ended ended = with_state({"drill", plan, "--out", (root_ / "drill").string()});
    EXPECT_EQ(ended.exit_code, 3) << ended.err;
    EXPECT_NE(ended.err.find("was not started by `deduplab testbed up"), std::string::npos) << ended.err;
    EXPECT_FALSE(fs::exists(root_ / "drill"));
  }
}

TEST_F(Drill, WordsThatItDoesNotKnowAreUsageErrorsAndNothingIsWritten) {
  const std::string servers = "[systems.redis]\nurl = \"redis://127.0.0.1:1\"\n";
  struct Case {
    std::string tables;
    std::vector<std::string> flags;
    const char* said;
  };
  for (const Case& c :
       {Case{servers, {"--fault", "kil"}, "did you mean 'kill'"},
        Case{servers, {"--stage", "maintenance"}, "--stage"},
        Case{servers, {"--system", "kafka"}, "--system"}, Case{servers, {"--sample", "0"}, "--sample"},
        Case{servers, {"--limit", "soon"}, "--limit"},
        Case{"[systems.sqlite]\n", {}, "no system that is a server"}}) {
    SCOPED_TRACE(c.said);
    std::vector<std::string> words{"drill", plan_of(R"(["bulk_insert"])", c.tables), "--out",
                                   (root_ / "drill").string()};
    words.insert(words.end(), c.flags.begin(), c.flags.end());
    const Ended ended = with_state(words);
    EXPECT_EQ(ended.exit_code, 2) << ended.err;
    EXPECT_NE(ended.err.find(c.said), std::string::npos) << ended.err;
    EXPECT_FALSE(fs::exists(root_ / "drill"));
  }
}

TEST_F(Drill, OfTheDayEndsInAllowedOutcomesAndGoesOnFromWhatIsDone) {
  const std::uint64_t seed = seed_of_today();
  // Not the last: the size of what stands in for MinIO jumps by a third now and then without any fault.
  const std::string system = kServers[seed % (std::size(kServers) - 1)];
  std::printf("drill of the day: %s, LAB_DRILL_SEED=%llu\n", system.c_str(),
              static_cast<unsigned long long>(seed));
  std::string table;
  start(system, table);
  if (IsSkipped() || HasFatalFailure()) return;
  std::vector<std::string> words{"drill",    plan_of(R"(["bulk_insert", "delete_truncate"])", table),
                                 "--out",    (root_ / "drill").string(),
                                 "--seed",   std::to_string(seed),
                                 "--sample", "5",
                                 "--limit",  "75s"};
  const Ended ended = with_state(words);
  std::printf("%s", ended.out.c_str());
  EXPECT_TRUE(ended.exit_code == 0 || ended.exit_code == 6) << ended.exit_code << "\n"
                                                            << ended.err << ended.out;
  const Json done = outcomes();
  EXPECT_GE(done.size(), 1U) << ended.err;
  for (const Json& cell : done) EXPECT_TRUE(cell["allowed"].get<bool>()) << cell.dump(2);
  words.back() = "0ms";
  const Ended again = with_state(words);
  EXPECT_EQ(again.exit_code, ended.exit_code) << again.err;
  EXPECT_EQ(outcomes(), done);
  words[7] = "1";
  EXPECT_NE(with_state(words).exit_code, 2);
  EXPECT_EQ(outcomes(), done) << "a call for fewer cells leaves the table of all of them";
  words[5] = std::to_string(seed + 1);
  EXPECT_EQ(with_state(words).exit_code, 2) << "a drill of another seed is another drill";
}

class DrillMatrix : public Drill, public testing::WithParamInterface<const char*> {};

TEST_P(DrillMatrix, EveryFaultInEveryStageEndsInAnAllowedOutcome) {
  std::string table;
  start(GetParam(), table);
  if (IsSkipped() || HasFatalFailure()) return;
  const std::string chains =
      R"(["bulk_insert", "update", "delete_logical", "maintenance", "refill"], ["perfile_insert", "perfile_delete"],
  ["bulk_insert", "delete_truncate"], ["bulk_insert", "delete_drop"])";
  const Ended ended = with_state({"drill", plan_of(chains, table), "--out", (root_ / "drill").string(),
                                  "--seed", std::to_string(seed_of_today())},
                                 std::chrono::hours(3));
  std::printf("%s", ended.out.c_str());
  EXPECT_EQ(ended.exit_code, 0) << ended.err << ended.out;
  EXPECT_EQ(outcomes().size(), 9U * 13);
  for (const Json& cell : outcomes()) {
    EXPECT_TRUE(cell["allowed"].get<bool>()) << cell.dump(2);
    const bool no_clock = cell["system"] == "kafka" && cell["fault"] == "clock_back";
    if (disk_->mounted() && !no_clock) {
      EXPECT_NE(cell["outcome"], "skipped") << cell.dump(2);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Servers, DrillMatrix, testing::ValuesIn(kServers),
                         [](const auto& parameter) { return std::string(parameter.param); });

}  // namespace
}  // namespace lab::e2e
