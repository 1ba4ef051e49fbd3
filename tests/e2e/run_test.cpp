// The main job as a user does it: run, look, go on, unite, compare, clean.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "core/hash.hpp"
#include "core/time.hpp"
#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class Run : public ProgramTest {
 protected:
  std::string out(const std::string& name = "out") const { return (root_ / name).string(); }

  Json results(const std::string& name = "out") const {
    std::ifstream file(root_ / name / "results.json");
    const Json parsed = Json::parse(file, nullptr, false);
    EXPECT_TRUE(parsed.is_object());
    return parsed;
  }

  /// Waits until the run has finished a cell; false if it ended before.
  static bool wait_for_a_cell(Program& program, const fs::path& directory) {
    for (int tries = 0; tries < 12'000 && program.running(); ++tries) {
      const Ended status = deduplab({"--json", "status", directory.string()},
                                    directory.parent_path().parent_path() / "scratch2");
      const Json figures = Json::parse(status.out, nullptr, false);
      if (figures.is_object() && figures.value("valid", 0) > 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
};

TEST_F(Run, LeavesAWholeRunDirectoryAndPrintsTheAnswer) {
  const Ended ended = run({"run", small_plan().string(), "--out", out()});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.out.find("report: "), std::string::npos);
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(root_ / "out"))
    names.insert(entry.path().filename().string());
  for (const char* name :
       {"plan.toml", "environment.json", "journal.db", "log.jsonl", "results.csv", "stages.csv",
        "samples.csv", "events.csv", "scans.csv", "results.json", "report.html"})
    EXPECT_TRUE(names.contains(name)) << name;
  EXPECT_FALSE(names.contains("journal.db-wal")) << "journal.db alone must be the run";
  EXPECT_FALSE(names.contains("lease.json"));
  EXPECT_TRUE(!fs::exists(root_ / "out" / "data") || fs::is_empty(root_ / "out" / "data"))
      << "data is removed after the export";
  EXPECT_EQ(fs::status(root_ / "out").permissions() & fs::perms::mask, fs::perms::owner_all);
  const std::string events = tree_of(root_ / "out")["events.csv"];
  const auto stages = results()["stages"];
  std::size_t finished = 0;
  for (std::size_t at = events.find(",stage_finished,"); at != std::string::npos;
       at = events.find(",stage_finished,", at + 1))
    ++finished;
  std::size_t supported = 0;
  for (const Json& stage : stages) {
    supported += stage["unsupported"].get<bool>() ? 0 : 1;
    const bool loaded = stage["stage"] == "bulk_insert";
    EXPECT_EQ(loaded && !stage["stored_bytes"].contains("files:payload"), false) << stage["system"];
  }
  EXPECT_EQ(finished, supported) << "each stage that ran is an event, as a dashboard needs it";
}

TEST_F(Run, BothControlsAnswerAndTheVerdictsFollow) {
  const auto plan = small_plan(5).string();
  const Ended ended =
      run({"run", plan, "--out", out(), "--object-size", "64 KiB", "--objects", "50", "--grades", "U0,U90"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  std::set<std::string> seen;
  const Json all = results();
  for (const Json& verdict : all["verdicts"]) {
    if (verdict["stage"] != "bulk_insert" || verdict["probe"] != "files") continue;
    SCOPED_TRACE(verdict.dump());
    const std::string system = verdict["system"];
    EXPECT_EQ(verdict["verdict"], system == "cas" ? "full" : "none");
    EXPECT_EQ(verdict["n"], 5);
    seen.insert(system);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"files", "cas"}));
}

TEST_F(Run, ResultsHoldExactlyOneCountingRecordForEachCellChainAndStage) {
  ASSERT_EQ(run({"run", small_plan(2).string(), "--out", out()}).exit_code, 0);
  EXPECT_EQ(figures_of(root_ / "out").size(), 2U * 2 * 2 * 5);
  const Json all = results();
  EXPECT_EQ(all["format"], 1);
  for (const Json& stage : all["stages"]) {
    EXPECT_EQ(stage["dataset_seed"].is_number_unsigned(), true);
    if (!stage["valid"].get<bool>()) {
      EXPECT_TRUE(stage["reason"].get<std::string>().starts_with("unsupported: ")) << stage.dump();
      continue;
    }
    EXPECT_TRUE(stage["after_bytes"].contains("files"));
    const bool holds_something = stage["logical_bytes"] != 0;
    EXPECT_EQ(stage.contains("edr") && !stage["edr"].empty(), holds_something) << stage["stage"];
  }
}

