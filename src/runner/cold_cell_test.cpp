// A cold cell of a server: the hook restarts it, and everything after works on connections that were opened
// anew. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>

#include "core/text.hpp"
#include "runner/hooks.hpp"
#include "runner/testing/run_fixture.hpp"

namespace lab {
namespace {

/// Plain files in the guise of a server: its url is the folder, and the sessions that are open are counted.
int& open_sessions() {
  static int count = 0;
  return count;
}

class CountedSession final : public Session {
 public:
  explicit CountedSession(std::unique_ptr<Session> inner) : inner_(std::move(inner)) { open_sessions() += 1; }
  ~CountedSession() override { open_sessions() -= 1; }
  CountedSession(const CountedSession&) = delete;
  CountedSession& operator=(const CountedSession&) = delete;
  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    return inner_->open_driver(call);
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    return inner_->open_observer(call);
  }

 private:
  std::unique_ptr<Session> inner_;
};

Result<std::unique_ptr<Session>> open_server(const SystemConfig& config, const CallContext& call) {
  SystemConfig inner = config;
  inner.path = config.url;
  // Its "lock": a file that the restart leaves while the server is not ready yet.
  if (std::filesystem::exists(inner.path.string() + ".starting")) {
    std::filesystem::remove(inner.path.string() + ".starting");
    return Error{ErrorCode::kConnectionLost, "server.open", "it starts", true};
  }
  auto session = files_system().open(inner, call);
  if (!session) return session;
  return std::unique_ptr<Session>(std::make_unique<CountedSession>(std::move(*session)));
}

class ColdCell : public RunFixture {
 protected:
  void SetUp() override {
    RunFixture::SetUp();
    plan_.repetitions = 1;
    plan_.dataset.grades = {0};
    plan_.dataset.caches = {"cold"};
    plan_.stages.chains = {{StageKind::kBulkInsert}, {StageKind::kPerfileInsert}};
    plan_.retry.max_retries = 0;
    plan_.systems = {{.name = "server", .url = (directory_ / "served").string()}};
  }

  /// One line in `log` each time.
  void hook(const std::string& script) {
    plan_.hooks.restart = {"sh", "-c", script, "{system}"};
    plan_.hooks.restart_limit = Millis{20'000};
  }
  std::vector<std::string> log() const {
    std::ifstream file(directory_ / "log");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  Result<RunOutcome> run_server() {
    auto created = Journal::create(
        directory_,
        {.run_id = "20260131T120000Z-7e57ab1e", .seed = plan_.seed, .plan_toml = save_plan(plan_)});
    if (!created) return created.error();
    SystemEntry server = files_system();
    server.name = "server";
    server.embedded = false;
    server.open = open_server;
    const Registry registry{server, files_system(), cas_system()};
    const RunSetting setting{plan_, registry, directory_, **created, *this, time_, stop_.get_token(), {}, {}};
    auto outcome = run_plan(setting);
    EXPECT_TRUE((*created)->close());
    return outcome;
  }

  std::vector<StageRecord> server_records() {
    std::vector<StageRecord> all = records();
    std::erase_if(all, [](const StageRecord& record) { return record.cell.system != "server"; });
    return all;
  }
};

TEST_F(ColdCell, TheHookRunsOnceAChainOnClosedConnectionsAndTheRecordSaysSo) {
  hook("echo restarted $0 >> '" + (directory_ / "log").string() + "'");
  const auto outcome = run_server();
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(log(), (std::vector<std::string>{"restarted server", "restarted server"}));
  const auto all = server_records();
  ASSERT_EQ(all.size(), 2U);
  for (const StageRecord& record : all) {
    EXPECT_TRUE(record.valid) << record.reason;
    EXPECT_NE(record.cache_action.find("restarted by sh -c"), std::string::npos) << record.cache_action;
    EXPECT_NE(record.cache_action.find("connected anew"), std::string::npos) << record.cache_action;
  }
  EXPECT_EQ(open_sessions(), 0);
}

TEST_F(ColdCell, AServerThatIsNotReadyAtOnceIsConnectedToAgain) {
  hook("touch '" + (directory_ / "served.starting").string() + "'");
  ASSERT_TRUE(run_server());
  for (const StageRecord& record : server_records()) EXPECT_TRUE(record.valid) << record.reason;
}

TEST_F(ColdCell, AHookThatFailsMakesTheCellInvalidWithWhatItSaid) {
  hook("echo no such unit >&2; exit 4");
  const auto outcome = run_server();
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->unreached.empty()) << "the server was reached";
  EXPECT_GT(outcome->blocks_failed, 0U);
  const auto all = server_records();
  ASSERT_FALSE(all.empty());
  for (const StageRecord& record : all) {
    EXPECT_FALSE(record.valid);
    EXPECT_NE(record.reason.find("no such unit"), std::string::npos) << record.reason;
    EXPECT_NE(record.reason.find("exit code 4"), std::string::npos) << record.reason;
  }
}

TEST_F(ColdCell, AHookThatHangsIsEndedAtItsLimit) {
  hook("echo waiting; sleep 600");
  plan_.hooks.restart_limit = Millis{300};
  ASSERT_TRUE(run_server());
  const auto all = server_records();
  ASSERT_FALSE(all.empty());
  EXPECT_FALSE(all[0].valid);
  EXPECT_EQ(all[0].error_code, "TIMEOUT") << all[0].reason;
}

TEST_F(ColdCell, WithoutAHookAColdCellOfAServerIsInvalidAndNeverCalledCold) {
  ASSERT_TRUE(run_server());
  const auto all = server_records();
  ASSERT_FALSE(all.empty());
  for (const StageRecord& record : all) {
    EXPECT_FALSE(record.valid);
    EXPECT_NE(record.reason.find("[hooks] restart"), std::string::npos) << record.reason;
  }
}

TEST_F(ColdCell, EmbeddedSystemsAndWarmCellsNeedNoHook) {
  plan_.systems = {{.name = "files"}};
  ASSERT_TRUE(run_server());
  for (const StageRecord& record : records()) EXPECT_TRUE(record.valid) << record.reason;
  EXPECT_TRUE(log().empty());
}

TEST(RestartHook, EveryPlaceholderIsTheSystem) {
  const Command command =
      restart_command({.restart = {"x-{system}", "{system}{system}", "{other}", ""}}, "redis");
  EXPECT_EQ(command.argv, (std::vector<std::string>{"x-redis", "redisredis", "{other}", ""}));
}

}  // namespace
}  // namespace lab
