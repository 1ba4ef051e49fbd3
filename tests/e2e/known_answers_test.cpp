// Answers that are known beforehand, of servers as they come: where one is missed, the instrument is wrong
// until shown otherwise. 50 MiB a cell, 400 objects of 128 KiB. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "program_test_support.hpp"
#include "server_table.hpp"

namespace lab::e2e {
namespace {

using Json = nlohmann::json;

struct Range {
  double low = 0;
  double high = 0;
};

/// What one variant shall show, by grade. `part` is the probe: fixed costs of a server would blur the
/// payload's.
struct Known {
  const char* system = "";
  const char* variant = "";
  const char* payload = "random_binary";
  const char* probe = "files:payload";
  std::map<std::string, Range> edr{};
  std::optional<std::int64_t>
      step{};          // The grades' stored bytes differ by multiples of it; 0: by nothing at all.
  bool alike = false;  // Compression is no deduplication: the ratio is the same at each grade.
  std::optional<std::int64_t> rows_left{};  // Of 400, after maintenance.
  std::optional<Range> located{};           // Share of the copies that lie in the files byte by byte.
  std::optional<Range> memory{};            // Logical bytes to those that a dataset in memory grows by.
};

void PrintTo(const Known& known, std::ostream* out) {  // NOLINT(readability-identifier-naming): GoogleTest's
  *out << known.system << " " << known.variant << " " << known.payload;
}

class KnownAnswers : public ProgramTest, public testing::WithParamInterface<Known> {
 protected:
  std::string plan_of(const Known& known, const std::string& table) const {
    std::string grades;
    for (const auto& [grade, range] : known.edr)
      grades += fmt::format("{}\"{}\"", grades.empty() ? "" : ", ", grade);
    return write("plan.toml", fmt::format(R"([run]
seed = 7
repetitions = 1
[dataset]
payloads = ["{}"]
grades = [{}]
objects = 400
object_size = "128 KiB"
[stages]
chains = [["bulk_insert"{}]]
{}
[systems.{}]
variants = ["{}"]
{}
)",
                                          known.payload, grades, known.rows_left ? ", \"maintenance\"" : "",
                                          known.located ? "[scan]\nchunkers = [\"fixed:4096\"]" : "",
                                          known.system, known.variant, table))
        .string();
  }

  /// The records of the system under test by grade, of the last stage of the chain.
  std::map<std::string, Json> records_of(const Known& known, const std::string& plan) {
    const Ended ended = run({"run", plan, "--out", (root_ / "out").string(), "--no-progress"});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    std::ifstream file(root_ / "out" / "results.json");
    const Json results = Json::parse(file, nullptr, false);
    std::map<std::string, Json> records;
    const std::string last = known.rows_left ? "maintenance" : "bulk_insert";
    if (!results.is_object()) return records;
    for (const Json& stage : results["stages"])
      if (stage["system"] == known.system && stage["stage"] == last && !stage["superseded"].get<bool>())
        records[stage["grade"]] = stage;
    return records;
  }
};

/// What the census of the scan behind the stage has found.
void expect_located(const Json& record, const Range& range) {
  ASSERT_TRUE(record.contains("scan")) << record.value("scan_missing", "no scan");
  for (const Json& entry : record["scan"]) {
    if (entry["chunker"] != "census" || entry["part"] != "all") continue;
    EXPECT_EQ(entry["copies_expected"], 400);
    EXPECT_GE(entry["share_located"].get<double>(), range.low);
    EXPECT_LE(entry["share_located"].get<double>(), range.high);
    return;
  }
  ADD_FAILURE() << "no census";
}

/// By how much a counter grew in the cells of a grade, by its first and its last sample.
std::optional<double> growth(const std::filesystem::path& samples, const std::string& counter,
                             const std::string& grade) {
  std::ifstream file(samples);
  std::optional<double> first;
  double last = 0;
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find("," + counter + ",");
    if (at == std::string::npos || !line.ends_with(";grade=" + grade)) continue;
    last = std::stod(line.substr(at + counter.size() + 2));
    if (!first) first = last;
  }
  return first ? std::optional(last - *first) : std::nullopt;
}