TEST_F(Run, ModeNativeHasTheLogicalBytesOfBlobAndWhatHasItNotIsRefused) {
  const std::string head =
      "[run]\nseed = 7\nrepetitions = 1\n[dataset]\npayloads = [\"uuid_keys\"]\ngrades = [\"U50\"]\nobjects "
      "= "
      "200\nmodes = [\"blob\", \"native\"]\nobject_size = ";
  const std::string stages = "\n[stages]\nchains = [[\"bulk_insert\", \"update\"]]\n[systems.sqlite]\n";
  const std::string plan = write("plan.toml", head + "40" + stages).string();
  const Ended ended = run({"run", plan, "--out", out()});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  std::map<std::string, std::set<std::int64_t>> logical;
  const Json all = results();
  for (const Json& stage : all["stages"]) {
    if (stage["control"].get<bool>()) continue;
    EXPECT_TRUE(stage["valid"].get<bool>()) << stage["reason"];
    logical[stage["mode"]].insert(stage["logical_bytes"].get<std::int64_t>());
  }
  EXPECT_EQ(logical["native"], std::set<std::int64_t>{200 * 40});
  EXPECT_EQ(logical["blob"], logical["native"]);
  const std::string two_rows = write("rows.toml", head + "80" + stages).string();
  const Ended refused = run({"run", two_rows, "--out", out("rows")});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("object_size must be 40"), std::string::npos) << refused.err;
  const std::string files = write("files.toml", head + "40" + stages + "[systems.files]\n").string();
  const Ended unknown = run({"run", files, "--out", out("files")});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.err.find("mode 'native' of system 'files'"), std::string::npos) << unknown.err;
  EXPECT_FALSE(fs::exists(root_ / "rows") || fs::exists(root_ / "files"));
}

TEST_F(Run, OverAStartedDirectoryIsRefusedWithTheCommandThatGoesOn) {
  const auto plan = small_plan().string();
  ASSERT_EQ(run({"run", plan, "--out", out()}).exit_code, 0);
  const auto before = tree_of(root_);
  const Ended again = run({"run", plan, "--out", out()});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_NE(again.err.find("deduplab resume " + out()), std::string::npos) << again.err;
  EXPECT_EQ(tree_of(root_), before);
  EXPECT_EQ(run({"run", plan, "--out", out(), "--resume"}).exit_code, 0);
}

