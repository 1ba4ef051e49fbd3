// A run whose plan has [scan]: where every copy went in the embedded systems, whose answers are known.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

using Json = nlohmann::json;

constexpr int kObjects = 40;  // Of 64 KiB; 4 distinct ones at U90.

class ScannedRun : public ProgramTest {
 protected:
  std::string plan(const std::string& scan) const {
    return write("plan.toml", fmt::format(R"([run]
seed = 11
repetitions = 1
[dataset]
payloads = ["random_binary"]
grades = ["U0", "U90"]
objects = {}
object_size = "64 KiB"
[stages]
chains = [["bulk_insert"], ["perfile_insert", "perfile_delete"]]
[settle]
idle = "10ms"
window = "10ms"
{}
[systems.files]
[systems.cas]
[systems.sqlite]
[systems.rocksdb]
variants = ["none"]
[systems.lmdb]
)",
                                          kObjects, scan))
        .string();
  }

  std::vector<Json> stages() const {
    std::ifstream file(root_ / "out" / "results.json");
    const Json results = Json::parse(file, nullptr, false);
    std::vector<Json> all;
    if (results.is_object())
      for (const Json& stage : results["stages"])
        if (!stage["superseded"].get<bool>()) all.push_back(stage);
    return all;
  }
};

/// The entry of a chunker in all files of a record.
Json entry_of(const Json& record, const std::string& chunker) {
  for (const Json& entry : record["scan"])
    if (entry["chunker"] == chunker && entry["part"] == "all") return entry;
  return Json::object();
}

TEST_F(ScannedRun, EveryCopyIsFoundWhereItIsKeptAndOneWhereItIsNot) {
  const Ended ended = run({"run",
                           plan("[scan]\nchunkers = ['fixed:4096', 'fixed:65536', 'cdc:8192']\n"
                                "stages = ['bulk_insert']"),
                           "--out", (root_ / "out").string(), "--no-progress"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  std::set<std::string> seen;
  for (const Json& record : stages()) {
    const std::string system = record["system"];
    SCOPED_TRACE(system + " " + record["grade"].get<std::string>() + " " +
                 record["stage"].get<std::string>());
    ASSERT_TRUE(record["valid"].get<bool>() || record["unsupported"].get<bool>()) << record["reason"];
    EXPECT_EQ(record.contains("scan"), record["stage"] == "bulk_insert");
    EXPECT_FALSE(record.contains("scan_missing")) << record["scan_missing"];
    if (!record.contains("scan")) continue;
    seen.insert(system);
    const bool copies = record["grade"] == "U90";
    const int expected = system == "cas" && copies ? 4 : kObjects;
    const Json census = entry_of(record, "census");
    EXPECT_EQ(census["copies_expected"], kObjects);
    EXPECT_EQ(census["copies_countable"], kObjects);
    // A piece of an object on a page of its own may have no slice; then it is not found, in none of its
    // copies.
    const bool in_pages = system == "sqlite";
    EXPECT_GE(census["copies_whole"].get<int>(), in_pages ? 0 : expected);
    EXPECT_LE(census["copies_whole"].get<int>(), expected);
    EXPECT_NEAR(census["copies_by_bytes"].get<double>(), expected, in_pages ? 0.005 * kObjects : 0.001);
    const double residual = entry_of(record, "fixed:4096")["residual"];
    const bool in_blocks = system == "files" && copies;
    EXPECT_TRUE(!in_blocks || std::abs(residual - 0.9) < 0.01)
        << "each object in blocks of its own: " << residual;
    EXPECT_TRUE((system != "cas" && copies) || residual < 0.05)
        << "only what pages have in common: " << residual;
    EXPECT_EQ(entry_of(record, "cdc:8192")["bytes"], entry_of(record, "fixed:65536")["bytes"]);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"files", "cas", "sqlite", "rocksdb", "lmdb"}));
  EXPECT_NE(tree_of(root_ / "out")["scans.csv"].find(",share_located,"), std::string::npos);
}

TEST_F(ScannedRun, ADryRunSaysWhatWillBeScanned) {
  const std::string scan = "[scan]\nchunkers = ['fixed:4 KiB']\nstages = ['bulk_insert']\nlimit = '2m'";
  const Ended ended = run({"run", plan(scan), "--dry-run"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.out.find("scan after bulk_insert: fixed:4096, and the copies of the payload; 256 MiB of "
                           "memory, 1 thread, at most 2m each"),
            std::string::npos)
      << ended.out;
  const Ended json = run({"--json", "run", plan(scan), "--dry-run"});
  const Json parsed = Json::parse(json.out, nullptr, false);
  ASSERT_TRUE(parsed.is_object()) << json.out << json.err;
  EXPECT_EQ(parsed["scan"]["chunkers"], Json::array({"fixed:4096"}));
  EXPECT_GT(parsed["scan"]["seconds"].get<double>(), 0);
  EXPECT_GT(parsed["seconds"].get<double>(), parsed["scan"]["seconds"].get<double>());
  EXPECT_NE(ended.out.find("of the time (assuming 0.4 s a GB, 0.15 s for each chunker, 0.7 s for the copies"),
            std::string::npos)
      << ended.out;
  const Ended none = run({"run", plan(""), "--dry-run"});
  EXPECT_EQ(none.out.find("scan after"), std::string::npos);
}

TEST_F(ScannedRun, AScanThatCannotBeIsRefusedBeforeAnythingIsWritten) {
  const Ended ended = run({"run", plan("[scan]\nchunkers = ['fixed:1 MiB']\nmemory = '1 MiB'"), "--out",
                           (root_ / "out").string()});
  EXPECT_EQ(ended.exit_code, 2) << ended.err;
  EXPECT_NE(ended.err.find("key 'scan.memory': 1 MiB is too little"), std::string::npos) << ended.err;
  EXPECT_FALSE(std::filesystem::exists(root_ / "out"));
}

}  // namespace
}  // namespace lab::e2e
