// Reading plans: every key arrives, and every mistake is named with file, line, key and the nearest valid
// word. SPDX-License-Identifier: Apache-2.0
#include "model/plan_load.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/random.hpp"
#include "core/testing/temporary_folder.hpp"
#include "model/cell.hpp"
#include "model/plan_test_support.hpp"

namespace lab {
namespace {

Result<LoadedPlan> parse(std::string_view text) {
  return parse_plan(text, "plans/my-plan.toml", test_words());
}

constexpr std::string_view kSmallest =
    "[dataset]\npayloads = [\"random_binary\"]\nobjects = 8\n[systems.lmdb]\n";

TEST(PlanLoad, EveryKeyArrives) {
  const auto loaded = parse(kFullPlan);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const Plan& plan = loaded->plan;
  EXPECT_EQ(plan.name, "my-plan");
  EXPECT_EQ(plan.real_world_dir, "/srv/corpora");
  EXPECT_EQ(plan.seed, 42U);
  EXPECT_EQ(plan.repetitions, 7);
  EXPECT_EQ(plan.order_of_work, OrderOfWork::kPlan);
  const DatasetPlan& d = plan.dataset;
  EXPECT_EQ(d.payloads,
            (std::vector<std::string>{"random_binary", "structured_json", "directory:/data/mail"}));
  EXPECT_EQ(d.grades, (std::vector<int>{0, 50, 90}));
  EXPECT_EQ(d.objects, 1024U);
  ASSERT_EQ(d.object_sizes.size(), 3U);
  EXPECT_EQ(to_string(d.object_sizes[2]), "lognormal:64 KiB:1.5");
  EXPECT_EQ(d.orders, (std::vector{Order::kShuffled, Order::kAdjacent}));
  EXPECT_EQ(d.placements, (std::vector{Placement::kWithin, Placement::kAcross}));
  EXPECT_EQ(d.containers, 8U);
  EXPECT_EQ(d.caches, (std::vector<std::string>{"warm", "cold"}));
  EXPECT_EQ(to_string(d.popularity), "zipf:1.2");
  ASSERT_EQ(plan.stages.chains.size(), 2U);
  EXPECT_EQ(chain_name(plan.stages.chains[1]), "perfile_insert>perfile_delete>maintenance>refill");
  EXPECT_EQ(plan.stages.update_share_percent, 25);
  EXPECT_EQ(plan.stages.update_content, UpdateContent::kSame);
  EXPECT_EQ(plan.stages.verify_full_up_to, 1_GiB);
  EXPECT_EQ(plan.stages.verify_sample, 500U);
  EXPECT_EQ(plan.stages.limit, Millis{7'200'000});
  EXPECT_EQ(plan.stages.sample_interval, Millis{200});
  EXPECT_EQ(plan.settle, (SettlePlan{Millis{2'000}, Millis{50}, Millis{180'000}, 4_KiB, Millis{4'000}}));
  EXPECT_EQ(plan.retry.max_retries, 2);
  EXPECT_EQ(plan.retry.scope, RetryScope::kSystem);
  EXPECT_EQ(plan.retry.block_delays, (std::vector<Millis>{Millis{1'000}, Millis{1'000}, Millis{5'000}}));
  EXPECT_EQ(plan.retry.reconnect, (RetryPolicy{4, Millis{2'000}, Millis{20'000}, 10}));
  EXPECT_EQ(plan.export_.cleanup, CleanupRule::kSuccess);
  EXPECT_EQ(plan.hooks.restart, (std::vector<std::string>{"systemctl", "restart", "{system}", "{system}"}));
  EXPECT_EQ(plan.hooks.restart_limit, Millis{90'000});
}

TEST(PlanLoad, SystemsArriveInTheOrderOfTheFile) {
  const auto loaded = parse(kFullPlan);
  ASSERT_TRUE(loaded);
  const auto& systems = loaded->plan.systems;
  ASSERT_EQ(systems.size(), 3U);
  EXPECT_EQ(systems[0].name, "sqlite");
  EXPECT_EQ(systems[0].path, "/data/sqlite");
  EXPECT_EQ(systems[0].variants, (std::vector<std::string>{"page_65536", "default"}));
  EXPECT_EQ(systems[0].max_bytes, 50_GiB);
  EXPECT_EQ(systems[0].options,
            (std::map<std::string, std::string>{{"page_size", "8192"}, {"journal_mode", "wal"}}));
  EXPECT_EQ(systems[1].name, "postgresql");
  EXPECT_EQ(systems[1].url, "postgresql://lab@127.0.0.1:5432/lab");
  EXPECT_EQ(systems[1].password_env, "DEDUP_PG_PASSWORD");
  EXPECT_EQ(systems[1].directory, "/var/lib/postgresql/15/main");
  EXPECT_EQ(systems[1].identity, "7312");
  EXPECT_EQ(systems[2].name, "files");
  EXPECT_EQ(systems[2].probes, std::vector<std::string>{"files"});
}

TEST(PlanLoad, WhatIsNotSaidIsTheDefault) {
  const auto loaded = parse(kSmallest);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  Plan expected;
  expected.name = "my-plan";
  expected.dataset.payloads = {"random_binary"};
  expected.dataset.objects = 8;
  expected.systems = {{.name = "lmdb"}};
  EXPECT_EQ(loaded->plan, expected);
  EXPECT_TRUE(loaded->not_built_in.empty());
}

TEST(PlanLoad, TotalsAndOneSizeAloneAreAccepted) {
  const auto loaded = parse(
      "[dataset]\npayloads = ['uuid_keys']\ntotals = [\"1 GiB\", 4096]\nobject_size = 512\n[systems]\nlmdb = "
      "{}\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->plan.dataset.totals, (std::vector<Bytes>{1_GiB, 4_KiB}));
  EXPECT_EQ(loaded->plan.dataset.object_sizes, std::vector<SizeLaw>{SizeLaw{.low = Bytes{512}}});
}

TEST(PlanLoad, AMixWithItsSharesIsAPayloadLikeAnyOther) {
  const auto loaded = parse(
      "[dataset]\npayloads = ['mixed:uuid_keys=3+text_document=1', 'uuid_keys']\nobjects = "
      "8\n[systems.lmdb]\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->plan.dataset.payloads,
            (std::vector<std::string>{"mixed:uuid_keys=3+text_document=1", "uuid_keys"}));
  EXPECT_TRUE(loaded->not_built_in.empty());
}

TEST(PlanLoad, WhatIsKnownButNotBuiltInIsListedAndNothingIsLeftOut) {
  const auto loaded = parse(
      "[dataset]\npayloads = ['nasa_image', 'random_binary']\nobjects = 8\nmodes = "
      "['native']\n"
      "[systems.kafka]\nvariants = ['compact']\n[systems.kafka.options]\nacks = "
      "'all'\n[systems.sqlite]\n[systems.lmdb]\nprobes = ['extents']\n"
      "[telemetry.kafka]\nbrokers = 'b'\n[export]\ngit = 'x'\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->not_built_in,
            (std::vector<std::string>{"system 'kafka'", "mode 'native' of system 'lmdb'",
                                      "payload 'nasa_image'", "key 'export.git'", "key 'telemetry.kafka'"}));
}

TEST(PlanLoad, EmptyTablesOfLaterFeaturesAskForNothing) {
  const auto loaded =
      parse(std::string(kSmallest) + "[scan]\n[telemetry]\n[hooks]\n[export]\n[settle]\n[retry]\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_TRUE(loaded->not_built_in.empty());
}

TEST(PlanLoad, ALimitOfAHookThatIsNotThereIsAnError) {
  const auto loaded = parse(std::string(kSmallest) + "[hooks]\nrestart_limit = '5s'\n");
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().detail.find("stands without 'restart'"), std::string::npos);
}

TEST(PlanLoad, WarnsOfPlansThatCannotGiveAVerdict) {
  const auto loaded = parse(
      "[run]\nrepetitions = 3\n[dataset]\npayloads = ['uuid_keys']\ngrades = ['U1']\nobjects = "
      "8\n[systems.lmdb]\n");
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->warnings.size(), 3U);
  EXPECT_NE(loaded->warnings[0].find("fewer than 5"), std::string::npos);
  EXPECT_NE(loaded->warnings[1].find("lack U0"), std::string::npos);
  EXPECT_NE(loaded->warnings[2].find("U1 of 8 objects has no copy"), std::string::npos);
}

struct BadPlan {
  const char* was;    // A text of kFullPlan that stands there once.
  const char* is;     // What stands there instead.
  const char* error;  // After "FILE:LINE: "; the line is that of `was`, plus the newlines before '|' in `is`.
};

const BadPlan kBadPlans[] = {
    // Unknown keys and tables.
    {"seed = 42", "sead = 42", "key 'run.sead': unknown key; did you mean 'seed'?"},
    {"real_world_dir =", "real_word_dir =",
     "key 'real_word_dir': unknown key; did you mean 'real_world_dir'?"},
    {"[run]", "[runs]", "key 'runs': unknown key; did you mean 'run'?"},
    {"grades =", "grade =", "key 'dataset.grade': unknown key; did you mean 'grades'?"},
    {"object_size =", "object_sizes =",
     "key 'dataset.object_sizes': unknown key; did you mean 'object_size'?"},
    {"chains =", "chain =", "key 'stages.chain': unknown key; did you mean 'chains'?"},
    {"window =", "windows =", "key 'settle.windows': unknown key; did you mean 'window'?"},
    {"max_retries =", "maxretries =", "key 'retry.maxretries': unknown key; did you mean 'max_retries'?"},
    {"cleanup =", "clean_up =", "key 'export.clean_up': unknown key; did you mean 'cleanup'?"},
    {"restart =", "restarts =", "key 'hooks.restarts': unknown key; did you mean 'restart'?"},
    {"identity =", "identiti =", "key 'systems.postgresql.identiti': unknown key; did you mean 'identity'?"},
    {"page_size = 8192", "pagesize = 8192",
     "key 'systems.sqlite.options.pagesize': unknown option; did you mean 'page_size'?"},
    {"[systems.files]", "[systems.files.options]\n|x = 1",
     "key 'systems.files.options.x': unknown option; 'files' has no options"},
    // Wrong types.
    {"seed = 42", "seed = \"42\"", "key 'run.seed': must be an integer, is a string"},
    {"seed = 42", "seed = 42.0", "key 'run.seed': must be an integer, is a number with a point"},
    {"repetitions = 7", "repetitions = \"seven\"", "key 'run.repetitions': must be an integer, is a string"},
    {"repetitions = 7", "repetitions = true", "key 'run.repetitions': must be an integer, is true or false"},
    {"repetitions = 7", "repetitions = 2026-01-31",
     "key 'run.repetitions': must be an integer, is a date or time"},
    {"order_of_work = \"plan\"", "order_of_work = 1",
     "key 'run.order_of_work': must be a string, is an integer"},
    {"grades = [\"U0\", \"U50\", \"U90\"]", "grades = \"U0\"",
     "key 'dataset.grades': must be a list, is a string"},
    {"grades = [\"U0\", \"U50\", \"U90\"]", "grades = [\"U0\",\n|50]",
     "key 'dataset.grades': must be a string, is an integer"},
    {"chains = [[\"bulk_insert\"], [", "chains = [\"bulk_insert\", [",
     "key 'stages.chains': must be a list, is a string"},
    {"restart = [\"systemctl\", \"restart\", \"{system}\", \"{system}\"]",
     "restart = \"systemctl restart x\"", "key 'hooks.restart': must be a list, is a string"},
    {"restart = [\"systemctl\",", "restart = [\"\",", "key 'hooks.restart': the program has no name"},
    {"\"{system}\", \"{system}\"]", "\"{sytem}\"]",
     "key 'hooks.restart': '{sytem}' stands for nothing; did you mean '{system}'?"},
    {"restart_limit = \"90s\"", "restart_limit = \"0s\"", "key 'hooks.restart_limit': must be from 1ms"},
    {"window = \"2s\"", "window = 2", "key 'settle.window': must be a string, is an integer"},
    {"object_size = [\"128 KiB\",", "object_size = [1.5,",
     "key 'dataset.object_size': must be a string or an integer, is a number with a point"},
    {"journal_mode = \"wal\"", "journal_mode = [\"wal\"]",
     "key 'systems.sqlite.options.journal_mode': must be a string, an integer, true or false, is a list"},
    {"path = \"/data/sqlite\"", "path = 5", "key 'systems.sqlite.path': must be a string, is an integer"},
    {"[export]", "[[export]]", "key 'export': must be a table, is a list"},
    {"[systems.files]", "[systems]\n|files = 5", "key 'systems.files': must be a table, is an integer"},
    // Unknown words.
    {"order_of_work = \"plan\"", "order_of_work = \"shufled\"",
     "key 'run.order_of_work': 'shufled' is not an order of work; did you mean 'shuffled'?"},
    {"[systems.files]", "[systems.mysql]",
     "key 'systems.mysql': 'mysql' is not a system; one of files, cas, "},
    {"[systems.files]", "[systems.rocksbd]",
     "key 'systems.rocksbd': 'rocksbd' is not a system; did you mean 'rocksdb'?"},
    {"[systems.files]", "[systems.SQLITE]",
     "key 'systems.SQLITE': 'SQLITE' is not a system; did you mean 'sqlite'?"},
    {"\"structured_json\"", "\"structured_jsn\"",
     "key 'dataset.payloads': 'structured_jsn' is not a payload; did you mean 'structured_json'?"},
    {"\"structured_json\"", "\"nasa_images\"", "'nasa_images' is not a payload; did you mean 'nasa_image'?"},
    {"\"structured_json\"", "\"quite_something_else\"",
     "'quite_something_else' is not a payload; one of random_binary, "},
    {"\"directory:/data/mail\"", "\"directory:\"", "'directory:' lacks its path"},
    {"\"directory:/data/mail\"", "\"mixed:uuid_key=1+text_document=1\"",
     "key 'dataset.payloads': 'mixed:uuid_key=1+text_document=1': 'uuid_key' is not a kind that can be "
     "mixed; "
     "did you mean 'uuid_keys'?"},
    {"\"directory:/data/mail\"", "\"mixed:uuid_keys=0+text_document=1\"",
     "the share '0' of uuid_keys is not an integer from 1 to 100"},
    {"\"page_65536\", \"default\"", "\"page_65535\"",
     "key 'systems.sqlite.variants': 'page_65535' is not a variant of sqlite; did you mean 'page_65536'?"},
    {"\"adjacent\"", "\"ajacent\"",
     "key 'dataset.orders': 'ajacent' is not an order; did you mean 'adjacent'?"},
    {"\"across\"", "\"accross\"",
     "key 'dataset.placements': 'accross' is not a placement; did you mean 'across'?"},
    {"\"cold\"", "\"clod\"", "key 'dataset.caches': 'clod' is not a cache state; did you mean 'cold'?"},
    {"\"blob\"", "\"blobs\"", "key 'dataset.modes': 'blobs' is not a mode; did you mean 'blob'?"},
    {"popularity = \"zipf:1.2\"", "popularity = \"zipf:0\"",
     "key 'dataset.popularity': 'zipf:0' is not a popularity"},
    {"popularity = \"zipf:1.2\"", "compressible = \"2\"",
     "key 'dataset.compressible': '2' is not a compressed share"},
    {"duplicate_unit = \"object\"", "duplicate_unit = \"blok:4096\"",
     "key 'dataset.duplicate_unit': 'blok:4096' is not a duplicate unit"},
    {"duplicate_unit = \"object\"", "duplicate_unit = \"block:0\"",
     "key 'dataset.duplicate_unit': 'block:0' is not a duplicate unit"},
    {"\"perfile_insert\"", "\"per_file_insert\"",
     "key 'stages.chains': 'per_file_insert' is not a stage; did you mean 'perfile_insert'?"},
    {"update_content = \"same\"", "update_content = \"old\"",
     "key 'stages.update_content': 'old' is not a content of updates"},
    {"scope = \"system\"", "scope = \"systems\"",
     "key 'retry.scope': 'systems' is not a retry scope; did you mean 'system'?"},
    {"cleanup = \"success\"", "cleanup = \"sucess\"",
     "key 'export.cleanup': 'sucess' is not a clean-up rule; did you mean 'success'?"},
    {"probes = [\"engine\", \"files\"]", "probes = [\"engin\"]",
     "key 'systems.sqlite.probes': 'engin' is not a probe; did you mean 'engine'?"},
    {"probes = [\"engine\", \"files\"]", "probes = [\"longhorn:\"]",
     "key 'systems.sqlite.probes': 'longhorn:' is not a probe"},
    // Grades, sizes, durations.
    {"\"U90\"", "\"U101\"",
     "key 'dataset.grades': 'U101' is not a grade: write U and an integer from 0 to 99"},
    {"\"U90\"", "\"U0.5\"", "key 'dataset.grades': 'U0.5' is not a grade"},
    {"\"U90\"", "\"u50\"", "key 'dataset.grades': 'u50' is not a grade"},
    {"\"128 KiB\"", "\"4 KB0\"", "key 'dataset.object_size': '4 KB0' is not an object size"},
    {"\"128 KiB\"", "0", "key 'dataset.object_size': '0' is not an object size"},
    {"\"128 KiB\"", "-5", "key 'dataset.object_size': '-5' is not an object size"},
    {"\"uniform:4 KiB:1 MiB\"", "\"uniform:1 MiB:4 KiB\"", "the largest size is below the smallest"},
    {"objects = 1024", "totals = [\"4 KB\"]", "key 'dataset.totals': '4 KB' is not a size"},
    {"objects = 1024", "totals = [\"0\"]", "key 'dataset.totals': a total must be at least 1 byte"},
    {"tolerance = \"4 KiB\"", "tolerance = \"4 KB\"", "key 'settle.tolerance': '4 KB' is not a size"},
    {"max_bytes = \"50 GiB\"", "max_bytes = 0", "key 'systems.sqlite.max_bytes': must be at least 1 bytes"},
    {"window = \"2s\"", "window = \"2\"", "key 'settle.window': '2' is not a duration"},
    {"limit = \"2h\"", "limit = \"2 hours\"", "key 'stages.limit': '2 hours' is not a duration"},
    {"limit = \"2h\"", "limit = \"0ms\"", "key 'stages.limit': must be from 1ms to 365d, is '0ms'"},
    {"interval = \"50ms\"", "interval = \"0s\"", "key 'settle.interval': must be from 1ms"},
    {"idle = \"4s\"", "idle = \"0s\"", "key 'settle.idle': must be from 1ms to 365d, is '0s'"},
    {"limit = \"3m\"", "limit = \"1s\"", "key 'settle.limit': 1s is shorter than the window of 2s"},
    {"\"5s\"]", "\"fast\"]", "key 'retry.delays': 'fast' is not a duration"},
    // Counts.
    {"seed = 42", "seed = -1", "key 'run.seed': must be from 0 to 9223372036854775807, is -1"},
    {"repetitions = 7", "repetitions = 0", "key 'run.repetitions': must be from 1 to 1000, is 0"},
    {"repetitions = 7", "repetitions = 1001", "key 'run.repetitions': must be from 1 to 1000, is 1001"},
    {"objects = 1024", "objects = -5", "key 'dataset.objects': must be from 1 to 1000000000, is -5"},
    {"objects = 1024", "objects = 1000000001", "key 'dataset.objects': must be from 1 to 1000000000"},
    {"containers = 8", "containers = 0", "key 'dataset.containers': must be from 1 to 1000, is 0"},
    {"containers = 8", "containers = 1",
     "key 'dataset.containers': placement 'across' needs at least 2 containers"},
    {"update_share = 25", "update_share = 101", "key 'stages.update_share': must be from 1 to 100, is 101"},
    {"verify_sample = 500", "verify_sample = 0", "key 'stages.verify_sample': must be from 1"},
    {"max_retries = 2", "max_retries = -1", "key 'retry.max_retries': must be from 0 to 1000, is -1"},
    {"reconnect_jitter = 10", "reconnect_jitter = 101",
     "key 'retry.reconnect_jitter': must be from 0 to 100, is 101"},
    {"reconnect_max = \"20s\"", "reconnect_max = \"1s\"",
     "key 'retry.reconnect_max': is shorter than 'reconnect_first'"},
    // Lists.
    {"grades = [\"U0\", \"U50\", \"U90\"]", "grades = []", "key 'dataset.grades': must not be empty"},
    {"payloads = [\"random_binary\", \"structured_json\", \"directory:/data/mail\"]", "payloads = []",
     "key 'dataset.payloads': must not be empty"},
    {"variants = [\"page_65536\", \"default\"]", "variants = []",
     "key 'systems.sqlite.variants': must not be empty"},
    {"[[\"bulk_insert\"], [", "[[], [", "key 'stages.chains': must not be empty"},
    {"\"U90\"", "\"U50\"", "key 'dataset.grades': 'U50' stands twice in the list"},
    {"\"uniform:4 KiB:1 MiB\"", "131072", "key 'dataset.object_size': '131072' stands twice in the list"},
    {"\"structured_json\"", "\"random_binary\"",
     "key 'dataset.payloads': 'random_binary' stands twice in the list"},
    {"[[\"bulk_insert\"], [", "[[\"bulk_insert\"], [\"bulk_insert\"], [",
     "key 'stages.chains': the same list stands twice"},
    // What does not fit together.
    {"objects = 1024", "objects = 1024\n|totals = [\"1 GiB\"]",
     "key 'dataset.totals': stands beside 'objects': give one of the two"},
    {"objects = 1024\nobject_size = [\"128 KiB\",", "totals = [\"1 GiB\"]\nobject_size = [\"record\",",
     "key 'dataset.totals': with object_size \"record\" objects are as large as the records are"},
    {"\"128 KiB\"", "\"record\"",
     "key 'dataset.object_size': 'record': random_binary has no records, which text_document have"},
    {"objects = 1024", "totals = [\"64 KiB\"]",
     "key 'dataset.totals': a total of 64 KiB holds no object of 128 KiB"},
    {"objects = 1024", "totals = [\"4194304 TiB\"]",
     "key 'dataset.totals': a total of 4194304 TiB is 35184372088832 objects of 128 KiB; at most 1000000000"},
    {"objects = 1024\nobject_size = [\"128 KiB\",", "totals = [\"2097152 TiB\"]\nobject_size = [\"1 TiB\",",
     "key 'dataset.totals': 2097152 objects of 1 TiB are more than 1048576 TiB"},
    {"[\"perfile_insert\", \"perfile_delete\",", "[\"perfile_delete\",",
     "key 'stages.chains': stage 1 of 'perfile_delete>maintenance>refill', perfile_delete, needs objects"},
    {"\"perfile_delete\", \"maintenance\", \"refill\"", "\"maintenance\", \"refill\"",
     "refill, needs a deletion before it"},
    {"password_env = \"DEDUP_PG_PASSWORD\"", "password_env = \"A\"\n|password_file = \"b\"",
     "key 'systems.postgresql.password_file': stands beside 'password_env'"},
    {"path = \"/data/sqlite\"", "url = \"sqlite://x\"",
     "key 'systems.sqlite.url': 'sqlite' is embedded: it has a 'path' only"},
    {"directory = \"/var/lib/postgresql/15/main\"", "path = \"/x\"",
     "key 'systems.postgresql.path': 'postgresql' is a server"},
    {"path = \"/data/sqlite\"", "path = \"\"", "key 'systems.sqlite.path': must not be empty"},
    {"path = \"/data/sqlite\"", "path = \"/data/\\u0000\"", "key 'systems.sqlite.path': must not hold a NUL"},
    // Passwords.
    {"url = \"postgresql://lab@127", "url = \"postgresql://lab:geheim@127",
     "key 'systems.postgresql.url': the url holds a password"},
    {"url = \"postgresql://lab@127", "url = \"postgresql://lab:ge@he/im@127",
     "key 'systems.postgresql.url': the url holds a password"},
    {"5432/lab\"", "5432/lab?sslmode=on&Password=geheim\"",
     "key 'systems.postgresql.url': the url holds a password"},
    {"5432/lab\"", "5432/lab?Access_Token=geheim\"",
     "key 'systems.postgresql.url': the url holds a password"},
    {"identity = \"7312\"", "password = \"geheim\"",
     "key 'systems.postgresql.password': a plan holds no secret: use password_env"},
    // Syntax.
    {"seed = 42", "seed = ", "not valid TOML: "},
    {"seed = 42", "seed = 42\n|seed = 43", "not valid TOML: "},
    {"[systems.files]", "|[systems.sqlite]", "not valid TOML: "},
    {"seed = 42", "seed = \xFF", "not UTF-8"},
    {"url = \"postgresql://lab@127.0.0.1:5432/lab\"", "url = \"postgresql://lab:geheim@h",
     "not valid TOML: "},
};

TEST(PlanLoad, EveryMistakeIsNamedWithItsFileLineKeyAndTheNearestWord) {
  static_assert(std::size(kBadPlans) >= 60);
  for (const BadPlan& bad : kBadPlans) {
    SCOPED_TRACE(testing::Message() << bad.was << " -> " << bad.is);
    std::string text(kFullPlan);
    const std::size_t at = text.find(bad.was);
    ASSERT_NE(at, std::string::npos);
    std::string replacement = bad.is;
    std::size_t offset = 0;
    if (const std::size_t mark = replacement.find('|'); mark != std::string::npos) {
      offset = mark;
      replacement.erase(mark, 1);
    }
    text.replace(at, std::string_view(bad.was).size(), replacement);
    const auto before = text.begin() + static_cast<std::ptrdiff_t>(at + offset);
    const auto line = 1 + std::count(text.begin(), before, '\n');
    const auto loaded = parse(text);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::kInvalidArgument);
    const std::string start = "plans/my-plan.toml:" + std::to_string(line) + ": ";
    EXPECT_TRUE(loaded.error().detail.starts_with(start)) << loaded.error().detail;
    EXPECT_NE(loaded.error().detail.find(bad.error), std::string::npos) << loaded.error().detail;
    EXPECT_EQ(loaded.error().text().find("geheim"), std::string::npos) << "a password is never echoed";
  }
}

TEST(PlanLoad, WhatIsMissingIsNamedWithWhatToWrite) {
  struct Case {
    const char* text;
    const char* error;
  };
  const Case cases[] = {
      {"", "plans/my-plan.toml:1: key 'systems': a plan names at least one system, as [systems.sqlite]"},
      {"[systems]\n", "plans/my-plan.toml:1: key 'systems': a plan names at least one system"},
      {"[systems.lmdb]\n", "plans/my-plan.toml:1: key 'dataset': missing"},
      {"[systems.lmdb]\n[dataset]\nobjects = 5\n", "plans/my-plan.toml:2: key 'dataset.payloads': missing"},
      {"[systems.lmdb]\n\n[dataset]\npayloads = ['uuid_keys']\n",
       "plans/my-plan.toml:3: key 'dataset.objects': missing: give 'objects' (a count) or 'totals' (sizes)"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.text);
    const auto loaded = parse(one.text);
    ASSERT_FALSE(loaded);
    EXPECT_TRUE(loaded.error().detail.starts_with(one.error)) << loaded.error().detail;
  }
}

TEST(PlanLoad, TheFirstUnknownKeyInTheFileIsTheOneThatIsNamed) {
  const auto loaded = parse("[run]\nzzz = 1\naaa = 2\n");
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(loaded.error().detail.starts_with("plans/my-plan.toml:2: key 'run.zzz'"))
      << loaded.error().detail;
}

TEST(PlanLoad, ASyntaxErrorShowsItsLineWithACaret) {
  const auto loaded = parse("[run]\n\tsead = \"\xC3\xA9\" x\n");
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().detail.find("\n    \tsead = \"\xC3\xA9\" x\n    \t           ^"),
            std::string::npos)
      << loaded.error().detail;
}

TEST(PlanLoad, ALongLineIsCutAroundTheCaret) {
  const auto loaded = parse("a = \"" + std::string(5'000, 'a') + "\" !" + std::string(5'000, 'b') + "\n");
  ASSERT_FALSE(loaded);
  EXPECT_LT(loaded.error().detail.size(), 500U);
  EXPECT_NE(loaded.error().detail.find("aaa\" !bbb"), std::string::npos) << loaded.error().detail;
}

TEST(PlanLoad, ALineThatMayHoldAPasswordIsNotShown) {
  for (const char* line :
       {"url = \"redis://:geheim@h", "password = geheim", "Passwort geheim = 'x", "x = 'geheim@h"}) {
    SCOPED_TRACE(line);
    const auto loaded = parse(std::string(line) + "\n");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().detail.find("geheim"), std::string::npos) << loaded.error().detail;
    EXPECT_NE(loaded.error().detail.find("not shown"), std::string::npos) << loaded.error().detail;
  }
}

TEST(PlanLoad, AMatrixBeyondAMillionCellsIsRefused) {
  const std::string_view rest =
      "[dataset]\npayloads = ['uuid_keys', 'random_binary']\nobjects = 8\n[systems.lmdb]\n";
  std::string grades = "grades = ['U0'";
  for (int grade = 1; grade < 100; ++grade) grades += ", '" + grade_name(grade) + "'";
  std::string text = "[run]\nrepetitions = 1000\n" + std::string(rest);
  text.insert(text.find("objects"),
              grades + "]\norders = ['shuffled', 'adjacent', 'distant', 'alternate']\n");
  EXPECT_TRUE(parse(text)) << "800,000 cells";
  text.insert(text.find("objects"), "placements = ['within', 'across']\n");
  const auto loaded = parse(text);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().detail.find("the lists multiply to more than 1000000 cells"), std::string::npos);
}

TEST(PlanLoad, ADamagedPlanIsAnErrorAndNeverACrash) {
  Random random(8);
  int refused = 0;
  for (int i = 0; i < 600; ++i) {
    std::string text(kFullPlan);
    if (i % 3 == 0) text.resize(random.below(text.size()));
    for (std::uint64_t changes = i % 3; changes > 0; --changes)
      text[random.below(text.size())] = static_cast<char>(random.below(128));
    if (const auto loaded = parse(text); !loaded) {
      ++refused;
      EXPECT_EQ(loaded.error().code, ErrorCode::kInvalidArgument);
      EXPECT_TRUE(loaded.error().detail.starts_with("plans/my-plan.toml:")) << loaded.error().detail;
    }
  }
  EXPECT_GT(refused, 400);
}

TEST(PlanLoad, AFileIsReadAndItsStemIsTheName) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "first.look.toml";
  ASSERT_TRUE(write_file_atomic(path, kSmallest));
  const auto loaded = load_plan(path, test_words());
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->plan.name, "first.look");
}

TEST(PlanLoad, WhatIsNoPlanFileIsAnErrorThatNamesIt) {
  const TemporaryFolder folder;
  const auto at = [&](const char* name) { return folder.path() / name; };
  ASSERT_TRUE(write_file_atomic(at("large"), std::string((1 << 20) + 1, '#')));
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  struct Case {
    const char* name;
    const char* error;
    ErrorCode code;
  };
  const Case cases[] = {
      {".", "is a directory", ErrorCode::kInvalidArgument},
      {"pipe", "is not a regular file", ErrorCode::kInvalidArgument},
      {"missing.toml", "No such file", ErrorCode::kNotFound},
      {"large", "is larger than 1.00 MiB", ErrorCode::kInvalidArgument},
      {"large/x", "Not a directory", ErrorCode::kNotFound},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const auto loaded = load_plan(at(one.name), test_words());
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, one.code);
    EXPECT_NE(loaded.error().detail.find(at(one.name).string()), std::string::npos);
    EXPECT_NE(loaded.error().detail.find(one.error), std::string::npos) << loaded.error().detail;
  }
}

}  // namespace
}  // namespace lab