TEST_F(Run, ADryRunWritesNothing) {
  const auto plan = small_plan().string();
  const auto before = tree_of(root_);
  const Ended ended = run({"run", plan, "--out", out(), "--dry-run"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.out.find("cells: 4 "), std::string::npos) << ended.out;
  EXPECT_EQ(tree_of(root_), before);
}

TEST_F(Run, ADryRunNamesVolumesCommandsAndHooks) {
  const auto plan = small_plan(1,
                               "volume = \"/images/disk.img\"\ntrim = true\n"
                               "[systems.cas.commands.pool]\nargv = [\"pool-size\", \"-b\"]\n"
                               "[systems.cas.metrics.pvc]\nurl = \"http://h:1/m\"\nmetric = \"size\"\n"
                               "sum = true\ntoken_env = \"PVC_TOKEN\"\n"
                               "[hooks]\nafter_operations = [\"duperemove\", \"-dr\", \"{directory}\"]\n")
                        .string();
  const Ended ended = run({"run", plan, "--dry-run"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  for (const char* line :
       {"volume of cas: /images/disk.img, trimmed after each stage\n", "command:pool of cas: pool-size -b\n",
        "metrics:pvc of cas: the sum of size of http://h:1/m, secret in the variable PVC_TOKEN\n",
        "hook after_operations: duperemove -dr {directory} (at most 30m)\n"})
    EXPECT_NE(ended.out.find(line), std::string::npos) << ended.out;
  EXPECT_EQ(ended.out.find("prometheus"), std::string::npos) << "the plan has none";
  const Json all = Json::parse(run({"--json", "run", plan, "--dry-run"}).out, nullptr, false);
  ASSERT_TRUE(all.is_object());
  EXPECT_EQ(all["volumes"]["cas"], (Json{{"volume", "/images/disk.img"}, {"trim", true}}));
  EXPECT_EQ(all["commands"]["cas"]["pool"], (Json{"pool-size", "-b"}));
  EXPECT_EQ(all["metrics"]["cas"]["pvc"],
            (Json{{"url", "http://h:1/m"}, {"metric", "size"}, {"sum", true}, {"token_env", "PVC_TOKEN"}}));
  EXPECT_EQ(all["hooks"]["after_operations"], (Json{"duperemove", "-dr", "{directory}"}));
  EXPECT_FALSE(all.contains("prometheus"));
}

TEST_F(Run, StopAfterEndsWithSixAndResumeCompletesTheSameFigures) {
  const auto plan = small_plan(2).string();
  ASSERT_EQ(run({"run", plan, "--out", out("whole")}).exit_code, 0);
  const Ended stopped = run({"run", plan, "--out", out(), "--stop-after", "1ms"});
  EXPECT_EQ(stopped.exit_code, 6) << stopped.err;
  EXPECT_NE(stopped.err.find("deduplab resume "), std::string::npos);
  EXPECT_EQ(run({"resume", out()}).exit_code, 0);
  EXPECT_EQ(difference_of(figures_of(root_ / "out"), figures_of(root_ / "whole")), "");
}

TEST_F(Run, SignalsEndItWithTheirCodesAndItGoesOn) {
  const auto plan = small_plan(4).string();
  ASSERT_EQ(run({"run", plan, "--out", out("whole")}).exit_code, 0);
  for (const auto& [number, code] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}}) {
    SCOPED_TRACE(number);
    fs::remove_all(root_ / "out");
    Program program({LAB_PROGRAM_PATH, "run", plan, "--out", out()}, root_.parent_path() / "first");
    ASSERT_TRUE(wait_for_a_cell(program, root_ / "out"));
    program.signal(number);
    const Ended ended = program.wait();
    EXPECT_EQ(ended.exit_code, code) << ended.err;
    EXPECT_NE(ended.err.find("deduplab resume "), std::string::npos) << ended.err;
    EXPECT_FALSE(fs::exists(root_ / "out" / "lease.json")) << "the lease is released";
    EXPECT_EQ(run({"resume", out()}).exit_code, 0);
    EXPECT_EQ(difference_of(figures_of(root_ / "out"), figures_of(root_ / "whole")), "");
  }
}

TEST_F(Run, ASecondWriterIsRefusedWithThree) {
  const auto plan = small_plan(8).string();
  Program program({LAB_PROGRAM_PATH, "run", plan, "--out", out()}, root_.parent_path() / "first");
  ASSERT_TRUE(wait_for_a_cell(program, root_ / "out"));
  const Ended second = run({"resume", out()});
  EXPECT_EQ(second.exit_code, 3) << second.err;
  EXPECT_NE(second.err.find(std::to_string(program.pid())), std::string::npos) << second.err;
}

TEST_F(Run, RedoKeepsAndMarksTheOldRecords) {
  const auto plan = small_plan().string();
  ASSERT_EQ(run({"run", plan, "--out", out()}).exit_code, 0);
  EXPECT_EQ(run({"resume", out(), "--redo", "system=ca"}).exit_code, 2);
  EXPECT_EQ(run({"resume", out(), "--redo", "system=cas"}).exit_code, 0);
  std::size_t superseded = 0;
  const Json all = results();
  for (const Json& stage : all["stages"])
    if (stage["superseded"].get<bool>()) {
      EXPECT_EQ(stage["system"], "cas");
      EXPECT_FALSE(stage["reason"].get<std::string>().empty());
      ++superseded;
    }
  EXPECT_EQ(superseded, 2U * 5);
}

TEST_F(Run, DirectoriesOfOnePlanAreUnited) {
  const auto plan = small_plan(5).string();
  ASSERT_EQ(run({"run", plan, "--out", out("a"), "--systems", "files"}).exit_code, 0);
  ASSERT_EQ(run({"run", plan, "--out", out("b"), "--systems", "cas"}).exit_code, 0);
  const Ended united = run({"report", out("a"), out("b"), "--output", out("both")});
  EXPECT_EQ(united.exit_code, 0) << united.err;
  std::set<std::string> systems;
  const Json all = results("both");
  for (const Json& stage : all["stages"])
    if (!stage["control"].get<bool>()) systems.insert(stage["system"]);
  EXPECT_EQ(systems, (std::set<std::string>{"files", "cas"}));
  ASSERT_EQ(run({"run", plan, "--out", out("c"), "--objects", "21"}).exit_code, 0);
  EXPECT_EQ(run({"report", out("a"), out("c"), "--output", out("mixed")}).exit_code, 2);
  EXPECT_FALSE(fs::exists(root_ / "mixed"));
}

TEST_F(Run, CompareFindsNothingBetweenEqualRunsAndBreaksAThreshold) {
  const auto plan = small_plan(5).string();
  ASSERT_EQ(run({"run", plan, "--out", out("a")}).exit_code, 0);
  EXPECT_EQ(run({"compare", out("a"), out("a")}).exit_code, 0);
  EXPECT_EQ(run({"compare", out("a"), out("a"), "--fail-if", "change.eta>0.001,change.eta<-0.001"}).exit_code,
            0);
  EXPECT_EQ(run({"compare", out("a"), out("a"), "--fail-if", "eta<0.5"}).exit_code, 5);
}

TEST_F(Run, AFolderThatIsNotOursIsNeitherWrittenNorCleaned) {
  fs::create_directories(root_ / "precious");
  write("precious/thesis", "do not touch");
  const auto plan = small_plan(1, "").string();
  std::ofstream(plan, std::ios::app) << "[systems.null]\n";
  const auto text = tree_of(root_)["small.toml"];
  const std::size_t at = text.find("[systems.files]\n");
  write("small.toml", text.substr(0, at) + fmt::format("[systems.files]\npath = \"{}\"\n", out("precious")) +
                          text.substr(at + 16));
  const auto before = tree_of(root_);
  EXPECT_EQ(run({"run", plan, "--out", out()}).exit_code, 3);
  EXPECT_EQ(run({"doctor", plan}).exit_code, 3);
  EXPECT_EQ(run({"clean", plan}).exit_code, 3);
  EXPECT_EQ(tree_of(root_), before);
}

TEST_F(Run, AServerThatIsDownAtTheStartIsThreeWithOneLineAndNothingIsWritten) {
  for (const auto& [system, url] :
       std::map<std::string, std::string>{{"postgresql", "postgresql://lab@127.0.0.1:1/lab"},
                                          {"mariadb", "mariadb://lab@127.0.0.1:1/"},
                                          {"clickhouse", "clickhouse://lab@127.0.0.1:1"},
                                          {"redis", "redis://127.0.0.1:1"},
                                          {"kafka", "kafka://127.0.0.1:1?security=plaintext"},
                                          {"minio", "s3://lab@127.0.0.1:1?tls=off"}}) {
    SCOPED_TRACE(system);
    const auto plan = small_plan(5, fmt::format("[systems.{}]\nurl = \"{}\"\ndirectory = \"{}\"\n", system,
                                                url, root_.string()))
                          .string();
    const auto began = Clock::now();
    const Ended ended = run({"run", plan, "--out", out()});
    // One that is refused is final: it does not wait until a server that is silent would be given up.
    EXPECT_LT(Clock::now() - began, std::chrono::seconds(10));
    EXPECT_EQ(ended.exit_code, 3);
    EXPECT_NE(ended.err.find("preflight: " + system), std::string::npos) << ended.err;
    std::size_t lines = 0;
    for (std::size_t at = ended.err.find("preflight: "); at != std::string::npos;
         at = ended.err.find("preflight: ", at + 1))
      ++lines;
    EXPECT_EQ(lines, 1U) << ended.err;
    EXPECT_FALSE(fs::exists(out()));
  }
}

TEST_F(Run, ASystemThatIsNotReachedLaterIsOneAndTheOthersGoOn) {
  const auto plan = small_plan(1, "").string();
  std::string text = tree_of(root_)["small.toml"];
  const std::string table = "[systems.files]\n";
  text.replace(text.find(table), table.size(), fmt::format("{}path = \"{}\"\n", table, out("precious")));
  write("small.toml", text);
  ASSERT_EQ(run({"run", plan, "--out", out(), "--stop-after", "0ms"}).exit_code, 6);
  fs::remove_all(root_ / "precious");
  fs::create_directories(root_ / "precious");
  write("precious/thesis", "do not touch");
  const Ended ended = run({"resume", out()});
  EXPECT_EQ(ended.exit_code, 1) << ended.err;
  EXPECT_NE(ended.err.find("files"), std::string::npos) << ended.err;
  EXPECT_EQ(tree_of(root_ / "precious"), (std::map<std::string, std::string>{{"thesis", "do not touch"}}));
  EXPECT_NE(ended.out.find("cas"), std::string::npos) << "the other system was measured";
}

TEST_F(Run, EmbeddedSystemsNeedNoSetup) {
  const Ended printed = run({"setup", small_plan().string(), "--print"});
  EXPECT_EQ(printed.exit_code, 0) << printed.err;
  EXPECT_NE(printed.out.find("files: needs nothing"), std::string::npos) << printed.out;
  EXPECT_FALSE(fs::exists(root_ / "out"));
}

TEST_F(Run, CleanShowsThenRemovesWhatARunLeft) {
  const auto plan = small_plan(1, "[export]\ncleanup = \"never\"\n").string();
  ASSERT_EQ(run({"run", plan, "--out", out()}).exit_code, 0);
  ASSERT_TRUE(fs::exists(root_ / "out" / "data" / "cas"));
  EXPECT_NE(run({"clean", out(), "--dry-run"}).out.find("would remove cas"), std::string::npos);
  EXPECT_TRUE(fs::exists(root_ / "out" / "data" / "cas"));
  const Ended cleaned = run({"clean", out()});
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.err;
  EXPECT_NE(cleaned.out.find("nothing is left"), std::string::npos);
  EXPECT_FALSE(fs::exists(root_ / "out" / "data" / "cas"));
}

TEST_F(Run, CleanLeavesARunAloneThatGoesOn) {
  const auto plan = small_plan(1, "[hooks]\nafter_operations = [\"sleep\", \"0.2\"]\n").string();
  Program program({LAB_PROGRAM_PATH, "run", plan, "--out", out(), "--no-progress"},
                  root_.parent_path() / "victim");
  for (int looks = 0; looks < 1'000 && program.running() && !fs::exists(root_ / "out" / "journal.db");
       ++looks)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  for (const auto& arguments : {std::vector<std::string>{"clean", out(), "--dry-run"}, {"clean", out()}}) {
    const Ended cleaned = run(arguments);
    EXPECT_EQ(cleaned.exit_code, 3) << cleaned.out;
    EXPECT_NE(cleaned.err.find("IN_USE"), std::string::npos) << cleaned.err;
  }
  const Ended ended = program.wait();
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
}

TEST_F(Run, AFailedExportForbidsTheCleanUpAndEndsWithFour) {
  const auto plan = small_plan().string();
  ASSERT_EQ(run({"run", plan, "--out", out(), "--stop-after", "0ms"}).exit_code, 6);
  fs::remove(root_ / "out" / "results.csv");
  fs::create_directories(root_ / "out" / "results.csv" / "in the way");
  const Ended ended = run({"resume", out()});
  EXPECT_EQ(ended.exit_code, 4) << ended.err;
  EXPECT_NE(ended.err.find("results.csv"), std::string::npos) << ended.err;
  EXPECT_TRUE(fs::exists(root_ / "out" / "data" / "files")) << "nothing is removed before it is exported";
}

TEST_F(Run, ThePlansOfTheProjectParseAndSayWhatTheyCost) {
  int plans = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(LAB_SOURCE_ROOT) / "plans")) {
    SCOPED_TRACE(entry.path());
    std::vector<std::string> arguments{"--json", "run", entry.path().string(), "--dry-run"};
    // The user's own files of the classic matrix are not shipped.
    if (entry.path().filename() == "classic-matrix.toml")
      arguments.insert(arguments.end(), {"--payloads", "random_binary"});
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_GT(Json::parse(ended.out, nullptr, false).value("stage_measurements", 0), 0);
    ++plans;
  }
  EXPECT_GE(plans, 10);
}

