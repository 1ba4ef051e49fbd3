// Every wrong input gets one clear error, exit code 2, and leaves nothing behind.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;

struct BadPlan {
  const char* what;
  const char* line;      // Of good_plan(), replaced by
  std::string instead;   // this;
  const char* expected;  // must stand in the error,
  const char* also;      // and this.
};

std::string good_plan() {
  return "[run]\n"
         "seed = 42\n"
         "repetitions = 1\n"
         "[dataset]\n"
         "payloads = [\"random_binary\"]\n"
         "grades = [\"U0\", \"U50\"]\n"
         "objects = 20\n"
         "object_size = \"4 KiB\"\n"
         "[stages]\n"
         "chains = [[\"bulk_insert\"]]\n"
         "[systems.files]\n";
}

class BadInput : public ProgramTest {
 protected:
  /// Exit code 2, the words, and no trace beside the plan itself.
  void expect_refused(const std::vector<std::string>& arguments, const std::vector<std::string>& words) {
    const auto before = tree_of(root_);
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.exit_code, 2) << ended.err;
    EXPECT_EQ(ended.out, "");
    for (const std::string& word : words)
      EXPECT_NE(ended.err.find(word), std::string::npos) << word << " in:\n" << ended.err;
    EXPECT_EQ(tree_of(root_), before);
  }

  void expect_bad_plans(const std::vector<BadPlan>& cases) {
    for (const BadPlan& bad : cases) {
      SCOPED_TRACE(bad.what);
      std::string text = good_plan();
      const std::size_t at = text.find(bad.line);
      ASSERT_NE(at, std::string::npos);
      text.replace(at, std::string(bad.line).size(), bad.instead);
      const auto plan = write("plan.toml", text);
      expect_refused({"run", plan.string(), "--out", (root_ / "out").string()}, {bad.expected, bad.also});
      EXPECT_EQ(run({"run", plan.string(), "--out", (root_ / "out").string()}).err.find("hunter2"),
                std::string::npos);
    }
  }
};

