// deduplab scan as scripts and people use it: its answer, its errors, its memory.
// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/random.hpp"
#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class ScanProgram : public ProgramTest {
 protected:
  /// No two blocks of 64 bytes are equal.
  fs::path write_random(const std::string& name, std::size_t mebibytes) const {
    std::ofstream file(root_ / name, std::ios::binary);
    std::vector<std::uint64_t> words(1U << 17U);
    Random random(mebibytes);
    for (std::size_t i = 0; i < mebibytes; ++i) {
      for (std::uint64_t& word : words) word = random.next();
      file.write(reinterpret_cast<const char*>(words.data()), 1 << 20);
    }
    return root_ / name;
  }

  json scan(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--json", "scan", "--no-progress"});
    const Ended ended = run(std::move(arguments));
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return json::parse(ended.out, nullptr, false);
  }
};

TEST_F(ScanProgram, PrintsAnObjectForEachChunkerInTheOrderAsked) {
  const std::string block = std::string(4095, 'a') + "b";
  write("one", block + block + std::string(4096, '\0') + "tail");
  write("two", block);
  fs::create_symlink("one", root_ / "link");
  const json all = scan({root_.string(), "--chunker", "cdc:8192,fixed:4096", "--chunker", "fixed:131072"});
  ASSERT_EQ(all.size(), 3U) << all.dump();
  EXPECT_EQ(all[0]["chunker"], "cdc:8192");
  EXPECT_EQ(all[2]["chunker"], "fixed:131072");
  const json& fixed = all[1];
  EXPECT_EQ(fixed["chunker"], "fixed:4096");
  EXPECT_EQ(fixed["files"], 2);
  EXPECT_EQ(fixed["bytes"], 4 * 4096 + 4);
  EXPECT_EQ(fixed["chunks"], 5);
  EXPECT_EQ(fixed["unique_chunks"], 3);
  EXPECT_EQ(fixed["unique_bytes"], 2 * 4096 + 4);
  EXPECT_EQ(fixed["zero_bytes"], 4096);
  EXPECT_DOUBLE_EQ(fixed["residual"].get<double>(), 1.0 - (2 * 4096 + 4) / (4.0 * 4096 + 4));
  EXPECT_EQ(fixed["exact"], true);
  EXPECT_FALSE(fixed.contains("low"));
  EXPECT_GT(fixed["seconds"].get<double>(), 0);
  EXPECT_EQ(fixed["histogram"], json::parse(R"([
      {"copies_from": 1, "copies_to": 1, "distinct": 2, "chunks": 2, "bytes": 4100},
      {"copies_from": 3, "copies_to": 4, "distinct": 1, "chunks": 3, "bytes": 12288}])"));
  EXPECT_EQ(fixed["left_out"],
            json::array({{{"path", (root_ / "link").string()}, {"reason", "a symbolic link"}}}));
  EXPECT_EQ(fixed["incomplete"], json::array());
}