TEST_F(Run, EveryListAnswersInTextAndInJson) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"systems"}, {"systems", "--features"}, {"payloads"}, {"doctor"}}) {
    SCOPED_TRACE(command.front());
    EXPECT_EQ(run(command).exit_code, 0);
    std::vector<std::string> json = command;
    json.insert(json.begin(), "--json");
    EXPECT_TRUE(Json::parse(run(json).out, nullptr, false).is_array());
  }
  EXPECT_NE(run({"--version"}).out.find("SQLite"), std::string::npos);
  EXPECT_EQ(run({"manual"}).out.rfind(".TH DEDUPLAB 1", 0), 0U);
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_NE(run({"completion", shell}).out.find("redo"), std::string::npos) << shell;
}

TEST_F(Run, EachSystemDocumentsWhatItDoesToDuplicatesAtEachLevel) {
  const Json systems = Json::parse(run({"--json", "systems", "--features"}).out, nullptr, false);
  ASSERT_GE(systems.size(), 13U);
  for (const Json& system : systems) {
    SCOPED_TRACE(system["name"]);
    std::set<std::string> levels;
    for (const Json& row : system["mechanisms"]) {
      const std::string support = row["support"];
      EXPECT_TRUE(std::set<std::string>({"full", "partial", "indirect", "missing"}).contains(support))
          << support;
      EXPECT_FALSE(std::string(row["source"]).empty());
      levels.insert(row["level"]);
    }
    EXPECT_EQ(levels, std::set<std::string>({"ingestion", "compaction", "compression", "storage"}));
  }
}