TEST_F(BadInput, InAPlanNamesFileLineKeyAndTheNearestWord) {
  // The library that reads TOML goes a step deeper for each part, to the end of the stack.
  std::string deep_key = "a";
  for (int i = 0; i < 100'000; ++i) deep_key += ".a";
  deep_key += " = 1";
  const std::vector<BadPlan> cases{
      {"unknown key", "seed = 42", "sead = 42", "plan.toml:2", "seed"},
      {"unknown table", "[stages]", "[stagse]", "plan.toml:9", "stages"},
      {"unknown system", "[systems.files]", "[systems.sqlit]", "plan.toml:11", "sqlite"},
      {"unknown payload", "payloads = [\"random_binary\"]", "payloads = [\"random_binery\"]", "plan.toml:5",
       "random_binary"},
      {"grade above 99", "grades = [\"U0\", \"U50\"]", "grades = [\"U0\", \"U101\"]", "plan.toml:6", "U101"},
      {"grade with a fraction", "grades = [\"U0\", \"U50\"]", "grades = [\"U0.5\"]", "plan.toml:6", "U0.5"},
      {"size with a stray digit", "object_size = \"4 KiB\"", "object_size = \"4 KB0\"", "plan.toml:8",
       "4 KB0"},
      {"a chain that deletes nothing", "chains = [[\"bulk_insert\"]]", "chains = [[\"perfile_delete\"]]",
       "plan.toml:10", "perfile_delete"},
      {"a refill of a full system", "chains = [[\"bulk_insert\"]]",
       "chains = [[\"bulk_insert\", \"refill\"]]", "plan.toml:10", "refill"},
      {"unknown stage", "chains = [[\"bulk_insert\"]]", "chains = [[\"bulk_insrt\"]]", "plan.toml:10",
       "bulk_insert"},
      {"a negative count", "objects = 20", "objects = -20", "plan.toml:7", "objects"},
      {"a huge count", "objects = 20", "objects = 99999999999999", "plan.toml:7", "objects"},
      {"no object", "objects = 20", "objects = 0", "plan.toml:7", "objects"},
      {"a text for a number", "repetitions = 1", "repetitions = \"1\"", "plan.toml:3", "repetitions"},
      {"a number for a text", "object_size = \"4 KiB\"", "object_size = true", "plan.toml:8", "object_size"},
      {"an empty list", "grades = [\"U0\", \"U50\"]", "grades = []", "plan.toml:6", "grades"},
      {"a leading zero", "seed = 42", "seed = 042", "plan.toml:2", "seed = 042"},
      {"a key too deep", "objects = 20", "objects = 20\n" + deep_key, "plan.toml:8: a key has more than",
       "1000 parts"},
      {"a name that writes on the terminal", "seed = 42", "seed = 42\nname = \"\\u001b[31m\"", "plan.toml:3",
       "control characters"},
      {"a broken line", "objects = 20", "objects = = 20", "plan.toml:7", "objects = = 20"},
      {"unknown variant", "[systems.files]", "[systems.sqlite]\nvariants = [\"rolback\"]", "plan.toml:12",
       "rollback"},
      {"a password in the url", "[systems.files]",
       "[systems.postgresql]\nurl = \"postgresql://lab:hunter2@db/lab\"", "plan.toml:12", "password"},
      {"a folder that is not there", "payloads = [\"random_binary\"]", "payloads = [\"directory:/no/such\"]",
       "plan.toml:5: key 'dataset.payloads'", "/no/such"},
      {"records of a directory",
       "[\"random_binary\"]\ngrades = [\"U0\", \"U50\"]\nobjects = 20\nobject_size = \"4 KiB\"",
       "[\"directory:/tmp\"]\ngrades = [\"U0\"]\nobjects = 20\nobject_size = \"record\"",
       "plan.toml:8: key 'dataset.object_size'", "directory:/tmp has no records, which bank_transactions"},
      {"objects too small to differ", "objects = 20\nobject_size = \"4 KiB\"",
       "objects = 300\nobject_size = \"1\"", "plan.toml:5: key 'dataset.payloads'", "at least"},
  };
  expect_bad_plans(cases);
}

TEST_F(BadInput, InAnAddressOrAnOptionOfASystemIsFoundByItsDriver) {
  const std::vector<BadPlan> cases{
      {"a server without its address", "[systems.files]", "[systems.redis]", "plan.toml:11", "redis.url"},
      {"another system's address", "[systems.files]", "[systems.redis]\nurl = \"postgresql://h\"",
       "plan.toml:12: key 'systems.redis.url'", "redis"},
      {"a port that is none", "[systems.files]", "[systems.mariadb]\nurl = \"mariadb://lab@h:99999/\"",
       "plan.toml:12: key 'systems.mariadb.url'", "port"},
      {"a misspelled parameter", "[systems.files]",
       "[systems.kafka]\nurl = \"kafka://h:9092?securty=plaintext\"", "plan.toml:12: key 'systems.kafka.url'",
       "security"},
      {"a database where none belongs", "[systems.files]",
       "[systems.clickhouse]\nurl = \"clickhouse://lab@h:8123/db\"",
       "plan.toml:12: key 'systems.clickhouse.url'", "namespace"},
      {"a name that is none", "[systems.files]",
       "[systems.minio]\nurl = \"s3://key@h:9000\"\n[systems.minio.options]\nnamespace = \"dedup_lab\"",
       "plan.toml:14: key 'systems.minio.options.namespace'", "'_'"},
      {"a misspelled value", "[systems.files]",
       "[systems.postgresql]\nurl = \"postgresql://lab@h/lab\"\noptions = { autovacuum = \"of\" }",
       "plan.toml:13: key 'systems.postgresql.options.autovacuum'", "did you mean 'off'"},
      {"a name that a server keeps for itself", "[systems.files]",
       "[systems.postgresql]\nurl = \"postgresql://lab@h/lab\"\noptions = { namespace = \"pg_x\" }",
       "plan.toml:13: key 'systems.postgresql.options.namespace'", "pg_"},
      {"a role that is no name", "[systems.files]",
       "[systems.postgresql]\nurl = \"postgresql://lab@h/lab\"\noptions = { role = \"a b\" }",
       "plan.toml:13: key 'systems.postgresql.options.role'", "1 to 40"},
      {"a number that is none", "[systems.files]",
       "[systems.kafka]\nurl = \"kafka://h:9092?security=plaintext\"\noptions = { replication_factor = 0 }",
       "plan.toml:13: key 'systems.kafka.options.replication_factor'", "1 to 32"},
      {"a map too small", "[systems.files]", "[systems.lmdb]\noptions = { map_size = \"4 KiB\" }",
       "plan.toml:12: key 'systems.lmdb.options.map_size'", "1 MiB"},
  };
  expect_bad_plans(cases);
}

/// A run without an address must end before anything is written, and not go to a server that somebody once
/// had.
TEST_F(BadInput, AServerWithoutAnAddressIsRefusedAndNoneIsBuiltIn) {
  for (const char* system :
       {"postgresql", "cockroachdb", "mariadb", "clickhouse", "redis", "kafka", "minio"}) {
    SCOPED_TRACE(system);
    std::string text = good_plan();
    text.replace(text.find("[systems.files]"), 15,
                 "[systems." + std::string(system) + "]\nprobes = [\"engine\"]");
    const auto plan = write("plan.toml", text);
    expect_refused({"run", plan.string(), "--out", (root_ / "out").string(), "--no-progress"},
                   {fmt::format("key 'systems.{}.url': it is missing: write ", system)});
  }
}

struct BadCommand {
  const char* what;
  std::vector<std::string> arguments;
  const char* expected;
};

TEST_F(BadInput, ARateIsRefusedSinceLatencyIsMeasuredFromTheActualStart) {
  for (const char* key : {"rate", "objects_per_second"}) {
    SCOPED_TRACE(key);
    std::string text = good_plan();
    text.insert(text.find("[systems.files]"), std::string(key) + " = 100\n");
    const auto plan = write("plan.toml", text);
    expect_refused({"run", plan.string(), "--dry-run"}, {"plan.toml:11", key});
  }
}

TEST_F(BadInput, OnTheCommandLineNamesTheNearestWord) {
  const auto plan = write("plan.toml", good_plan()).string();
  const std::vector<BadCommand> cases{
      {"unknown command", {"runn"}, "did you mean 'run'?"},
      {"unknown command with its plan", {"rum", plan}, "did you mean 'run'?"},
      {"one plan too many", {"run", plan, "second.toml"}, "'second.toml' is one argument too many"},
      {"a system before the plan", {"run", "--systems", "cass", plan}, "'cass'"},
      {"an empty run directory", {"run", plan, "--out", ""}, "--out"},
      {"a run directory below a file", {"run", plan, "--out", plan + "/run"}, "is no directory"},
      {"an empty grade in a list", {"run", plan, "--grades", "U0,,U50"}, "an empty word in 'U0,,U50'"},
      {"going on without a directory", {"run", plan, "--resume"}, "--out"},
      {"objects in floating point", {"run", plan, "--objects", "1e3"}, "'1e3' is not a whole number"},
      {"a payload folder of a flag that is not there",
       {"run", plan, "--payloads", "directory:/no/such"},
       "--payloads: "},
      {"no threshold", {"compare", root_.string(), root_.string(), "--fail-if", ""}, "--fail-if"},
      {"no command", {}, "--help"},
      {"unknown flag", {"run", plan, "--grade", "U0"}, "--grades"},
      {"missing plan", {"run", (root_ / "none.toml").string()}, "none.toml"},
      {"a folder as plan", {"run", root_.string()}, "directory"},
      {"unknown system", {"run", plan, "--systems", "postgre"}, "--systems"},
      {"unknown payload", {"run", plan, "--payloads", "randm_binary"}, "random_binary"},
      {"unknown grade", {"run", plan, "--grades", "U100"}, "U100"},
      {"negative repetitions", {"run", plan, "--repetitions", "-1"}, "repetitions"},
      {"objects no number", {"run", plan, "--objects", "many"}, "objects"},
      {"objects too many", {"run", plan, "--objects", "99999999999999999999"}, "objects"},
      {"bad size", {"run", plan, "--object-size", "4 KB0"}, "4 KB0"},
      {"bad duration", {"run", plan, "--stop-after", "5 hours"}, "5 hours"},
      {"bad retry scope", {"run", plan, "--retry-scope", "cell"}, "cell"},
      {"a run directory without a run", {"resume", root_.string()}, "holds no run"},
      {"status of nothing", {"status", (root_ / "none").string()}, "none"},
      {"report of nothing", {"report", (root_ / "none").string()}, "none"},
      {"setup without a wish", {"setup", plan}, "--print"},
      {"setup with two wishes", {"setup", plan, "--apply", "--undo"}, "--print"},
      {"setup of no plan", {"setup", (root_ / "none.toml").string(), "--print"}, "none.toml"},
      {"unknown log format", {"--log-format", "xml", "payloads"}, "json"},
      {"unknown shell", {"completion", "bush"}, "bash"},
      {"a threshold that is none",
       {"compare", root_.string(), root_.string(), "--fail-if", "etta<0.1"},
       "eta"},
  };
  for (const BadCommand& bad : cases) {
    SCOPED_TRACE(bad.what);
    expect_refused(bad.arguments, {bad.expected});
  }
}

TEST_F(BadInput, OfGenerateNamesTheNearestWord) {
  write("plan.toml", good_plan());  // So that the folder is not empty.
  const std::string out = (root_ / "out").string();
  const std::vector<BadCommand> cases{
      {"generate an unknown payload", {"generate", "--payload", "jason", "--output", out}, "structured_json"},
      {"generate a bad grade",
       {"generate", "--payload", "random_binary", "--grade", "50", "--output", out},
       "50"},
      {"generate nothing",
       {"generate", "--payload", "random_binary", "--objects", "0", "--output", out},
       "--objects"},
      {"generate into a full folder",
       {"generate", "--payload", "random_binary", "--output", root_.string()},
       "empty"},
      {"generate too small objects",
       {"generate", "--payload", "structured_json", "--object-size", "3", "--output", out},
       "at least"},
      {"more real files than there are",
       {"generate", "--payload", "directory:" + root_.string(), "--objects", "500", "--output", out},
       "1"},
      {"records of a directory",
       {"generate", "--payload", "directory:" + root_.string(), "--objects", "1", "--object-size", "record",
        "--output", out},
       "a directory has no records, which bank_transactions"},
      {"a payload folder that is not there",
       {"generate", "--payload", "directory:/no/such", "--output", out},
       "/no/such"},
      {"a format of a directory",
       {"generate", "--payload", "random_binary", "--format", "tar", "--output", out},
       "--format: is of --output -"},
      {"an unknown format",
       {"generate", "--payload", "random_binary", "--format", "zip", "--output", "-"},
       "--format: 'zip' is not a format of a stream"},
      {"a share that is none",
       {"generate", "--payload", "random_binary", "--compressible", "2", "--output", out},
       "--compressible: '2' is not a compressed share"},
      {"a share of a kind that has its own",
       {"generate", "--payload", "text_document", "--compressible", "0.5", "--output", out},
       "compresses as it does"},
      {"a share of objects that are too small",
       {"generate", "--payload", "random_binary", "--compressible", "0.5", "--object-size", "512", "--output",
        out},
       "at least 2 KiB"},
      {"a negative seed",
       {"generate", "--payload", "random_binary", "--seed", "-1", "--output", out},
       "--seed"},
      {"more than there can be",
       {"generate", "--payload", "random_binary", "--objects", "1000000000", "--object-size", "2 GiB",
        "--output", out},
       "are more than"},
      {"more than there is room for",
       {"generate", "--payload", "random_binary", "--objects", "1000000", "--object-size", "1 TiB",
        "--output", out},
       "that are free there"},
      {"objects beyond all numbers",
       {"generate", "--payload", "random_binary", "--objects", "-99999999999999999999", "--output", out},
       "'-99999999999999999999'"},
  };
  for (const BadCommand& bad : cases) {
    SCOPED_TRACE(bad.what);
    expect_refused(bad.arguments, {bad.expected});
  }
}

TEST_F(BadInput, WhatIsKnownButNotBuiltInIsMarkedByADryRunAndRefusedByARun) {
  std::string text = good_plan();
  text += "\n[export]\ngit = \"x\"\n";
  const std::string plan = write("later.toml", text);
  const Ended dry = run({"run", plan, "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_NE(dry.out.find("not built in yet: key 'export.git'"), std::string::npos) << dry.out;
  expect_refused({"run", plan, "--out", (root_ / "out").string()}, {"not built in"});
}

TEST_F(BadInput, APlanWhoseRealDataIsNotThereSaysWhere) {
  const auto plan = std::string(LAB_SOURCE_ROOT) + "/plans/classic-matrix.toml";
  expect_refused({"run", plan, "--dry-run"}, {"corpora"});
  expect_refused({"run", plan, "--out", (root_ / "out").string()}, {"corpora"});
}

TEST_F(BadInput, ThePlansNameDoesNotLeadOutOfTheFolderOfRuns) {
  std::string text = good_plan();
  text.insert(text.find("seed = 42"), "name = \"../../escape\"\n");
  const std::string plan = write("plan.toml", text).string();
  const fs::path before = fs::current_path();
  fs::create_directories(root_ / "here/below");
  fs::current_path(root_ / "here/below");
  const Ended ended = run({"run", plan});
  fs::current_path(before);
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  std::vector<std::string> made;
  for (const auto& entry : fs::directory_iterator(root_ / "here/below/runs"))
    made.push_back(entry.path().filename().string());
  ASSERT_EQ(made.size(), 1U);
  EXPECT_TRUE(made[0].starts_with("-.-..-escape-")) << made[0];
  EXPECT_FALSE(fs::exists(root_ / "here/escape"));
}

TEST_F(BadInput, ADirectoryWithOtherThingsIsNotTaken) {
  const auto plan = write("plan.toml", good_plan()).string();
  expect_refused({"run", plan, "--out", root_.string()}, {"not empty"});
}

TEST_F(BadInput, AnEditedPlanOfARunIsRefused) {
  const auto plan = small_plan().string();
  const std::string out = (root_ / "out").string();
  ASSERT_EQ(run({"run", plan, "--out", out, "--stop-after", "0ms"}).exit_code, 6);
  write("out/plan.toml", good_plan());
  expect_refused({"resume", out}, {"plan.toml"});
  const auto other = write("other.toml", good_plan()).string();
  expect_refused({"run", other, "--out", out, "--resume"}, {"plan"});
}

}  // namespace
}  // namespace lab::e2e
