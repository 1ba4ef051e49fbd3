// deduplab scan as scripts and people use it: its answer, its errors, its memory.
// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
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

TEST_F(ScanProgram, AComparisonOfBytesSaysHowManyItMadeAndWhatDiffered) {
  const std::string block = std::string(4095, 'a') + "b";
  write("one", block + block + std::string(8192, '\0') + "tail");
  write("two", block);
  const std::vector<std::string> asked{root_.string(), "--chunker", "fixed:4096", "--fingerprint", "blake3"};
  std::vector<std::string> verified = asked;
  verified.emplace_back("--verify");
  const json plain = scan(asked)[0];
  const json compared = scan(verified)[0];
  EXPECT_FALSE(plain.contains("verified"));
  EXPECT_EQ(compared["verified"], true);
  EXPECT_EQ(compared["compared"], 2);
  EXPECT_EQ(compared["collisions"], 0);
  EXPECT_EQ(compared["fingerprint"], "blake3");
  for (const char* key : {"chunks", "unique_chunks", "unique_bytes", "zero_bytes", "histogram"})
    EXPECT_EQ(compared[key], plain[key]) << key;
  verified.insert(verified.begin(), {"scan", "--no-progress"});
  EXPECT_NE(run(verified).out.find("verified: 2 chunks were compared byte by byte with one of the same "
                                   "fingerprint; all were equal"),
            std::string::npos);
}

TEST_F(ScanProgram, FilesOfAClassAreCountedApartToo) {
  for (const char* folder : {"data", "log"}) fs::create_directory(root_ / folder);
  write("data/a.sst", std::string(8192, 'a'));
  write("data/wal.log", std::string(4096, 'a') + std::string(4096, 'b'));
  write("log/x", std::string(4096, 'c'));
  write("rest", std::string(4096, 'd'));
  const json all = scan({root_.string(), "--chunker", "fixed:4096", "--class", "*.sst=payload", "--class",
                         "*.log=log", "--class", "*/log/*=log"});
  ASSERT_EQ(all.size(), 4U);
  const std::vector<std::string> parts{"all", "payload", "log", "other"};
  const std::vector<int> chunks{6, 2, 3, 1};
  const std::vector<int> unique{4, 1, 3, 1};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(all[i]["part"], parts[i]);
    EXPECT_EQ(all[i]["chunks"], chunks[i]) << parts[i];
    EXPECT_EQ(all[i]["unique_chunks"], unique[i]) << parts[i];
  }
  const Ended table = run({"scan", root_.string(), "--chunker", "fixed:4096", "--class", "*.sst=payload"});
  EXPECT_NE(table.out.find("fixed:4096     payload"), std::string::npos) << table.out;
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

TEST_F(ScanProgram, AnAuditSaysOfEachMadeKindThatNothingIsDistinctOrEqualButWhatWasAsked) {
  for (const char* payload : {"random_binary", "structured_json", "text_document", "uuid_keys",
                              "jsonb_documents", "time_series", "synthetic_transactions", "mixed"})
    for (const auto& [grade, distinct] : {std::pair{"U0", 40}, {"U90", 4}}) {
      SCOPED_TRACE(testing::Message() << payload << grade);
      const std::string out = (root_ / payload / grade).string();
      const Ended ended = run({"generate", "--payload", payload, "--grade", grade, "--objects", "40",
                               "--object-size", "150001", "--output", out, "--audit", "--json"});
      ASSERT_EQ(ended.exit_code, 0) << ended.err;
      const json audit = json::parse(ended.out).at("audit");
      ASSERT_EQ(audit.size(), 6U);
      EXPECT_EQ(audit[0], json({{"unit", "object"}, {"met", 40}, {"asked", distinct}, {"made", distinct}}));
      EXPECT_EQ(audit[1]["unit"], "fixed:512");
      EXPECT_EQ(audit[1]["met"], 40 * 292);
      EXPECT_EQ(audit[1]["asked"], distinct * 292);
      for (const json& row : audit) EXPECT_EQ(row["made"], row["asked"]) << row;
      const std::string manifest = tree_of(out).at("manifest.jsonl");
      const std::size_t last = manifest.rfind('\n', manifest.size() - 2) + 1;
      EXPECT_EQ(json::parse(manifest.substr(last)).at("audit"), audit);
    }
}

