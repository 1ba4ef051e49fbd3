// ClickHouse whose configuration compresses by ZSTD, on a server of this test: its blocks span objects, so
// sorting by content brings copies into one. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "program_test_support.hpp"
#include "server_table.hpp"
#include "testbed/recipes.hpp"
#include "testbed/testbed.hpp"

namespace lab::e2e {
namespace {

using Json = nlohmann::json;

constexpr const char* kCompression =
    "  <compression><case><min_part_size>0</min_part_size><min_part_size_ratio>0</min_part_size_ratio>"
    "<method>zstd</method></case></compression>\n";

/// The testbed's server, with what codecs of columns do in a newer one done for all of its tables.
Status prepare(const testbed::Place& place, testbed::Preparation& preparation, const CallContext& call) {
  LAB_TRY(testbed::clickhouse_recipe().prepare(place, preparation, call));
  auto config = read_file(place.home / "config.xml");
  if (!config) return config.error();
  const std::size_t end = config->rfind("</yandex>");
  if (end == std::string::npos) return Error{ErrorCode::kCorruption, "test", "no end of config.xml"};
  return preparation.write("config.xml", config->insert(end, kCompression));
}

testbed::Recipe recipe() {
  testbed::Recipe recipe = testbed::clickhouse_recipe();
  recipe.prepare = prepare;
  return recipe;
}

class ClickhouseServerZstd : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    const auto up = bed().up(recipe(), within(120));
    if (!up && up.error().code == ErrorCode::kNotFound && !required("clickhouse"))
      GTEST_SKIP() << up.error().detail;
    ASSERT_TRUE(up) << up.error().text();
    const auto status = bed().status(recipe(), within(20));
    ASSERT_TRUE(status) << status.error().text();
    table_ = testbed::plan_table(*status);
  }
  void TearDown() override {
    const auto down = bed().down(recipe(), within(60));
    EXPECT_TRUE(down) << down.error().text();
    ProgramTest::TearDown();
  }

  static CallContext within(int seconds) { return {Clock::now() + std::chrono::seconds(seconds), {}}; }
  testbed::Testbed bed() const {
    return testbed::Testbed({.state = scratch_ / "state",
                             .directory = {},
                             .search = {.given = {}, .folders = testbed::server_folders()}});
  }

  std::string table_{};  // Of a plan, its head line included.
};

/// 50 MiB, as the other known answers: 400 objects of 128 KiB. A block is 1 MiB: eight objects, of which some
/// are equal by chance, or all when they are sorted by their content.
TEST_F(ClickhouseServerZstd, FindsTheCopiesThatLieInOneBlock) {
  const auto plan = write("plan.toml", fmt::format(R"([run]
seed = 7
repetitions = 1
[dataset]
payloads = ["random_binary"]
grades = ["U0", "U90"]
objects = 400
object_size = "128 KiB"
[stages]
chains = [["bulk_insert"]]
{}
variants = ["default", "order_by_hash"]
)",
                                                   table_));
  Program program(
      {LAB_PROGRAM_PATH, "run", plan.string(), "--out", (root_ / "out").string(), "--no-progress"}, scratch_);
  const Ended ended = program.wait(std::chrono::seconds(800));
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  std::ifstream file(root_ / "out" / "results.json");
  const Json results = Json::parse(file, nullptr, false);
  ASSERT_TRUE(results.is_object());
  std::map<std::string, double> edr;
  for (const Json& stage : results["stages"]) {
    if (stage["system"] != "clickhouse" || stage["superseded"].get<bool>()) continue;
    ASSERT_TRUE(stage["valid"].get<bool>()) << stage["reason"];
    edr[stage["variant"].get<std::string>() + " " + stage["grade"].get<std::string>()] =
        stage["edr"]["files:payload"];
  }
  const auto expect_between = [&](const char* cell, double low, double high) {
    SCOPED_TRACE(cell);
    ASSERT_TRUE(edr.contains(cell));
    EXPECT_GE(edr[cell], low);
    EXPECT_LE(edr[cell], high);
  };
  expect_between("default U0", 0.99, 1.0);
  expect_between("default U90", 1.02, 1.10);
  expect_between("order_by_hash U0", 0.99, 1.0);
  expect_between("order_by_hash U90", 4.5, 5.0);
}

}  // namespace
}  // namespace lab::e2e
