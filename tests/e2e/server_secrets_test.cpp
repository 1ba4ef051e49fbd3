// Passwords of real servers, the right one and a wrong one: where they could be left, they are not.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>
#include <thread>

#include "program_test_support.hpp"
#include "server_table.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMark = "marked-and-wrong-5up3r";  // Found however the rest of it is escaped.
constexpr const char* kWrong = "marked-and-wrong-5up3r'\"<&;";

class ServerSecrets : public ProgramTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    const auto table = table_of(GetParam());
    if (!table && !required(GetParam())) GTEST_SKIP() << "no server of " << GetParam();
    ASSERT_TRUE(table) << GetParam() << " is required, and LAB_SERVERS has no table of it";
    const auto password = password_of(*table);
    ASSERT_TRUE(password) << *table;
    right_ = *password;
    ASSERT_GE(right_.size(), 8U);
    plan_ = write("plan.toml", fmt::format(R"([run]
seed = 7
repetitions = 1
[dataset]
payloads = ["random_binary"]
grades = ["U0", "U50"]
objects = 40
object_size = "32 KiB"
[stages]
chains = [["bulk_insert"], ["perfile_insert", "perfile_delete"]]
[settle]
window = "200ms"
interval = "100ms"
idle = "100ms"
[systems.{}]
{}
)",
                                           GetParam(), with_password_of("SERVER_SECRET", *table)))
                .string();
  }

  std::string out() const { return (root_ / "out").string(); }
  Program start(const std::string& password, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {LAB_PROGRAM_PATH, "--log-level", "debug"});
    return Program(arguments, scratch_, {{"SERVER_SECRET", password}});
  }

  /// What is printed, and all that lies in the run directory: databases, logs and results.
  void expect_nowhere(const std::string& secret, const Ended& ended) const {
    EXPECT_EQ(ended.out.find(secret), std::string::npos) << ended.out;
    EXPECT_EQ(ended.err.find(secret), std::string::npos) << ended.err;
    for (const auto& [name, bytes] : tree_of(root_))
      EXPECT_EQ(bytes.find(secret), std::string::npos) << name << " holds the password";
  }

  std::string right_{};
  std::string plan_{};
};

/// The arguments of all processes, and the environment of the other programs that the program has started. A
/// child that has not become one yet shows the environment that its parent began with.
void expect_not_in_processes(const std::string& secret, pid_t program) {
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    EXPECT_EQ(text_of(entry.path() / "cmdline").find(secret), std::string::npos) << "arguments of " << name;
    const std::string stat = text_of(entry.path() / "stat");
    const std::size_t parent = stat.rfind(") ");
    if (parent == std::string::npos || std::atoi(stat.c_str() + parent + 4) != program) continue;
    if (fs::read_symlink(entry.path() / "exe", gone) == fs::path(LAB_PROGRAM_PATH)) continue;
    EXPECT_EQ(text_of(entry.path() / "environ").find(secret), std::string::npos) << "environment of " << name;
  }
}

TEST_P(ServerSecrets, TheRightPasswordIsLeftNowhere) {
  Program program = start(right_, {"run", plan_, "--out", out(), "--no-progress"});
  while (program.running()) {
    expect_not_in_processes(right_, program.pid());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  const Ended ended = program.wait();
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  expect_nowhere(right_, ended);
  for (const std::vector<std::string>& more : {std::vector<std::string>{"doctor", plan_},
                                               {"setup", plan_, "--print"},
                                               {"report", out()},
                                               {"clean", out()}})
    expect_nowhere(right_, start(right_, more).wait());
}

TEST_P(ServerSecrets, AWrongPasswordIsRefusedBeforeAnythingIsWrittenAndLeftNowhere) {
  const Ended ended = start(kWrong, {"run", plan_, "--out", out(), "--no-progress"}).wait();
  EXPECT_EQ(ended.exit_code, 3) << ended.err;
  EXPECT_FALSE(fs::exists(out()));
  expect_nowhere(kMark, ended);
  expect_nowhere(kMark, start(kWrong, {"doctor", plan_}).wait());
}

TEST_P(ServerSecrets, APasswordThatIsWrongOnlyWhenARunGoesOnIsLeftNowhere) {
  const Ended begun =
      start(right_, {"run", plan_, "--out", out(), "--no-progress", "--stop-after", "1ms"}).wait();
  ASSERT_EQ(begun.exit_code, 6) << begun.err;
  const Ended ended = start(kWrong, {"resume", out(), "--no-progress"}).wait();
  EXPECT_NE(ended.exit_code, 0) << ended.err;
  expect_nowhere(kMark, ended);
  expect_nowhere(right_, ended);
  start(right_, {"clean", out()}).wait();
}

INSTANTIATE_TEST_SUITE_P(Passwords, ServerSecrets,
                         testing::Values("postgresql", "mariadb", "clickhouse", "redis", "minio"),
                         [](const auto& parameter) { return std::string(parameter.param) + "_secrets"; });

}  // namespace
}  // namespace lab::e2e
