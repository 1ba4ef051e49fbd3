// `generate --into`, with embedded systems: what it writes, what it refuses, what it leaves, how that goes
// away. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "core/hash.hpp"
#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string digest_of(const std::string& bytes) { return to_hex(sha256(bytes)); }

/// The lines of objects.
std::vector<Json> manifest_of(const fs::path& file) {
  std::vector<Json> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(Json::parse(line, nullptr, false));
    EXPECT_TRUE(lines.back().is_object()) << line;
  }
  return lines;
}

class GenerateInto : public ProgramTest {
 protected:
  std::string home() const { return (root_ / "home").string(); }
  std::string manifest() const { return (root_ / "manifest.jsonl").string(); }

  std::vector<std::string> into(const std::string& system, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{"generate",  "--payload",    "text_document", "--grade", "U75",
                                 "--objects", "40",           "--object-size", "2 KiB",   "--into",
                                 system,      "--no-progress"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<std::string> into_files(const std::vector<std::string>& more = {}) const {
    auto all = into("files", {"--path", home()});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  void expect_refused(const std::vector<std::string>& arguments, int code, const std::string& words) {
    const auto before = tree_of(root_);
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.exit_code, code) << ended.err;
    EXPECT_NE(ended.err.find(words), std::string::npos) << words << " in:\n" << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_EQ(tree_of(root_), before);
  }

  /// The command that the program has printed, without the program itself.
  static std::vector<std::string> command_in(const std::string& text) {
    const std::size_t at = text.find(" clean --from ");
    EXPECT_NE(at, std::string::npos) << text;
    if (at == std::string::npos) return {};
    std::istringstream words(text.substr(at, text.find_first_of("`\n", at) - at));
    return {std::istream_iterator<std::string>(words), {}};
  }
};

TEST_F(GenerateInto, TheFilesAreThoseOfTheManifest) {
  const Ended ended = run(into_files({"--manifest", manifest(), "--audit"}));
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.err.find("40 objects, 10 distinct"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("in files: folder " + home()), std::string::npos) << ended.err;
  auto lines = manifest_of(manifest());
  ASSERT_EQ(lines.size(), 41U);
  EXPECT_TRUE(lines.back().contains("audit"));
  lines.pop_back();
  std::multiset<std::string> held;
  for (const auto& [name, bytes] : tree_of(fs::path(home()) / "data"))
    if (!bytes.empty()) held.insert(digest_of(bytes));
  std::multiset<std::string> asked;
  for (const Json& line : lines) asked.insert(line.at("sha256"));
  EXPECT_EQ(held, asked);
  EXPECT_EQ(std::set<std::string>(asked.begin(), asked.end()).size(), 10U);
}

TEST_F(GenerateInto, TheManifestIsThatOfADirectory) {
  ASSERT_EQ(run(into_files({"--manifest", manifest()})).exit_code, 0);
  const std::string folder = (root_ / "data").string();
  ASSERT_EQ(run({"generate", "--payload", "text_document", "--grade", "U75", "--objects", "40",
                 "--object-size", "2 KiB", "--output", folder})
                .exit_code,
            0);
  EXPECT_EQ(text_of(manifest()), text_of(fs::path(folder) / "manifest.jsonl"));
}

TEST_F(GenerateInto, ObjectsOfSeveralContainersAreThereAll) {
  const Ended ended = run(into("sqlite", {"--path", home(), "--placement", "across", "--containers", "3",
                                          "--manifest", manifest(), "--json"}));
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const Json all = Json::parse(ended.out, nullptr, false);
  ASSERT_TRUE(all.is_object()) << ended.out;
  EXPECT_EQ(all.at("objects"), 40);
  EXPECT_EQ(all.at("distinct"), 10);
  EXPECT_EQ(all.at("into").at("system"), "sqlite");
  EXPECT_EQ(all.at("into").at("where").size(), 1U);
  EXPECT_EQ(all.at("into").at("manifest"), manifest());
  EXPECT_EQ(manifest_of(manifest()).size(), 40U);
}

TEST_F(GenerateInto, WhatIsThereIsRefusedAndNamesTheCommandThatRemovesIt) {
  const Ended first = run(into_files());
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_NE(first.err.find("no manifest was written"), std::string::npos) << first.err;
  expect_refused(into_files({"--manifest", manifest()}), 3, "files is not empty there: folder " + home());
  const Ended again = run(into_files());
  const auto command = command_in(again.err);
  ASSERT_EQ(command, command_in(first.err));
  const Ended looked = run({"clean", "--from", "files", "--path", home(), "--dry-run"});
  EXPECT_EQ(looked.exit_code, 0) << looked.err;
  EXPECT_EQ(looked.out, "would remove files: " + home() + "\n");
  const Ended cleaned = run(command);
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.err;
  EXPECT_NE(cleaned.out.find("nothing is left"), std::string::npos) << cleaned.out;
  EXPECT_FALSE(fs::exists(home()));
  EXPECT_EQ(run(into_files()).exit_code, 0);
}

TEST_F(GenerateInto, AFolderOfOthersIsNeitherWrittenToNorCleaned) {
  fs::create_directories(home());
  write("home/thesis", "years of work");
  expect_refused(into_files(), 3, "holds files that are not ours");
  expect_refused(into_files(), 3, "name another folder as --path");
  EXPECT_EQ(run(into_files()).err.find(" clean "), std::string::npos)
      << "no command removes what is not ours";
  const Ended cleaned = run({"clean", "--from", "files", "--path", home()});
  EXPECT_EQ(cleaned.exit_code, 3) << cleaned.out << cleaned.err;
  EXPECT_EQ(text_of(root_ / "home" / "thesis"), "years of work");
}

TEST_F(GenerateInto, AFolderOfAnotherSystemIsRefusedByAllCommandsAndGoesByTheOneThatIsNamed) {
  ASSERT_EQ(run(into_files()).exit_code, 0);
  const auto sqlite = into("sqlite", {"--path", home()});
  expect_refused(sqlite, 3, "holds data of files, not of sqlite");
  const auto command = command_in(run(sqlite).err);
  const Ended dry = run({"clean", "--from", "sqlite", "--path", home(), "--dry-run"});
  const Ended real = run({"clean", "--from", "sqlite", "--path", home()});
  EXPECT_EQ(dry.exit_code, 3) << dry.out << dry.err;
  EXPECT_EQ(dry.out, real.out);
  EXPECT_EQ(dry.exit_code, real.exit_code);
  EXPECT_NE(dry.out.find("refused: sqlite: "), std::string::npos) << dry.out;
  const auto plan =
      write("plan.toml", fmt::format("{}[systems.sqlite]\npath = \"{}\"\n", text_of(small_plan()), home()));
  const auto before = tree_of(root_);
  const Ended doctor = run({"doctor", plan.string()});
  EXPECT_EQ(doctor.exit_code, 3) << doctor.out;
  EXPECT_NE(doctor.out.find("holds data of files, not of sqlite"), std::string::npos) << doctor.out;
  EXPECT_EQ(run({"run", plan.string(), "--out", (root_ / "out").string()}).exit_code, 3);
  EXPECT_EQ(tree_of(root_), before);
  EXPECT_EQ(run(command).exit_code, 0);
  EXPECT_FALSE(fs::exists(home()));
}

TEST_F(GenerateInto, AVariantThatWouldNotKeepAllObjectsIsRefused) {
  expect_refused(
      into("sqlite", {"--path", home(), "--variant", "insert_if_absent", "--manifest", manifest()}), 2,
      "keeps one object per key");
}

TEST_F(GenerateInto, AnInterruptedLoadSaysWhatIsThereAndHowItGoes) {
  Program program({LAB_PROGRAM_PATH, "generate", "--payload", "random_binary", "--objects", "200000",
                   "--object-size", "4 KiB", "--into", "files", "--path", home(), "--manifest", manifest()},
                  scratch_);
  for (int looks = 0; looks < 2'000 && program.running() && !fs::exists(fs::path(home()) / "data"); ++looks)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  program.signal(SIGTERM);
  const Ended ended = program.wait();
  ASSERT_EQ(ended.exit_code, 143) << ended.err;
  EXPECT_NE(ended.err.find(" of 200000 objects were acknowledged before that"), std::string::npos)
      << ended.err;
  EXPECT_NE(ended.err.find("in files now: folder " + home()), std::string::npos) << ended.err;
  EXPECT_FALSE(fs::exists(manifest()));
  EXPECT_EQ(run(command_in(ended.err)).exit_code, 0);
  EXPECT_TRUE(tree_of(root_).empty()) << "nothing is left";
}

TEST_F(GenerateInto, BadInputNamesTheFlagAndTheNearestWord) {
  const std::string there = write("there.jsonl", "").string();
  const auto server = [this](const std::vector<std::string>& more) {
    auto all = into("minio", {"--url", "s3://me@127.0.0.1:1?tls=off"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  struct Case {
    const char* what;
    std::vector<std::string> arguments;
    const char* words;
  };
  const std::vector<Case> cases{
      {"an unknown system", into("kafak", {"--url", "kafka://h"}),
       "--into: 'kafak' is not a system; did you mean 'kafka'?"},
      {"a system that keeps nothing", into("null", {"--path", home()}), "--into: null keeps nothing"},
      {"both", into_files({"--output", home()}), "--into: stands beside --output"},
      {"neither", {"generate", "--payload", "random_binary"}, "--output: name a new or empty directory"},
      {"a format", into_files({"--format", "tar"}), "--format: is of --output -"},
      {"a server without its address", into("redis"), "--url: redis is a server"},
      {"a server's path", server({"--path", home()}), "--path: minio is a server"},
      {"a folder without its path", into("sqlite"), "--path: sqlite is embedded"},
      {"a folder's address", into_files({"--url", "s3://h"}), "--url: files is embedded"},
      {"an address of another system", into("minio", {"--url", "kafka://h:1"}), "--url: "},
      {"an unknown option", server({"--option", "namespac=mine"}),
       "--option: unknown option 'namespac'; did you mean 'namespace'?"},
      {"an option without its value", server({"--option", "namespace"}),
       "--option: 'namespace' is not KEY=VALUE"},
      {"an option twice", server({"--option", "parallel=1", "--option", "parallel=2"}),
       "--option: 'parallel' is given twice"},
      {"a value that an option cannot have", server({"--option", "parallel=x"}),
       "--option: option 'parallel'"},
      {"an unknown variant", server({"--variant", "multipat"}), "did you mean 'multipart'?"},
      {"a manifest that is there", into_files({"--manifest", there}), "--manifest: "},
      {"a manifest in no folder", into_files({"--manifest", (root_ / "none" / "m").string()}),
       "is not a folder"},
      {"a limit that is none", into_files({"--limit", "soon"}), "--limit: "},
      {"a flag of --into",
       {"generate", "--payload", "random_binary", "--output", home(), "--manifest", manifest()},
       "--manifest: is of --into"},
      {"an option of no system",
       {"generate", "--payload", "random_binary", "--output", home(), "--option", "a=b"},
       "--option: is of --into"},
      {"clean of nothing", {"clean"}, "name one of a plan, a run directory and a system"},
      {"clean of an unknown system",
       {"clean", "--from", "redsi", "--url", "x"},
       "--from: 'redsi' is not a system; did you mean 'redis'?"},
      {"clean of a plan and an address", {"clean", there, "--url", "x"}, "--url: is of --from"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    expect_refused(c.arguments, 2, c.words);
  }
}

TEST_F(GenerateInto, APasswordInAnAddressIsRefusedAndNotRepeated) {
  const Ended ended = run(into("minio", {"--url", "s3://me:hunter2@127.0.0.1:1"}));
  EXPECT_EQ(ended.exit_code, 2) << ended.err;
  EXPECT_NE(ended.err.find("DEDUP_MINIO_PASSWORD"), std::string::npos) << ended.err;
  EXPECT_EQ(ended.err.find("hunter2"), std::string::npos) << ended.err;
}

TEST_F(GenerateInto, AServerThatIsNotReachedIsARefusalAndNothingIsWritten) {
  expect_refused(into("redis", {"--url", "redis://127.0.0.1:1", "--manifest", manifest()}), 3,
                 "is the server running");
}

}  // namespace
}  // namespace lab::e2e
