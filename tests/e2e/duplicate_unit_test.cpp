// Runs whose duplicates are blocks or changed copies: what whole-object systems save on them, what a scan
// finds. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

using Json = nlohmann::json;

class DuplicateUnitRun : public ProgramTest {
 protected:
  std::string plan(const std::string& unit) const {
    return write("plan.toml", fmt::format(R"([run]
seed = 11
repetitions = 1
[dataset]
payloads = ["random_binary"]
grades = ["U0", "U50"]
objects = 40
object_size = "64 KiB"
duplicate_unit = "{}"
[stages]
chains = [["bulk_insert"]]
[settle]
idle = "10ms"
window = "10ms"
[scan]
chunkers = ["fixed:4096"]
census = false
[systems.files]
[systems.cas]
)",
                                          unit))
        .string();
  }

  Json results_of(const std::string& unit) {
    const Ended ended = run({"run", plan(unit), "--out", (root_ / "out").string(), "--no-progress"});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    std::ifstream file(root_ / "out" / "results.json");
    Json results = Json::parse(file, nullptr, false);
    EXPECT_TRUE(results.is_object());
    return results;
  }

  /// Controls are of whole objects and prove the instrument; verdicts say which duplicates they are about.
  static void expect_unit(const Json& results, const std::string& unit) {
    ASSERT_EQ(results["controls"].size(), 1U);
    EXPECT_TRUE(results["controls"][0]["passed"].get<bool>()) << results["controls"][0];
    std::size_t of_the_matrix = 0;
    for (const Json& record : results["stages"]) {
      EXPECT_TRUE(record["valid"].get<bool>()) << record["reason"];
      EXPECT_EQ(record.contains("duplicate_unit"), !record["control"].get<bool>());
      if (record["control"].get<bool>()) continue;
      EXPECT_EQ(record["duplicate_unit"], unit);
      EXPECT_EQ(record["unique_objects"], 40);
      ++of_the_matrix;
    }
    EXPECT_EQ(of_the_matrix, 4U);
  }

  /// Verdicts of the matrix on `files`.
  static std::vector<Json> verdicts(const Json& results, const std::string& unit) {
    std::vector<Json> found;
    for (const Json& verdict : results["verdicts"])
      if (verdict["probe"] == "files" && verdict["duplicate_unit"] == unit) found.push_back(verdict);
    return found;
  }
};

TEST_F(DuplicateUnitRun, BlocksArePaidInFullByWholeObjectSystemsAndFoundByAScanWhereTheyAreAligned) {
  for (const bool shifted : {false, true}) {
    const std::string unit = shifted ? "block:4 KiB:shift:512" : "block:4 KiB";
    SCOPED_TRACE(unit);
    const Json results = results_of(unit);
    expect_unit(results, unit);
    // Of the shifted objects one block less is in each, and d is a share of all bytes.
    const int blocks = shifted ? 15 : 16;
    for (const Json& record : results["stages"]) {
      if (record["control"].get<bool>()) continue;
      const std::int64_t copies = record["grade"] == "U50" ? 40 * blocks / 2 : 0;
      EXPECT_EQ(record["logical_bytes"].get<std::int64_t>() - record["unique_bytes"].get<std::int64_t>(),
                copies * 4096);
      const double residual = record["scan"][0]["residual"];
      const double found = shifted ? 0 : static_cast<double>(copies) / (40 * 16);
      EXPECT_NEAR(residual, found, shifted ? 0.05 : 0.01) << record["system"];
    }
    const auto answers = verdicts(results, unit);
    ASSERT_EQ(answers.size(), 2U);
    for (const Json& answer : answers) EXPECT_NEAR(answer["eta"].get<double>(), 0, 0.02) << answer["system"];
    std::filesystem::remove_all(root_ / "out");
  }
}

TEST_F(DuplicateUnitRun, OfChangedCopiesDIs0AndEtaIs0ForWholeObjectSystems) {
  const Json results = results_of("changed:1");
  expect_unit(results, "changed:1");
  for (const Json& record : results["stages"])
    EXPECT_EQ(record["logical_bytes"] == record["unique_bytes"],
              !record["control"].get<bool>() || record["grade"] == "U0");
  for (const Json& record : results["stages"])
    EXPECT_EQ(record.value("near_duplicate_bytes", 0),
              record["control"].get<bool>() || record["grade"] == "U0" ? 0 : 20 * (64 * 1024 - 1));
  const auto answers = verdicts(results, "changed:1");
  ASSERT_EQ(answers.size(), 2U);
  for (const Json& answer : answers) {
    EXPECT_NEAR(answer["eta"].get<double>(), 0, 0.02) << answer["system"];
    EXPECT_NE(answer["reason"].get<std::string>().find("d is 0, eta is of the bytes"), std::string::npos)
        << answer["reason"];
  }
}

TEST_F(DuplicateUnitRun, ADryRunNamesTheUnitAndRefusesWhatItCannotRepeat) {
  const Ended dry = run({"run", plan("block:4 KiB:shift:512"), "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_NE(dry.out.find("duplicate unit: block:4 KiB:shift:512"), std::string::npos) << dry.out;
  const Ended large = run({"run", plan("block:128 KiB"), "--dry-run"});
  EXPECT_EQ(large.exit_code, 2);
  EXPECT_NE(large.err.find("no block:128 KiB fits"), std::string::npos) << large.err;
  const Ended unknown = run({"run", plan("blok:4 KiB"), "--dry-run"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.err.find("did you mean 'block'?"), std::string::npos) << unknown.err;
}

}  // namespace
}  // namespace lab::e2e