TEST_F(Run, GenerateMakesExactlyTheDistinctObjectsThatTheGradeSays) {
  for (const char* payload : {"random_binary", "structured_json", "text_document"})
    for (const int grade : {0, 50, 90, 95, 99}) {
      SCOPED_TRACE(fmt::format("{} U{}", payload, grade));
      fs::remove_all(root_ / "data");
      ASSERT_EQ(run({"generate", "--payload", payload, "--grade", fmt::format("U{}", grade), "--objects",
                     "500", "--object-size", "1 KiB", "--output", out("data")})
                    .exit_code,
                0);
      std::set<Digest> distinct;
      std::size_t objects = 0;
      for (const auto& [name, text] : tree_of(root_ / "data" / "objects")) {
        EXPECT_EQ(text.size(), 1024U);
        distinct.insert(sha256(text));
        ++objects;
      }
      EXPECT_EQ(objects, 500U);
      EXPECT_EQ(distinct.size(), static_cast<std::size_t>(500 - 500 * grade / 100));
    }
}

TEST_F(Run, GenerateToStandardOutputGivesTheSameBytesAsToADirectory) {
  const std::vector<std::string> flags{
      "generate", "--payload",     "structured_json",     "--grade", "U50", "--objects",
      "30",       "--object-size", "uniform:1 KiB:4 KiB", "--seed",  "9",   "--output"};
  auto to_directory = flags;
  to_directory.push_back(out("data"));
  ASSERT_EQ(run(to_directory).exit_code, 0);
  auto to_stream = flags;
  to_stream.emplace_back("-");
  const Ended stream = run(to_stream);
  ASSERT_EQ(stream.exit_code, 0) << stream.err;
  std::string all;
  const auto files = tree_of(root_ / "data" / "objects");
  for (int number = 0; number < 30; ++number) all += files.at(std::to_string(number));
  EXPECT_EQ(stream.out, all);
}