TEST_F(ScanProgram, WithoutAChunkerShowsTheWholeCurve) {
  write("one", std::string(100'000, 'a'));
  const json all = scan({root_.string()});
  ASSERT_EQ(all.size(), 15U);
  EXPECT_EQ(all.front()["chunker"], "fixed:512");
  EXPECT_EQ(all.back()["chunker"], "cdc:65536");
  const Ended table = run({"scan", root_.string()});
  EXPECT_EQ(table.exit_code, 0);
  for (const json& one : all)
    EXPECT_NE(table.out.find(one["chunker"].get<std::string>()), std::string::npos) << table.out;
}

TEST_F(ScanProgram, FindsWhatWasGenerated) {
  const std::string out = (root_ / "data").string();
  ASSERT_EQ(run({"generate", "--payload", "random_binary", "--grade", "U90", "--objects", "100",
                 "--object-size", "20 KiB", "--output", out})
                .exit_code,
            0);
  for (const char* chunker : {"fixed:512", "fixed:4096", "fixed:20480", "cdc:2048"}) {
    const json all = scan({out + "/objects", "--chunker", chunker});
    EXPECT_NEAR(all[0]["residual"].get<double>(), 0.9, 1e-12) << chunker;
  }
}

TEST_F(ScanProgram, ASketchSaysThatItIsOneAndItsIntervalHoldsTheTruth) {
  write_random("data", 16);
  fs::copy_file(root_ / "data", root_ / "again");
  const json all =
      scan({root_.string(), "--chunker", "fixed:512", "--sketch", "--memory", "1 MiB", "--threads", "1"});
  EXPECT_EQ(all[0]["exact"], false);
  EXPECT_LT(all[0]["low"].get<double>(), 0.5);
  EXPECT_GT(all[0]["high"].get<double>(), 0.5);
  EXPECT_GT(all[0]["low"].get<double>(), 0.4);
  EXPECT_LT(all[0]["high"].get<double>(), 0.6);
  EXPECT_EQ(all[0]["spilled_bytes"], 0);
}

/// In kilobytes: the largest of the children that have ended.
long peak_of_children() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_maxrss;
}

TEST_F(ScanProgram, NeedsNoMoreMemoryForMoreData) {
  const fs::path small = write_random("small", 16);
  const fs::path large = write_random("large", 128);
  const std::vector<std::string> how{"--chunker", "fixed:64", "--memory", "2 MiB",
                                     "--threads", "1",        "--temp",   root_.string()};
  const auto with = [&](const fs::path& path) {
    std::vector<std::string> arguments{path.string()};
    arguments.insert(arguments.end(), how.begin(), how.end());
    return scan(arguments);
  };
  ASSERT_GT(with(small)[0]["spilled_bytes"].get<std::int64_t>(), 0);
  const long before = peak_of_children();
  const json all = with(large);
  EXPECT_EQ(all[0]["unique_chunks"], 128 << 14);
  EXPECT_LE(all[0]["spilled_bytes"].get<std::int64_t>(), 128LL << 18);  // 16 bytes a chunk
  EXPECT_LT(peak_of_children(), before + 4096);                         // 4 MiB; its chunks need 32.
}

TEST_F(ScanProgram, RefusesWhatIsWrongAndReadsNothing) {
  write("file", "content");
  const std::string path = root_.string();
  struct Case {
    const char* what;
    std::vector<std::string> arguments;
    const char* expected;
  };
  for (const Case& c : std::vector<Case>{
           {"no path", {"scan"}, "paths is required"},
           {"a path that is not there", {"scan", path + "/no"}, "No such file"},
           {"a device of characters", {"scan", "/dev/null"}, "a character device"},
           {"an unknown chunker", {"scan", path, "--chunker", "fxed:512"}, "did you mean 'fixed'?"},
           {"a chunker without a size", {"scan", path, "--chunker", "cdc"}, "'cdc' has no size"},
           {"a chunker twice", {"scan", path, "--chunker", "cdc:512,cdc:512"}, "named twice"},
           {"an odd average", {"scan", path, "--chunker", "cdc:1000"}, "power of two"},
           {"an offset without a block", {"scan", path, "--align", "64", "--chunker", "fixed:64"}, "--align"},
           {"no thread", {"scan", path, "--threads", "0"}, "--threads"},
           {"little memory", {"scan", path, "--memory", "1000"}, "give at least"},
           {"odd memory", {"scan", path, "--memory", "1 GB"}, "--memory"},
           {"an unknown fingerprint", {"scan", path, "--fingerprint", "sha265"}, "did you mean 'sha256'?"},
           {"one that is not built in", {"scan", path, "--fingerprint", "blake3"}, "known but not built in"},
           {"a folder that is not there", {"scan", path, "--temp", path + "/no"}, "No such file"},
           {"files of a sketch", {"scan", path, "--sketch", "--temp", path}, "--temp"},
       }) {
    SCOPED_TRACE(c.what);
    const Ended ended = run(c.arguments);
    EXPECT_EQ(ended.exit_code, 2) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_NE(ended.err.find(c.expected), std::string::npos) << ended.err;
  }
}

TEST_F(ScanProgram, NamesWhatItMayNotRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  write("file", "content");
  write("secret", "content");
  fs::permissions(root_ / "secret", fs::perms::none);
  const json all = scan({root_.string(), "--chunker", "fixed:512"});
  EXPECT_EQ(all[0]["files"], 1);
  ASSERT_EQ(all[0]["left_out"].size(), 1U);
  EXPECT_EQ(all[0]["left_out"][0]["reason"], "Permission denied");
}

}  // namespace
}  // namespace lab::e2e
