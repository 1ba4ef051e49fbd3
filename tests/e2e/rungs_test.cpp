// The ladder on real file systems with known answers: what removes duplicates below the files must be seen at
// its rung, and nothing may be seen where nothing is removed. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "probe/testing/loop_file_system.hpp"
#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Rungs : public ProgramTest {
 protected:
  void TearDown() override {
    disk_.reset();
    ProgramTest::TearDown();
  }

  /// A file system of its own; else the test is skipped with the reason.
  std::string mount(const std::string& type, const std::string& options = "") {
    disk_ = std::make_unique<LoopFileSystem>(scratch_, type, options);
    return disk_->mounted() ? "" : "needs a " + type + " on a loop device: " + disk_->lacks();
  }
  static std::string needs(const std::string& tool) {
    return find_program(tool) ? "" : tool + " is not installed (scripts/setup test)";
  }

  /// Runs plain files on it and gives back what results.json says.
  json measure(const std::string& dataset, const std::string& keys, const std::string& hook) {
    const std::string plan = "[run]\nseed = 7\nrepetitions = 5\n[dataset]\n" + dataset +
                             "[stages]\nchains = [[\"bulk_insert\"]]\n[settle]\nidle = \"20ms\"\n" +
                             (hook.empty() ? "" : "[hooks]\nafter_operations = " + hook + "\n") +
                             "[systems.files]\npath = \"" + (disk_->top() / "data").string() + "\"\n" + keys;
    const std::string out = (root_ / "out").string();
    const Ended ended = run({"run", write("rungs.toml", plan).string(), "--out", out, "--no-progress"});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    const json results = json::parse(tree_of(out)["results.json"], nullptr, false);
    EXPECT_TRUE(results.is_object());
    return results;
  }
  json measure_made(const std::string& keys, const std::string& hook) {
    return measure(
        "payloads = [\"random_binary\"]\ngrades = [\"U0\", \"U50\", \"U90\"]\nobjects = 100\n"
        "object_size = \"128 KiB\"\n",
        keys, hook);
  }

  /// The word for plain files at one grade and rung, with eta; shown by a failing test and by --verbose
  /// ctest.
  static std::string verdict(const json& results, const std::string& grade, const std::string& probe) {
    for (const json& one : results["verdicts"]) {
      if (one["system"] != "files" || one["grade"] != grade || one["probe"] != probe) continue;
      const std::string word = one["verdict"].get<std::string>();
      fmt::print("{} {}: {} eta {} [{}, {}]\n", grade, probe, word, one.value("eta", json()).dump(),
                 one.value("low", json()).dump(), one.value("high", json()).dump());
      return word;
    }
    return "no verdict";
  }
  static void expect(const json& results, const std::string& probe, const std::string& word) {
    for (const char* grade : {"U50", "U90"})
      EXPECT_EQ(verdict(results, grade, probe), word) << grade << " " << probe;
  }

  std::unique_ptr<LoopFileSystem> disk_{};
};