double rounded(double ratio) { return std::round(ratio * 1'000) / 1'000; }

TEST_P(KnownAnswers, AreGivenByTheInstrument) {
  const Known known = GetParam();
  const auto table = table_of(known.system);
  if (!table && !required(known.system)) GTEST_SKIP() << "no server of " << known.system;
  ASSERT_TRUE(table) << known.system << " is required, and LAB_SERVERS has no table of it";
  auto records = records_of(known, plan_of(known, *table));
  for (const auto& [grade, range] : known.edr) {
    SCOPED_TRACE(grade);
    ASSERT_TRUE(records.contains(grade));
    const Json& record = records[grade];
    ASSERT_TRUE(record["valid"].get<bool>()) << record["reason"];
    EXPECT_EQ(record["verified"], "full");
    if (known.rows_left) {
      EXPECT_EQ(record["removed"].get<std::int64_t>(), 400 - *known.rows_left);
      continue;
    }
    if (known.located) expect_located(record, *known.located);
    if (known.memory) {
      const auto grown = growth(root_ / "out" / "samples.csv", "used_memory_dataset", grade);
      ASSERT_TRUE(grown);
      EXPECT_GE(400.0 * 131'072 / *grown, known.memory->low);
      EXPECT_LE(400.0 * 131'072 / *grown, known.memory->high);
    }
    const double edr = record["edr"][known.probe];
    // The ranges are known to three digits. Redis's log, for one, also holds a heartbeat every few seconds.
    EXPECT_GE(rounded(edr), range.low);
    EXPECT_LE(rounded(edr), range.high);
    const Json& first = records.begin()->second;
    EXPECT_TRUE(!known.alike || std::abs(edr / first["edr"][known.probe].get<double>() - 1) < 0.002) << edr;
    if (!known.step) continue;
    const std::int64_t apart = record["after_bytes"][known.probe].get<std::int64_t>() -
                               first["after_bytes"][known.probe].get<std::int64_t>();
    EXPECT_EQ(*known.step == 0 ? apart : apart % *known.step, 0) << apart << " bytes";
  }
}

/// The ranges are the method's. U90 of 400 objects has 40 distinct ones.
const Known kKnown[] = {
    {.system = "postgresql",
     .variant = "toast_extended",
     .probe = "engine:payload",  // To the page; blocks add those in which the file system keeps extents.
     .edr = {{"U0", {0.954, 0.958}}, {"U50", {0.954, 0.958}}, {"U90", {0.954, 0.958}}},
     .step = 0},
    {.system = "postgresql",
     .variant = "toast_external",
     .probe = "engine:payload",
     .edr = {{"U0", {0.954, 0.958}}, {"U90", {0.954, 0.958}}},
     .step = 0,
     .located = {{0.999, 1.001}}},
    {.system = "postgresql",
     .variant = "toast_extended",
     .payload = "text_document",
     .edr = {{"U0", {1.5, 4.0}}, {"U90", {1.5, 4.0}}},
     .alike = true},
    {.system = "mariadb",
     .variant = "default",
     .probe = "apparent",
     .edr = {{"U0", {0.77, 0.84}}, {"U50", {0.77, 0.84}}, {"U90", {0.77, 0.84}}},
     .step = 4 << 20},
    {.system = "clickhouse",
     .variant = "default",
     .edr = {{"U0", {0.99, 1.0}}, {"U90", {0.99, 1.0}}},
     .located = {{0.999, 1.001}}},  // LZ4 keeps what it cannot compress as it is.
    {.system = "clickhouse",
     .variant = "low_cardinality",
     .edr = {{"U0", {0.99, 1.0}}, {"U50", {1.97, 2.0}}, {"U90", {9.6, 10.0}}}},
    {.system = "clickhouse", .variant = "replacing", .edr = {{"U90", {}}}, .rows_left = 40},
    {.system = "redis",
     .variant = "aof",
     .edr = {{"U0", {0.999, 1.0}}, {"U90", {0.999, 1.0}}},
     .located = {{0.9999, 1.0001}},
     .memory = {{0.79, 0.81}}},  // The allocator's class of 160 KiB.
    {.system = "redis", .variant = "rdb", .edr = {{"U0", {0.999, 1.0}}, {"U90", {0.999, 1.0}}}},
};

INSTANTIATE_TEST_SUITE_P(Known, KnownAnswers, testing::ValuesIn(kKnown), [](const auto& parameter) {
  return fmt::format("{}_{}_{}", parameter.param.system, parameter.param.variant, parameter.param.payload);
});

}  // namespace
}  // namespace lab::e2e
