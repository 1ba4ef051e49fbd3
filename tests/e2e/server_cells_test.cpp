// Every stage in every variant and mode on a real server, as a user runs it: valid, or refused as declared.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "program_test_support.hpp"
#include "server_refusals.hpp"
#include "server_table.hpp"

namespace lab::e2e {
namespace {

using Json = nlohmann::json;

class ServerCells : public ProgramTest, public testing::WithParamInterface<const char*> {
 protected:
  std::string variants_of(const std::string& system) const {
    const Json all = Json::parse(run({"--json", "systems"}).out, nullptr, false);
    std::string list;
    for (const Json& entry : all)
      if (entry["name"] == system)
        for (const Json& variant : entry["variants"])
          list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", variant["name"].get<std::string>());
    return list;
  }

  std::string plan_of(const std::string& system, const std::string& table, const char* mode,
                      const char* chains) const {
    return write("plan.toml", fmt::format(R"([run]
seed = 7
repetitions = 1
[dataset]
payloads = ["structured_json"]
grades = ["U50"]
objects = 12
object_size = "32 KiB"
modes = ["{}"]
[stages]
chains = [{}]
[settle]
window = "300ms"
interval = "100ms"
idle = "100ms"
[systems.{}]
variants = [{}]
{}
)",
                                          mode, chains, system, variants_of(system), table))
        .string();
  }

  /// Runs the plan of a mode and compares what the server refused with the table.
  void run_and_compare(const std::string& system, const std::string& table, const char* mode,
                       const char* chains);
};

constexpr const char* kAllStages =
    R"(["bulk_insert", "update", "delete_truncate", "refill"], ["bulk_insert", "delete_drop", "refill"],
  ["perfile_insert", "perfile_delete", "maintenance"], ["bulk_insert", "delete_logical", "maintenance", "refill"])";
/// Deletions of all look at no column, so in mode native these are enough.
constexpr const char* kStagesOfRecords =
    R"(["bulk_insert", "update"], ["perfile_insert", "perfile_delete", "maintenance"])";

/// Neither what was printed nor any file of the run holds the text of the table's password_file.
void expect_no_password(const std::string& system, const std::string& table, const std::string& out,
                        const std::string& printed) {
  if (system == "kafka" || system == "cockroachdb") return;  // Those of the testbed have none.
  const auto password = password_of(table);
  ASSERT_TRUE(password) << table;
  ASSERT_GE(password->size(), 8U);
  EXPECT_EQ(printed.find(*password), std::string::npos);
  for (const auto& [name, bytes] : tree_of(out))
    EXPECT_EQ(bytes.find(*password), std::string::npos) << name << " holds the password";
}

void ServerCells::run_and_compare(const std::string& system, const std::string& table, const char* mode,
                                  const char* chains) {
  const std::string plan = plan_of(system, table, mode, chains);
  const std::string out = (root_ / "out").string();
  const Ended examined = run({"doctor", plan});
  EXPECT_EQ(examined.exit_code, 0) << examined.out << examined.err;
  Program program({LAB_PROGRAM_PATH, "run", plan, "--out", out, "--no-progress"}, scratch_);
  const Ended ended = program.wait(std::chrono::seconds(800));
  EXPECT_EQ(ended.exit_code, 0) << ended.err << ended.out;
  std::size_t valid = 0;
  std::ifstream file(root_ / "out" / "results.json");
  const Json results = Json::parse(file, nullptr, false);
  ASSERT_TRUE(results.is_object());
  for (const Json& stage : results["stages"]) {
    if (stage["superseded"].get<bool>() || stage["control"].get<bool>()) continue;
    if (!stage["valid"].get<bool>()) continue;
    ++valid;
    EXPECT_TRUE(stage["after_bytes"].contains("files")) << stage["variant"] << " " << stage["stage"];
  }
  EXPECT_GE(valid, 3U) << "of the first variant alone";
  for (const std::string& sentence : contradictions(results["stages"])) ADD_FAILURE() << sentence;
  expect_no_password(system, table, out, ended.out + ended.err + examined.out + examined.err);
  EXPECT_EQ(run({"clean", out}).out.find("left: "), std::string::npos);
}

TEST_P(ServerCells, EveryStageOfEveryVariantIsValidOrRefusedAsDeclared) {
  const std::string system = GetParam();
  const auto table = table_of(system);
  if (!table && !required(system)) GTEST_SKIP() << "no server of " << system << ": LAB_SERVERS names none";
  ASSERT_TRUE(table) << system << " is required, and LAB_SERVERS has no table of it";
  run_and_compare(system, *table, "blob", kAllStages);
}

TEST_P(ServerCells, EveryVariantKeepsTypedRecordsOrRefusesThemAsDeclared) {
  const std::string system = GetParam();
  const auto table = table_of(system);
  if (!table && !required(system)) GTEST_SKIP() << "no server of " << system << ": LAB_SERVERS names none";
  ASSERT_TRUE(table) << system << " is required, and LAB_SERVERS has no table of it";
  if (system == "cockroachdb") GTEST_SKIP() << "it has no mode native";
  run_and_compare(system, *table, "native", kStagesOfRecords);
}

class RedisServer : public ProgramTest {};

/// By the command that restarts a server of the testbed: here the one that all tests share, whose state lies
/// beside its table.
TEST_F(RedisServer, IsRestartedBeforeEachColdCellWhichSaysSo) {
  const auto table = table_of("redis");
  if (!table && !required("redis")) GTEST_SKIP() << "no server of redis: LAB_SERVERS names none";
  ASSERT_TRUE(table) << "redis is required, and LAB_SERVERS has no table of it";
  const auto state = std::filesystem::path(std::getenv("LAB_SERVERS")).parent_path() / "state";
  const auto plan = write("plan.toml", fmt::format(R"([run]
seed = 7
repetitions = 1
[dataset]
payloads = ["random_binary"]
grades = ["U0", "U50"]
objects = 12
object_size = "32 KiB"
caches = ["warm", "cold"]
[stages]
chains = [["bulk_insert"]]
[settle]
window = "300ms"
idle = "100ms"
[hooks]
restart = ["env", "XDG_STATE_HOME={}", "{}", "testbed", "restart", "{{system}}"]
[systems.redis]
{}
)",
                                                   state.string(), LAB_PROGRAM_PATH, *table))
                        .string();
  const Ended ended = run({"run", plan, "--out", (root_ / "out").string(), "--no-progress"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  std::ifstream file(root_ / "out" / "results.json");
  const Json results = Json::parse(file, nullptr, false);
  ASSERT_TRUE(results.is_object());
  std::map<std::string, std::set<std::string>> starts;  // By cache: when the server of each record started.
  for (const Json& stage : results["stages"]) {
    if (stage["control"].get<bool>() || stage["system"] != "redis") continue;
    EXPECT_TRUE(stage["valid"].get<bool>()) << stage["reason"];
    const bool cold = stage["cache"] == "cold";
    const std::string action = stage["cache_action"];
    EXPECT_EQ(action.find("restarted") != std::string::npos && !action.starts_with("nothing"), cold)
        << action;
    starts[stage["cache"]].insert(stage["server"]["started_at"].get<std::string>());
  }
  EXPECT_EQ(starts["cold"].size(), 2U) << "each of the two cold cells met a new server";
}

INSTANTIATE_TEST_SUITE_P(Cells, ServerCells,
                         testing::Values("postgresql", "cockroachdb", "mariadb", "clickhouse", "redis",
                                         "kafka", "minio"),
                         [](const auto& parameter) {
                           return std::string(parameter.param) + "_every_variant";
                         });

}  // namespace
}  // namespace lab::e2e
