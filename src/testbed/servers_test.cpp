// Every recipe with its real server: it comes up as its plan table says, keeps its place over a restart, is
// found again after a crash, and goes without a trace. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "core/testing/temporary_folder.hpp"
#include "core/text.hpp"
#include "testbed/ports.hpp"
#include "testbed/server_process.hpp"
#include "testbed/testbed.hpp"

namespace lab::testbed {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

CallContext soon() { return {Clock::now() + 200s, {}}; }

/// LAB_REQUIRE=redis,kafka: there a missing program is a failure and not a skip.
bool required(const std::string& system) {
  const char* const list = std::getenv("LAB_REQUIRE");  // NOLINT(concurrency-mt-unsafe): nobody sets it.
  if (list == nullptr) return false;
  const auto names = split(list, ',');
  return std::find(names.begin(), names.end(), system) != names.end();
}

class RealServer : public testing::TestWithParam<Recipe> {
 protected:
  void SetUp() override {
    const auto found = GetParam().find(options_.search);
    if (!found && !required(GetParam().name)) GTEST_SKIP() << found.error().text();
    ASSERT_TRUE(found) << found.error().text();
  }
  void TearDown() override {
    const auto removed = bed_.down(GetParam(), soon());
    EXPECT_TRUE(removed) << removed.error().text();
    EXPECT_FALSE(fs::exists(options_.state / GetParam().name));
  }
  ServerRecord record() const {
    const auto found = load_record(options_.state / GetParam().name / "server.json");
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : ServerRecord{};
  }
  ServerStatus status() const {
    const auto found = bed_.status(GetParam(), soon());
    EXPECT_TRUE(found) << found.error().text();
    return found ? *found : ServerStatus{};
  }

  TemporaryFolder folder_{};
  TestbedOptions options_{.state = folder_.path() / "state",
                          .directory = {},
                          .search = {.given = {}, .folders = server_folders()}};
  Testbed bed_{options_};
};

TEST_P(RealServer, ItComesUpKeepsItsPlaceOverARestartAndGoesWithoutATrace) {
  const auto started = bed_.up(GetParam(), soon());
  ASSERT_TRUE(started) << started.error().text();
  const ServerRecord first = record();
  const ServerStatus up = status();
  EXPECT_EQ(up.state, ServerState::kRunning);
  EXPECT_NE(up.url.find("127.0.0.1:" + std::to_string(first.ports[0])), std::string::npos);
  EXPECT_TRUE(fs::is_directory(up.directory));
  EXPECT_FALSE(fs::is_empty(up.directory));
  for (const std::uint16_t port : {first.ports[0]}) {
    const auto whose = listener_of(port, *first.process);
    ASSERT_TRUE(whose);
    EXPECT_EQ(*whose, Listener::kOurs);
  }
  if (up.password_file) {
    struct stat info{};
    ASSERT_EQ(::stat(up.password_file->c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    const std::string password(trim(*read_file(*up.password_file)));
    for (const ProcessStamp& one : family_of(*first.process)) {
      const auto words = read_file("/proc/" + std::to_string(one.pid) + "/cmdline");
      EXPECT_EQ(words ? words->find(password) : std::string::npos, std::string::npos);
    }
    EXPECT_EQ(plan_table(up).find(password), std::string::npos);
  }
  const Status restarted = bed_.restart(GetParam(), soon());
  ASSERT_TRUE(restarted) << restarted.error().text();
  EXPECT_EQ(status().state, ServerState::kRunning);
  EXPECT_EQ(status().url, up.url);
  EXPECT_NE(record().process, first.process);
  const auto family = family_of(*record().process);
  ASSERT_TRUE(bed_.down(GetParam(), soon()));
  for (const ProcessStamp& one : family) EXPECT_FALSE(runs(one)) << one.pid;
  EXPECT_FALSE(fs::exists(first.home));
  EXPECT_TRUE(is_free(first.ports[0]));
}

TEST_P(RealServer, AfterUpWasKilledDownFindsTheServer) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto started = bed_.up(GetParam(), soon());
    ::_exit(started ? 0 : 1);
  }
  // As soon as something of it runs: some program of its preparation, or the server.
  const auto file = options_.state / GetParam().name / "server.json";
  std::optional<ServerRecord> seen;
  const auto end = Clock::now() + 60s;
  while (!(seen && seen->process) && Clock::now() < end) {
    const auto found = load_record(file);
    if (found && *found) seen = **found;
    sleep_until({}, Clock::now() + 2ms);
  }
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_TRUE(seen && seen->process);
  const ServerRecord left = record();
  const auto removed = bed_.down(GetParam(), soon());
  ASSERT_TRUE(removed) << removed.error().text();
  EXPECT_TRUE(*removed);
  EXPECT_FALSE(runs(*left.process));
  EXPECT_FALSE(fs::exists(left.home));
}

TEST_P(RealServer, TwoStandSideBySide) {
  TestbedOptions second = options_;
  second.state = folder_.path() / "second";
  Testbed other(second);
  const auto one = bed_.up(GetParam(), soon());
  const auto two = other.up(GetParam(), soon());
  ASSERT_TRUE(one) << one.error().text();
  ASSERT_TRUE(two) << two.error().text();
  const auto there = other.status(GetParam(), soon());
  ASSERT_TRUE(there);
  EXPECT_NE(there->url, status().url);
  ASSERT_TRUE(other.down(GetParam(), soon()));
  EXPECT_EQ(status().state, ServerState::kRunning) << "down of one has touched the other";
}

INSTANTIATE_TEST_SUITE_P(Systems, RealServer, testing::ValuesIn(recipes()),
                         [](const auto& candidate) { return candidate.param.name; });

}  // namespace

void PrintTo(const Recipe& recipe, std::ostream* out) { *out << recipe.name; }

}  // namespace lab::testbed