TEST_F(Run, AStandardErrorThatCannotBeWrittenCostsNothingButItsWords) {
  const auto with_full_error = [&](const std::string& arguments) {
    Program shell({"/bin/sh", "-c", fmt::format("'{}' {} 2>/dev/full", LAB_PROGRAM_PATH, arguments)},
                  scratch_);
    return shell.wait().exit_code;
  };
  EXPECT_EQ(with_full_error("status " + out("none")), 2);
  EXPECT_EQ(with_full_error(fmt::format("run {} --out {}", small_plan().string(), out())), 0);
  EXPECT_EQ(figures_of(root_ / "out").size(), 2U * 2 * 1 * 5);
}

TEST_F(Run, AnAnswerThatCannotBeWrittenIsFour) {
  ASSERT_EQ(run({"run", small_plan().string(), "--out", out()}).exit_code, 0);
  for (const std::string arguments :
       {"--help", "--version", "systems", "payloads", "manual", "completion bash", "status {}",
        "--json status {}", "report {}", "compare {} {}", "doctor", "testbed status"}) {
    SCOPED_TRACE(arguments);
    std::string command = arguments;
    for (std::size_t at = command.find("{}"); at != std::string::npos; at = command.find("{}"))
      command.replace(at, 2, "'" + out() + "'");
    Program shell({"/bin/sh", "-c", fmt::format("'{}' {} >/dev/full", LAB_PROGRAM_PATH, command)}, scratch_);
    const Ended ended = shell.wait();
    EXPECT_EQ(ended.exit_code, 4) << ended.err;
    EXPECT_NE(ended.err.find("standard output cannot be written"), std::string::npos) << ended.err;
  }
}

TEST_F(Run, ProgressIsShownUnlessItIsNotWanted) {
  const auto plan = small_plan().string();
  const Ended loud = run({"run", plan, "--out", out("a")});
  EXPECT_NE(loud.err.find("cells"), std::string::npos);
  const Ended quiet = run({"run", plan, "--out", out("b"), "--no-progress"});
  EXPECT_EQ(quiet.err.find("% "), std::string::npos) << quiet.err;
}

}  // namespace
}  // namespace lab::e2e
