// What lies beside ours on a real server is the same, by its hash, after a run, a failure, a kill and
// `clean`. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "../conformance/servers.hpp"
#include "cli/commands.hpp"
#include "drill/neighbour.hpp"
#include "program_test_support.hpp"
#include "server_table.hpp"

namespace lab::e2e {
namespace {

constexpr Millis kCallLimit{60'000};
constexpr std::int64_t kNeighbourBytes = 64 << 10;  // Less than a neighbour stores.

using Json = nlohmann::json;

class ServerNeighbour : public ProgramTest, public testing::WithParamInterface<const char*> {
 protected:
  void TearDown() override {
    if (neighbour_) {
      const Status out = neighbour_->move_out(call());
      EXPECT_TRUE(out) << out.error().text();
    }
    ProgramTest::TearDown();
  }

  static CallContext call() { return within({}, kCallLimit); }

  void move_in(const std::string& system) {
    const Registry& all = cli::built_in_systems();
    const auto entry =
        std::find_if(all.begin(), all.end(), [&](const SystemEntry& each) { return each.name == system; });
    ASSERT_NE(entry, all.end());
    const auto config = server_config(system);
    ASSERT_TRUE(config) << config.error().text();
    neighbour_ = std::make_unique<drill::Neighbour>(*entry, elsewhere(*config));
    const Status in = neighbour_->move_in(call());
    ASSERT_TRUE(in) << in.error().text();
  }

  /// Where the neighbour lives on the server.
  virtual SystemConfig elsewhere(SystemConfig config) const { return config; }

  void expect_unchanged(const char* after) const {
    const auto now = neighbour_->digest(call());
    ASSERT_TRUE(now) << after << ": " << now.error().text();
    EXPECT_EQ(*now, neighbour_->at_first()) << after;
  }

  std::string plan_of(const std::string& name, const std::string& table, const std::string& more) const {
    return write(name, fmt::format(R"([run]
seed = 7
repetitions = 1
[dataset]
payloads = ["random_binary"]
grades = ["U50"]
objects = 12
object_size = "32 KiB"
[stages]
chains = [["bulk_insert", "delete_logical", "maintenance"], ["perfile_insert", "perfile_delete"],
  ["bulk_insert", "delete_truncate", "refill"], ["bulk_insert", "delete_drop", "refill"]]
{}
[settle]
window = "300ms"
interval = "100ms"
idle = "100ms"
[retry]
max_retries = 0
[systems.{}]
{}
)",
                                   more, GetParam(), table))
        .string();
  }

  std::unique_ptr<drill::Neighbour> neighbour_{};
};

TEST_P(ServerNeighbour, IsTheSameAfterARunAFailureAKillAndClean) {
  const std::string system = GetParam();
  const auto table = table_of(system);
  if (!table && !required(system)) GTEST_SKIP() << "no server of " << system << ": LAB_SERVERS names none";
  ASSERT_TRUE(table) << system << " is required, and LAB_SERVERS has no table of it";
  ASSERT_NO_FATAL_FAILURE(move_in(system));
  struct Case {
    const char* name;
    const char* more;  // In the table of the stages.
    int exit_code;
  };
  for (const Case& c : {Case{"run", "", 0}, Case{"failure", "limit = \"1ms\"", 1}}) {
    SCOPED_TRACE(c.name);
    const std::string out = (root_ / c.name).string();
    const std::string plan = plan_of(std::string(c.name) + ".toml", *table, c.more);
    Program program({LAB_PROGRAM_PATH, "run", plan, "--out", out, "--no-progress"}, scratch_);
    const Ended ended = program.wait(std::chrono::seconds(300));
    EXPECT_EQ(ended.exit_code, c.exit_code) << ended.err;
    expect_unchanged("after it");
    const Ended cleaned = run({"clean", out});
    EXPECT_EQ(cleaned.exit_code, 0) << cleaned.err;
    expect_unchanged("after clean");
  }
  const auto out = root_ / "killed";
  Program program(
      {LAB_PROGRAM_PATH, "run", plan_of("killed.toml", *table, ""), "--out", out.string(), "--no-progress"},
      scratch_);
  for (int looks = 0; looks < 1'000 && program.running() && !std::filesystem::exists(out / "journal.db");
       ++looks)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::this_thread::sleep_for(std::chrono::seconds(2));
  program.signal(SIGKILL);
  EXPECT_EQ(program.wait().exit_code, 128 + SIGKILL) << "it was killed in the midst of its work";
  expect_unchanged("after a kill");
  const Ended cleaned = run({"clean", out.string()});
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.err;
  expect_unchanged("after clean of a killed run");
}

/// While a stage waits for its hook, others store data on the same server.
class ServerOthers : public ServerNeighbour {
 protected:
  /// Of PostgreSQL only other databases are told apart.
  SystemConfig elsewhere(SystemConfig config) const override {
    if (std::string(GetParam()) != "postgresql") return config;
    const std::size_t authority = config.url.find("://") + 3;
    const std::size_t path = config.url.find('/', authority);
    const std::size_t query = config.url.find('?', authority);
    const std::string rest = query == std::string::npos ? "" : config.url.substr(query);
    config.url = config.url.substr(0, std::min(path, query)) + "/postgres" + rest;
    return config;
  }