TEST_F(ScanProgram, AnAuditOfRealFilesCountsTheBlocksThatTheyShare) {
  fs::create_directory(root_ / "files");
  write_random("files/one", 1);
  fs::copy_file(root_ / "files/one", root_ / "files/two");
  std::ofstream(root_ / "files/two", std::ios::app) << "and more";
  const std::string out = (root_ / "data").string();
  const Ended ended = run({"generate", "--payload", "directory:" + (root_ / "files").string(), "--objects",
                           "2", "--output", out, "--audit"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.err.find("4096 met, 4096 distinct asked, 2048 distinct made"), std::string::npos)
      << ended.err;
  EXPECT_EQ(run({"scan", out + "/objects", "--manifest", out}).exit_code, 0) << "the audit is no object";
  std::ofstream(out + "/manifest.jsonl", std::ios::app) << "{}\n";
  const Ended refused = run({"scan", out + "/objects", "--manifest", out});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("more lines behind the audit"), std::string::npos) << refused.err;
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
  // 16 MiB, of which a sanitizer keeps some; its chunks need 32.
  EXPECT_LT(peak_of_children(), before + 16'384);
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
           {"a class without a name", {"scan", path, "--class", "*.log="}, "'*.log=' is not GLOB=NAME"},
           {"a class that is no text", {"scan", path, "--class", "*=\xFF"}, "names a class that is no UTF-8"},
           {"a class that is there anyway", {"scan", path, "--class", "*=other"}, "names the class 'other'"},
           {"odd memory", {"scan", path, "--memory", "1 GB"}, "--memory"},
           {"an unknown fingerprint", {"scan", path, "--fingerprint", "sha265"}, "did you mean 'sha256'?"},
           {"another one", {"scan", path, "--fingerprint", "blake2"}, "did you mean 'blake3'?"},
           {"a folder that is not there", {"scan", path, "--temp", path + "/no"}, "--temp: "},
           {"a folder that is a file", {"scan", path, "--temp", path + "/file"}, "is not a folder"},
           {"a folder without files", {"scan", path, "--temp", "/proc"}, "no file can be made there: /proc"},
           {"more memory than there is", {"scan", path, "--memory", "512TiB"}, "more than the machine has"},
           {"a comparison of a sample", {"scan", path, "--verify", "--sketch"}, "--verify"},
           {"a comparison past the cache", {"scan", path, "--verify", "--direct"}, "--verify"},
           {"a comparison of what is emitted", {"scan", path, "--verify", "--emit", path + "/e"}, "--verify"},
           {"files of a sketch", {"scan", path, "--sketch", "--temp", path}, "--temp"},
       }) {
    SCOPED_TRACE(c.what);
    const Ended ended = run(c.arguments);
    EXPECT_EQ(ended.exit_code, 2) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_NE(ended.err.find(c.expected), std::string::npos) << ended.err;
  }
}

