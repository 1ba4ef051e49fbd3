// deduplab scan --emit and scan-merge with real engines: many machines' files counted as one scan counts
// them. SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/random.hpp"
#include "core/text.hpp"
#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

const std::string kPython = std::string(LAB_SOURCE_ROOT) + "/.cache/venv/bin/python";

/// LAB_REQUIRE=duckdb,spark: there a missing engine is a failure and not a skip.
bool required(const std::string& engine) {
  const char* const list = std::getenv("LAB_REQUIRE");  // NOLINT(concurrency-mt-unsafe): nobody sets it.
  const auto names = split(list == nullptr ? "" : list, ',');
  return std::find(names.begin(), names.end(), engine) != names.end();
}

bool installed(const std::string& engine) {
  const std::string module = engine == "spark" ? "pyspark" : engine;
  const std::string line = "'" + kPython + "' -c 'import " + module + "' 2>/dev/null";
  return std::system(line.c_str()) == 0;  // NOLINT(cert-env33-c): a fixed line.
}

class ScanMerge : public ProgramTest {
 protected:
  /// Three machines' folders with copies within and between them, zeros, holes and short ends.
  void write_machines() const {
    Random random(7);
    std::string shared(200'000, '\0');
    for (char& letter : shared) letter = static_cast<char>(random.next());
    for (const char* machine : {"a", "b", "c"}) {
      fs::create_directories(root_ / "data" / machine);
      std::string own(300'000, '\0');
      for (char& letter : own) letter = static_cast<char>(random.next());
      const std::string name = std::string("data/") + machine;
      write(name + "/table", own + shared + own.substr(0, 70'000));
      write(name + "/x.log", shared.substr(1'000) + std::string(50'000, '\0') + own);
      write(name + "/holes", "head");
      fs::resize_file(root_ / name / "holes", 3U << 20U);
      fs::create_symlink("table", root_ / name / "link");
    }
    write("data/b/zeros", std::string(20'000, '\0'));
  }

  static std::vector<std::string> how() {
    return {"--chunker", "fixed:64,cdc:2048", "--align", "0,48", "--class", "*.log=log"};
  }

  json parsed(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--json", "--no-progress"});
    const Ended ended = run(std::move(arguments));
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return json::parse(ended.out, nullptr, false);
  }

  std::string emit(const std::string& machine, std::vector<std::string> more) const {
    const std::string folder = (root_ / ("emit-" + machine)).string();
    more.insert(more.begin(), {"scan", (root_ / "data" / machine).string(), "--emit", folder});
    parsed(std::move(more));
    return folder;
  }

  /// An interpreter without any package.
  std::string bare_python() const {
    const fs::path path = write("bare-python", "#!/bin/sh\nexec python3 -I -S \"$@\"\n");
    fs::permissions(path, fs::perms::owner_all);
    return path.string();
  }
};

class ScanMergeEngine : public ScanMerge, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    ScanMerge::SetUp();
    const bool there = installed(GetParam());
    if (!there && !required(GetParam()))
      GTEST_SKIP() << GetParam() << " is missing; scripts/setup test installs it";
    ASSERT_TRUE(there) << kPython;
  }
  json merge(std::vector<std::string> folders) const {
    folders.insert(folders.begin(), {"scan-merge", "--engine", GetParam(), "--python", kPython, "--threads",
                                     "2", "--temp", root_.string()});
    return parsed(std::move(folders));
  }
};

/// Without what is not of the files: how long it took.
json figures(json all) {
  for (json& one : all) one.erase("seconds");
  return all;
}

TEST_P(ScanMergeEngine, CountsTheFilesOfManyMachinesAsOneScanOverAllDoes) {
  write_machines();
  std::vector<std::string> folders;
  for (const char* machine : {"a", "b", "c"}) folders.push_back(emit(machine, how()));
  std::vector<std::string> all = how();
  all.insert(all.begin(), {"scan", (root_ / "data").string()});
  const json expected = figures(parsed(all));
  ASSERT_EQ(expected.size(), 9U);  // Three chunkers, each for all files and two classes.
  EXPECT_GT(expected[0]["zero_chunks"], 1000);
  EXPECT_EQ(figures(merge(folders)), expected);
}

TEST_P(ScanMergeEngine, ReadsFilesOfSeveralRowGroupsAndWiderFingerprints) {
  // 20 MiB in blocks of 64 bytes, each twice, are 163,840 rows: more than a row group.
  std::string text(10U << 20U, '\0');
  Random random(1);
  for (std::size_t at = 0; at < text.size(); at += 8)
    *reinterpret_cast<std::uint64_t*>(text.data() + at) = random.next();
  fs::create_directories(root_ / "data/a");
  write("data/a/one", text + text);
  const std::vector<std::string> flags{"--chunker", "fixed:64", "--fingerprint", "sha256"};
  const json merged = merge({emit("a", flags)});
  EXPECT_EQ(merged[0]["unique_chunks"], 163'840);
  EXPECT_EQ(merged[0]["unique_bytes"], 10 << 20);
  EXPECT_EQ(merged[0]["chunks"], 327'680);
  EXPECT_EQ(merged[0]["fingerprint"], "sha256");
}

TEST_P(ScanMergeEngine, AByteThatHasChangedInAFileIsAnErrorAndNoFigure) {
  write_machines();
  const std::string folder = emit("a", {"--chunker", "fixed:64"});
  const fs::path file = fs::path(folder) / "fixed-64-at-0-00000.parquet";
  {
    std::fstream bytes(file, std::ios::binary | std::ios::in | std::ios::out);
    bytes.seekg(50'000);
    const int old = bytes.get();
    bytes.seekp(50'000);
    bytes.put(static_cast<char>(old ^ 1));
  }
  const Ended ended = run({"scan-merge", folder, "--engine", GetParam(), "--python", kPython});
  EXPECT_EQ(ended.exit_code, 4) << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr(std::string(GetParam()) + " ended with 1"));
}

INSTANTIATE_TEST_SUITE_P(With, ScanMergeEngine, testing::Values("duckdb", "spark"),
                         [](const auto& made) { return std::string(made.param); });

TEST_F(ScanMerge, SaysWhichEngineIsMissingAndCountsNothing) {
  write_machines();
  const std::string folder = emit("a", {"--chunker", "fixed:4096"});
  for (const char* engine : {"duckdb", "spark"}) {
    const Ended ended = run({"scan-merge", folder, "--engine", engine, "--python", bare_python()});
    EXPECT_EQ(ended.exit_code, 3) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, HasSubstr(std::string("has no engine ") + engine + " (No module named"));
  }
  const Ended nowhere = run({"scan-merge", folder, "--python", "no-such-python"});
  EXPECT_EQ(nowhere.exit_code, 3) << nowhere.err;
  EXPECT_THAT(nowhere.err, HasSubstr("no-such-python"));
}

TEST_F(ScanMerge, RefusesWhatIsWrongAndWritesNothing) {
  write_machines();
  const std::string folder = emit("a", {"--chunker", "fixed:4096"});
  const std::string other = emit("b", {"--chunker", "fixed:512"});
  const std::string odd = (root_ / "odd*name").string();
  fs::copy(folder, odd);
  const std::string data = (root_ / "data").string();
  const auto before = tree_of(root_);
  struct Case {
    const char* what;
    std::vector<std::string> arguments;
    const char* expected;
  };
  for (const Case& c : std::vector<Case>{
           {"no folder", {"scan-merge"}, "folders is required"},
           {"one that is not there", {"scan-merge", folder + "x"}, "No such file"},
           {"one that is no emitted one", {"scan-merge", data}, "has no scan.json"},
           {"other chunkers", {"scan-merge", folder, other}, "not the same chunkers: fixed:4096; fixed:512"},
           {"an unknown engine", {"scan-merge", folder, "--engine", "duckbd"}, "did you mean 'duckdb'?"},
           {"a master without Spark",
            {"scan-merge", folder, "--master", "local[2]"},
            "--master: is of --engine"},
           {"no thread", {"scan-merge", folder, "--threads", "0"}, "--threads"},
           {"odd memory", {"scan-merge", folder, "--memory", "1 GB"}, "--memory"},
           {"little memory", {"scan-merge", folder, "--memory", "1 MiB"}, "--memory"},
           {"no folder of temporary files", {"scan-merge", folder, "--temp", folder + "x"}, "--temp"},
           {"a pattern", {"scan-merge", odd}, "take one of *?[]{}\\ for a pattern"},
           {"emitting into a full folder", {"scan", data, "--emit", folder}, "--emit: "},
           {"emitting a sample",
            {"scan", data, "--emit", folder + "x", "--sketch"},
            "--emit: needs exact counts"},
           {"emitting nowhere", {"scan", data, "--emit", folder + "x/y"}, "is not a folder"},
       }) {
    SCOPED_TRACE(c.what);
    const Ended ended = run(c.arguments);
    EXPECT_EQ(ended.exit_code, 2) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, HasSubstr(c.expected));
  }
  EXPECT_EQ(tree_of(root_), before);
}

}  // namespace
}  // namespace lab::e2e