  /// Of the cell that is discarded it asks nothing.
  std::string hook() const {
    return fmt::format(R"([hooks]
after_operations = ["sh", "-c", """mkdir '{0}/discarded' && exit 0; touch '{0}/asked'
  for i in $(seq 600); do test -e '{0}/stored' && exit 0; sleep 0.1; done; exit 1"""])",
                       root_.string());
  }

  /// Moves in once the hook asks.
  void store_when_asked(Program& program, const std::string& system) {
    for (int looks = 0; looks < 6'000 && program.running() && !std::filesystem::exists(root_ / "asked");
         ++looks)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ASSERT_TRUE(std::filesystem::exists(root_ / "asked"));
    ASSERT_NO_FATAL_FAILURE(move_in(system));
    write("stored", "");
  }
};

TEST_P(ServerOthers, WhatTheyStoreMeanwhileIsToldApartAndWidensTheFiles) {
  const std::string system = GetParam();
  const auto table = table_of(system);
  if (!table && !required(system)) GTEST_SKIP() << "no server of " << system << ": LAB_SERVERS names none";
  ASSERT_TRUE(table) << system << " is required, and LAB_SERVERS has no table of it";
  const auto out = root_ / "out";
  Program program({LAB_PROGRAM_PATH, "run",
                   write("plan.toml", fmt::format(R"([run]
seed = 7
repetitions = 1
[dataset]
payloads = ["random_binary"]
grades = ["U0"]
objects = 12
object_size = "32 KiB"
[stages]
chains = [["bulk_insert"]]
[settle]
window = "300ms"
interval = "100ms"
idle = "100ms"
{}
[systems.{}]
{}
)",
                                                  hook(), system, *table))
                       .string(),
                   "--out", out.string(), "--no-progress"},
                  scratch_);
  ASSERT_NO_FATAL_FAILURE(store_when_asked(program, system));
  const Ended ended = program.wait(std::chrono::seconds(300));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  std::ifstream file(out / "results.json");
  const Json results = Json::parse(file, nullptr, false);
  ASSERT_TRUE(results.is_object());
  std::size_t stages = 0;
  for (const Json& stage : results["stages"]) {
    if (stage["system"] != system) continue;
    ++stages;
    ASSERT_TRUE(stage["valid"].get<bool>()) << stage["reason"];
    const auto stored = stage["stored_bytes"]["files:others"].get<std::int64_t>();
    EXPECT_GE(stored, kNeighbourBytes) << stage["stored_bytes"];
    EXPECT_GE(stage["residue_bytes"]["files"].get<std::int64_t>(), stored);
    EXPECT_LT(stage["residue_bytes"]["files:payload"].get<std::int64_t>(), kNeighbourBytes);
    const std::string remark = stage.value("remarks", Json::object()).value("files", "");
    EXPECT_TRUE(remark.starts_with("others on the same server stored +")) << remark;
  }
  EXPECT_EQ(stages, 1U);
  EXPECT_EQ(run({"clean", out.string()}).exit_code, 0);
}

INSTANTIATE_TEST_SUITE_P(Others, ServerOthers, testing::Values("postgresql", "mariadb", "kafka", "minio"),
                         [](const auto& parameter) { return std::string(parameter.param) + "_with_others"; });

INSTANTIATE_TEST_SUITE_P(Neighbours, ServerNeighbour,
                         testing::Values("postgresql", "cockroachdb", "mariadb", "clickhouse", "redis",
                                         "kafka", "minio"),
                         [](const auto& parameter) {
                           // Two usual ones; a minute or two of each other one is for the label deep.
                           const std::string system = parameter.param;
                           const bool usual = system == "postgresql" || system == "redis";
                           return system + (usual ? "_beside_ours" : "_also_beside_ours");
                         });

}  // namespace
}  // namespace lab::e2e