TEST_F(ScanProgram, NamesThatWouldWriteOnTheTerminalAreShownByTheirBytes) {
  write("file", "content");
  fs::create_symlink("file", root_ / "a\nb\x1b[31mred");
  const Ended ended = run({"scan", root_.string(), "--chunker", "fixed:512"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_NE(ended.err.find("a\\nb\\x1b[31mred: "), std::string::npos) << ended.err;
  const Ended missing = run({"scan", (root_ / "not\x1b[2Jthere").string()});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_NE(missing.err.find("not\\x1b[2Jthere"), std::string::npos) << missing.err;
}

class CensusProgram : public ScanProgram {
 protected:
  /// Sixty objects of 128 KiB, nine of ten copies. Returns the folder of `generate`.
  std::string generate(const std::string& payload) const {
    std::string folder = (root_ / payload).string();
    const Ended ended = run({"generate", "--payload", payload, "--grade", "U90", "--objects", "60",
                             "--object-size", "128 KiB", "--output", folder});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return folder;
  }

  static void shell(const std::string& line) {
    ASSERT_EQ(std::system(line.c_str()), 0) << line;  // NOLINT(cert-env33-c): tar and gzip, on test files.
  }

  json census(const std::string& path, const std::string& folder, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {path, "--manifest", folder, "--chunker", "fixed:4096"});
    const json all = scan(std::move(more));
    EXPECT_EQ(all.size(), 2U) << all.dump();
    EXPECT_EQ(all.front()["chunker"], "fixed:4096");
    EXPECT_EQ(all.back()["chunker"], "census");
    return all.back();
  }
};

TEST_F(CensusProgram, FindsEveryCopyInTheObjectsThemselvesAndInATar) {
  for (const char* payload : {"random_binary", "structured_json"}) {
    SCOPED_TRACE(payload);
    const std::string folder = generate(payload);
    shell("tar -C '" + folder + "' -cf '" + folder + ".tar' objects");
    for (const std::string& path : {folder + "/objects", folder + ".tar"}) {
      SCOPED_TRACE(path);
      const json found = census(path, folder);
      EXPECT_EQ(found["originals"], 6);
      EXPECT_EQ(found["uncountable"], 0);
      EXPECT_EQ(found["not_found"], 0);
      EXPECT_EQ(found["copies_expected"], 60);
      EXPECT_EQ(found["copies_countable"], 60);
      EXPECT_EQ(found["copies_whole"], 60);
      EXPECT_DOUBLE_EQ(found["copies_by_bytes"].get<double>(), 60);
      EXPECT_EQ(found["expected_bytes"], 60 << 17);
      EXPECT_EQ(found["share_located"], 1.0);
      EXPECT_EQ(found["memory"], 64 << 20);
    }
  }
}

TEST_F(CensusProgram, MissesTheCopiesThatAreGoneForAnyNumberOfThreads) {
  const std::string folder = generate("random_binary");
  fs::create_directory(root_ / "some");
  for (int number = 0; number < 30; ++number)
    fs::copy_file(folder + "/objects/" + std::to_string(number), root_ / "some" / std::to_string(number));
  fs::resize_file(root_ / "some/0", 256 << 10);  // A hole behind the object is no copy of anything.
  json one = census((root_ / "some").string(), folder, {"--threads", "1"});
  json four = census((root_ / "some").string(), folder, {"--threads", "4"});
  EXPECT_EQ(one["copies_whole"], 30);
  EXPECT_EQ(one["located_bytes"], 30 << 17);
  EXPECT_EQ(one["scanned_bytes"], 31 << 17);
  EXPECT_EQ(one["share_located"], 0.5);
  one.erase("seconds");
  four.erase("seconds");
  EXPECT_EQ(one, four);
}

TEST_F(CensusProgram, SaysThatCompressedObjectsAreNotLocated) {
  const std::string folder = generate("structured_json");
  const std::string packed = (root_ / "packed.gz").string();
  shell("cat '" + folder + "'/objects/* | gzip -9 > '" + packed + "'");
  const json found = census(packed, folder);
  EXPECT_EQ(found["located_bytes"], 0);
  EXPECT_EQ(found["share_located"], 0.0);
  EXPECT_EQ(found["not_found"], 6);
  const std::string words = "not located: compressed, encrypted or gone";
  const Ended nothing = run({"scan", packed, "--manifest", folder});
  EXPECT_NE(nothing.out.find(words), std::string::npos) << nothing.out;
  const Ended all = run({"scan", folder + "/objects", "--manifest", folder});
  EXPECT_EQ(all.out.find(words), std::string::npos) << all.out;
  EXPECT_NE(all.out.find("60 whole, 60.00 by bytes"), std::string::npos) << all.out;
}

TEST_F(CensusProgram, WritesALineAnOriginalIntoANewFileOnly) {
  const std::string folder = generate("random_binary");
  const fs::path csv = root_ / "census.csv";
  census(folder + "/objects", folder, {"--census-csv", csv.string()});
  std::ifstream file(csv);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[0], "number,size,copies_expected,copies_found,share_located");
  EXPECT_EQ(lines[1].substr(lines[1].find(',')), ",131072,10,10,1");
  const auto before = tree_of(root_);
  const Ended again = run({"scan", folder + "/objects", "--manifest", folder, "--census-csv", csv.string()});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_NE(again.err.find("--census-csv: " + csv.string() + " exists already"), std::string::npos);
  EXPECT_EQ(tree_of(root_), before);
}

TEST_F(CensusProgram, RefusesAManifestOrAnObjectThatIsNotWhatGenerateWrote) {
  const std::string folder = generate("random_binary");
  const fs::path manifest = fs::path(folder) / "manifest.jsonl";
  const std::string good = tree_of(folder).at("manifest.jsonl");
  std::string first = good.substr(0, good.find('\n') + 1);
  const auto refused = [&](const std::string& expected, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"scan", folder + "/objects"});
    if (more.size() == 2) more.insert(more.end(), {"--manifest", folder});
    const Ended ended = run(more);
    EXPECT_EQ(ended.exit_code, 2) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_NE(ended.err.find(expected), std::string::npos) << ended.err;
  };
  const auto with = [&](const std::string& text) { std::ofstream(manifest, std::ios::binary) << text; };
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = first;
    return text.replace(text.find(from), from.size(), to);
  };
  refused("--census-csv: needs --manifest", {"--census-csv", (root_ / "x.csv").string()});
  with(first + "{\"number\":1");
  refused("manifest.jsonl line 2: not a JSON object");
  with(replaced("\"sha256\"", "\"sha265\""));
  refused("manifest.jsonl line 1: 'sha256' is missing");
  with(replaced("131072", "-1"));
  refused("manifest.jsonl line 1: 'size' is not a number of bytes");
  with(replaced("\"number\":0", "\"number\":7"));
  refused("manifest.jsonl line 1: 'number' is not 0");
  with(replaced("null", "\"none\""));
  refused("manifest.jsonl line 1: 'copy_of' is neither");
  with(replaced("null", "59"));
  refused("manifest.jsonl line 1: 'copy_of' is 59");
  with("");
  refused("names no object");
  fs::remove(manifest);
  refused("manifest.jsonl is not there");
  with(good);
  const fs::path object = fs::path(folder) / "objects/0";
  {
    std::fstream file(object, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(1000);
    const int old = file.get();
    file.seekp(1000);
    file.put(static_cast<char>(old ^ 1));
  }
  refused("objects/0 has changed: its SHA-256");
  fs::resize_file(object, 1000);
  refused("objects/0 has not the 131072 bytes");
  fs::remove(object);
  refused("objects/0");
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