TEST_F(Rungs, PlainFilesOnExt4PayForEveryDuplicateAtEveryRung) {
  if (const std::string lacks = mount("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  const json results = measure_made(
      "probes = [\"files\", \"extents\", \"filesystem\", \"volume\", \"volume:trimmed\"]\n"
      "volume = \"" +
          disk_->image().string() + "\"\ntrim = true\n",
      "");
  for (const char* probe : {"files", "extents", "filesystem", "volume", "volume:trimmed"})
    expect(results, probe, "none");
}

TEST_F(Rungs, ADedupePassOnXfsIsSeenBelowTheFilesAndNotInThem) {
  if (const std::string lacks = needs("duperemove"); !lacks.empty()) GTEST_SKIP() << lacks;
  if (const std::string lacks = mount("xfs"); !lacks.empty()) GTEST_SKIP() << lacks;
  const json results = measure_made("probes = [\"files\", \"extents\", \"filesystem\"]\n",
                                    "[\"duperemove\", \"-dr\", \"{directory}\"]");
  expect(results, "files", "none");
  expect(results, "extents", "full");
  expect(results, "filesystem", "full");
}

TEST_F(Rungs, ADedupePassOnBtrfsIsSeenBelowTheFilesAndNotInThem) {
  if (const std::string lacks = needs("duperemove"); !lacks.empty()) GTEST_SKIP() << lacks;
  if (const std::string lacks = mount("btrfs"); !lacks.empty()) GTEST_SKIP() << lacks;
  const json results = measure_made(
      "probes = [\"files\", \"extents\", \"btrfs\", \"filesystem\", \"volume:trimmed\"]\nvolume = \"" +
          disk_->image().string() + "\"\ntrim = true\n",
      "[\"duperemove\", \"-dr\", \"{directory}\"]");
  expect(results, "files", "none");
  for (const char* probe : {"extents", "btrfs", "filesystem", "volume:trimmed"})
    expect(results, probe, "full");
  for (const json& ladder : results["ladders"]) {
    if (ladder["system"] != "files" || ladder["grade"] != "U90") continue;
    EXPECT_EQ(ladder["vanish_rung"], "extents");
  }
}

TEST_F(Rungs, WithoutADedupePassNeitherFileSystemRemovesAnything) {
  for (const char* type : {"xfs", "btrfs"}) {
    SCOPED_TRACE(type);
    if (const std::string lacks = mount(type); !lacks.empty()) GTEST_SKIP() << lacks;
    const json results = measure_made("probes = [\"files\", \"extents\", \"filesystem\"]\n", "");
    for (const char* probe : {"files", "extents", "filesystem"}) expect(results, probe, "none");
    fs::remove_all(root_ / "out");
  }
}

/// Copies that differ in one byte are no duplicates of whole files, and nearly all duplicate blocks.
TEST_F(Rungs, CopiesThatDifferInOneByteAreRemovedByBlocksAndNotByWholeFiles) {
  if (const std::string lacks = needs("duperemove"); !lacks.empty()) GTEST_SKIP() << lacks;
  if (const std::string lacks = mount("xfs"); !lacks.empty()) GTEST_SKIP() << lacks;
  constexpr std::size_t kFile = 128 << 10;
  constexpr unsigned kPairs = 20;
  for (unsigned number = 0; number < kPairs; ++number) {
    const fs::path original = root_ / "pool" / fmt::format("{}", number);
    write_random(original, kFile, number + 1);
    const fs::path copy = original.string() + ".copy";
    fs::copy_file(original, copy);
    std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(70'000);
    const char changed = static_cast<char>(file.get() ^ 1);
    file.seekp(70'000);
    file.put(changed);
  }
  const json results = measure(
      "payloads = [\"directory:" + (root_ / "pool").string() + "\"]\ngrades = [\"U0\"]\nobjects = 40\n",
      "probes = [\"files\", \"filesystem\"]\n",
      "[\"duperemove\", \"-dr\", \"-b\", \"4096\", \"--dedupe-options=partial\", \"{directory}\"]");
  std::size_t seen = 0;
  for (const json& stage : results["stages"]) {
    ASSERT_TRUE(stage["valid"].get<bool>()) << stage["reason"];
    fmt::print("{}: edr {}\n", stage["system"].dump(), stage["edr"].dump());
    EXPECT_EQ(stage["logical_bytes"], 2 * std::size_t{kPairs} * kFile);
    EXPECT_EQ(stage["unique_bytes"], stage["logical_bytes"]) << "d = 0: no two files are equal";
    const json& edr = stage["edr"];
    EXPECT_NEAR(edr["files"].get<double>(), 1.0, 0.02) << stage["system"];
    if (stage["system"] == "files") {
      // duperemove 0.11 shares what comes before the changed byte: 17 of the 32 blocks of each copy.
      EXPECT_GT(edr["filesystem"].get<double>(), 1.25);
    }
    ++seen;
  }
  EXPECT_EQ(seen, 2U * 5);
}

}  // namespace
}  // namespace lab::e2e
