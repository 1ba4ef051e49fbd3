// The effective plan: written and read back to an equal one, with the flags of the command line over it.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/random.hpp"
#include "model/plan_load.hpp"
#include "model/plan_test_support.hpp"

namespace lab {
namespace {

LoadedPlan full_plan() {
  auto loaded = parse_plan(kFullPlan, "my-plan.toml", test_words());
  EXPECT_TRUE(loaded) << loaded.error().detail;
  return *loaded;
}

void expect_round_trip(const Plan& plan) {
  const std::string text = save_plan(plan);
  const auto back = parse_plan(text, "another-name.toml", test_words());
  ASSERT_TRUE(back) << back.error().detail << "\n" << text;
  EXPECT_EQ(back->plan, plan) << text;
  EXPECT_EQ(save_plan(back->plan), text);
}

template <class T>
T one_of(Random& random, std::initializer_list<T> items) {
  return items.begin()[random.below(items.size())];
}

/// What adds rungs below the files of three systems.
void draw_rungs(Random& random, Plan& plan) {
  if (random.below(2) == 0) {
    plan.systems[0].volume = "/images/a \"b\".img";
    plan.systems[0].trim = random.below(2) == 0;
    plan.systems[0].probes = {"volume", "filesystem", "command:a pool"};
    plan.systems[0].commands = {{"a pool", {"du", "", "du"}, Millis{5}, true}, {"b", {"/bin/b"}}};
  }
  if (random.below(2) == 0)
    plan.systems[1].metrics = {{"pvc", "http://127.0.0.1:9500/metrics", "size", {{"a_b", "\"c\""}}, true}};
  for (CommandProbePlan& command : plan.systems[0].commands) {
    command.step = Bytes{static_cast<std::int64_t>(1 + random.below(5))};
    command.lag = Millis{static_cast<std::int64_t>(random.below(5))};
  }
  for (MetricsProbePlan& metrics : plan.systems[1].metrics) {
    metrics.step = Bytes{static_cast<std::int64_t>(1 + random.below(99'999))};
    metrics.lag = Millis{static_cast<std::int64_t>(random.below(99'999))};
    metrics.sum = random.below(2) == 0;
    metrics.age = Millis{static_cast<std::int64_t>(1 + random.below(99'999))};
    if (random.below(2) == 0) metrics.token_env = "TOKEN";
    if (!metrics.token_env) metrics.token_file = "/a \"b\"";
  }
  if (random.below(2) == 0) {
    plan.systems[2].volume = "minio:http://127.0.0.1:9000/minio/v2/metrics/cluster";
    if (random.below(2) == 0) plan.systems[2].volume_token_env = "MINIO";
    if (!plan.systems[2].volume_token_env) plan.systems[2].volume_token_file = "/token";
  }
}

/// A valid plan whose fields are drawn.
Plan random_plan(Random& random) {
  Plan plan;
  plan.name = one_of<std::string>(random, {"a", "plan \"x\"\\y", "\xC3\xA9 \"\\\"", "b.c"});
  plan.seed = random.next() >> 1U;
  plan.repetitions = static_cast<int>(1 + random.below(20));
  plan.order_of_work = one_of(random, {OrderOfWork::kShuffled, OrderOfWork::kPlan});
  if (random.below(2) == 0) plan.real_world_dir = "/a dir/with \"quotes\"";
  DatasetPlan& dataset = plan.dataset;
  dataset.payloads =
      one_of<std::vector<std::string>>(random, {{"uuid_keys"}, {"directory:/a, \"b\"", "nasa_image"}});
  dataset.grades = {static_cast<int>(random.below(50)), static_cast<int>(50 + random.below(50))};
  dataset.object_sizes = {
      SizeLaw{.low = Bytes{static_cast<std::int64_t>(1 + random.below(1U << 20U))}},
      SizeLaw{SizeLaw::Kind::kLognormal, 4_KiB, {}, 0.01 + static_cast<double>(random.below(499)) / 100.0}};
  if (random.below(2) == 0)
    dataset.objects = 1 + random.below(1'000'000);
  else
    dataset.totals = {1_GiB, Bytes{static_cast<std::int64_t>((1ULL << 31U) + random.below(1U << 30U))}};
  dataset.popularity.zipf_exponent =
      random.below(2) == 0 ? 0.0 : 0.01 + static_cast<double>(random.below(999)) / 100.0;
  if (random.below(2) == 0) dataset.compressible = static_cast<int>(200 + random.below(791));
  dataset.containers = static_cast<std::uint32_t>(2 + random.below(900));
  dataset.placements = {one_of(random, {Placement::kWithin, Placement::kAcross})};
  plan.stages.update_share_percent = static_cast<int>(1 + random.below(100));
  plan.stages.limit = Millis{static_cast<std::int64_t>(1 + random.below(1'000'000))};
  plan.settle.window = Millis{static_cast<std::int64_t>(random.below(100'000))};
  plan.settle.tolerance = Bytes{static_cast<std::int64_t>(random.below(100'000))};
  plan.retry.block_delays.assign(1 + random.below(4), Millis{static_cast<std::int64_t>(random.below(9'999))});
  plan.export_.cleanup = one_of(random, {CleanupRule::kAlways, CleanupRule::kSuccess, CleanupRule::kNever});
  if (random.below(2) == 0)
    plan.hooks = {.restart = {"a b", "", "\"{system}\"", "a b"},
                  .restart_limit = Millis{static_cast<std::int64_t>(1 + random.below(99'999))}};
  if (random.below(2) == 0) {
    plan.hooks.after_operations = {"duperemove", "-dr", "{directory}", "-dr"};
    plan.hooks.after_operations_limit = Millis{static_cast<std::int64_t>(1 + random.below(99'999))};
  }
  if (random.below(2) == 0) {
    plan.scan.chunkers = {
        {ChunkerSpec::Kind::kFixed, static_cast<std::uint32_t>(64 + random.below(1U << 20U))},
        {ChunkerSpec::Kind::kCdc, 8192}};
    if (random.below(2) == 0) plan.scan.stages = {StageKind::kMaintenance, StageKind::kBulkInsert};
    plan.scan.census = random.below(2) == 0;
    plan.scan.memory = Bytes{static_cast<std::int64_t>((1U << 20U) + random.below(1U << 30U))};
    plan.scan.threads = static_cast<unsigned>(1 + random.below(64));
    plan.scan.limit = Millis{static_cast<std::int64_t>(1 + random.below(99'999))};
  }
  if (random.below(2) == 0) plan.prometheus.url = "http://127.0.0.1:9090";
  plan.systems = {{.name = "sqlite"}, {.name = "kafka"}, {.name = "cas"}};
  plan.systems[0].options["journal_mode"] = one_of<std::string>(random, {"wal", "a \"b\"\n", ""});
  plan.systems[0].max_bytes = Bytes{static_cast<std::int64_t>(1 + random.below(1'000'000'000))};
  draw_rungs(random, plan);
  plan.systems[1].options = {{"a.dotted key", "1"}, {"plain", "2"}};
  plan.systems[1].url = "kafka://127.0.0.1:9092";
  return plan;
}

TEST(PlanSave, AFullPlanIsReadBackEqual) { expect_round_trip(full_plan().plan); }

TEST(PlanSave, EveryDrawnPlanIsReadBackEqual) {
  Random random(1);
  for (int i = 0; i < 150; ++i) {
    SCOPED_TRACE(i);
    expect_round_trip(random_plan(random));
  }
}

TEST(PlanSave, ControlsThatTheProgramAddsAreNotWritten) {
  Plan plan = full_plan().plan;
  const std::string text = save_plan(plan);
  plan.systems.push_back({.name = "cas", .control = true});
  EXPECT_EQ(save_plan(plan), text);
}

TEST(PlanSave, TheHashDependsOnWhatRunsAndNotOnTheName) {
  const Plan plan = full_plan().plan;
  const std::string hash = plan_hash(plan);
  EXPECT_EQ(hash.size(), 64U);
  Plan changed = plan;
  changed.name = "renamed";
  EXPECT_EQ(plan_hash(changed), hash);
  changed.seed += 1;
  EXPECT_NE(plan_hash(changed), hash);
  changed = plan;
  changed.systems[0].options["page_size"] = "4096";
  EXPECT_NE(plan_hash(changed), hash);
  changed = plan;
  std::swap(changed.systems[0], changed.systems[1]);
  EXPECT_NE(plan_hash(changed), hash) << "systems run in plan order";
}

TEST(PlanHash, CountsWhatObjectsCompressToAndDoesNotChangeWhereNothingIsSaid) {
  const auto with = [](const char* line) {
    const auto loaded = parse_plan(
        std::string("[dataset]\npayloads = ['random_binary']\nobjects = 8\n") + line + "[systems.lmdb]\n",
        "p.toml", test_words());
    EXPECT_TRUE(loaded) << loaded.error().detail;
    return plan_hash(loaded->plan);
  };
  const std::string plain = with("");
  EXPECT_EQ(plain, "252197564fc96619ba3828615d91b34bccfef66d24a0edc9c2835ac5344274fc")
      << "plans of earlier versions have this hash";
  EXPECT_NE(with("compressible = '0.5'\n"), plain);
  EXPECT_NE(with("compressible = '0.5'\n"), with("compressible = '0.501'\n"));
  EXPECT_EQ(with("compressible = '0.5'\n"), with("compressible = '0.500'\n"));
}

TEST(PlanOverridesTest, FlagsReplaceWhatThePlanSays) {
  LoadedPlan loaded = full_plan();
  EXPECT_EQ(loaded.not_built_in, std::vector<std::string>{"system 'postgresql'"});
  PlanOverrides flags{
      .systems = {"lmdb,sqlite", "files"}, .payloads = {"uuid_keys"}, .grades = {"U0,U50", "U99"}};
  flags.repetitions = 2;
  flags.objects = 33;
  flags.object_size = "1 MiB";
  flags.max_retries = 0;
  flags.retry_scope = "block";
  const Status status = apply(loaded, flags, test_words());
  ASSERT_TRUE(status) << status.error().detail;
  const Plan& plan = loaded.plan;
  ASSERT_EQ(plan.systems.size(), 3U);
  EXPECT_EQ(plan.systems[0].name, "sqlite") << "those of the plan keep its order and settings";
  EXPECT_EQ(plan.systems[0].path, "/data/sqlite");
  EXPECT_EQ(plan.systems[1].name, "files");
  EXPECT_EQ(plan.systems[2].name, "lmdb");
  EXPECT_EQ(plan.dataset.payloads, std::vector<std::string>{"uuid_keys"});
  EXPECT_EQ(plan.dataset.grades, (std::vector<int>{0, 50, 99}));
  EXPECT_EQ(plan.repetitions, 2);
  EXPECT_EQ(plan.dataset.objects, 33U);
  EXPECT_EQ(plan.dataset.object_sizes, std::vector<SizeLaw>{SizeLaw{.low = 1_MiB}});
  EXPECT_EQ(plan.retry.max_retries, 0);
  EXPECT_EQ(plan.retry.scope, RetryScope::kBlock);
  EXPECT_TRUE(loaded.not_built_in.empty()) << "what was not built in is no longer asked for";
  EXPECT_FALSE(loaded.warnings.empty()) << "two repetitions";
}

TEST(PlanOverridesTest, NoFlagsChangeNothing) {
  LoadedPlan loaded = full_plan();
  const Plan before = loaded.plan;
  ASSERT_TRUE(apply(loaded, {}, test_words()));
  EXPECT_EQ(loaded.plan, before);
}

TEST(PlanOverridesTest, ACountReplacesTotals) {
  LoadedPlan loaded = full_plan();
  loaded.plan.dataset.objects.reset();
  loaded.plan.dataset.totals = {1_GiB};
  ASSERT_TRUE(apply(loaded, {.objects = 10}, test_words()));
  EXPECT_EQ(loaded.plan.dataset.objects, 10U);
  EXPECT_TRUE(loaded.plan.dataset.totals.empty());
}

TEST(PlanOverridesTest, ADirectoryBesideRecordsTakesTheFirstSizeAndNoneOfTheRecords) {
  LoadedPlan loaded = full_plan();
  const PlanOverrides both{.payloads = {"text_document,directory:/data"}};
  loaded.plan.dataset.object_sizes = {*parse_size_law("4 KiB"), *parse_size_law("record")};
  EXPECT_TRUE(apply(loaded, both, test_words()));
  loaded.plan.dataset.object_sizes = {*parse_size_law("record"), *parse_size_law("4 KiB")};
  const Status refused = apply(loaded, both, test_words());
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().detail.starts_with("--payloads: 'record': directory:/data has no records"))
      << refused.error().detail;
}

TEST(PlanOverridesTest, AMistakeNamesItsFlagAndChangesNothing) {
  struct Case {
    PlanOverrides flags{};
    const char* error = nullptr;
  };
  const Case cases[] = {
      {{.systems = {"sqlit"}}, "--systems: 'sqlit' is not a system; did you mean 'sqlite'?"},
      {{.systems = {"sqlite,sqlite"}}, "--systems: 'sqlite' is given twice"},
      {{.systems = {"sqlite,"}}, "--systems: an empty word in 'sqlite,'"},
      {{.payloads = {"uuid_key"}}, "--payloads: 'uuid_key' is not a payload; did you mean 'uuid_keys'?"},
      {{.payloads = {"mixed:uuid_keys=1"}}, "--payloads: 'mixed:uuid_keys=1': a mix has at least two kinds"},
      {{.payloads = {"directory:/\xFF"}}, "--payloads: the payload's name is not UTF-8"},
      {{.grades = {"U0,U101"}}, "--grades: 'U101' is not a grade"},
      {{.grades = {"U0", "U0"}}, "--grades: 'U0' is given twice"},
      {{.repetitions = 0}, "--repetitions: must be from 1 to 1000, is 0"},
      {{.objects = -1}, "--objects: must be from 1 to 1000000000, is -1"},
      {{.object_size = "4 KB"}, "--object-size: '4 KB' is not an object size"},
      {{.objects = 1'000'000'000, .object_size = "1 TiB"},
       "--object-size: 1000000000 objects of 1 TiB are more than"},
      {{.object_size = "record"}, "--object-size: 'record': random_binary has no records, which"},
      {{.payloads = {"directory:/data"}, .object_size = "record"},
       "--object-size: 'record': directory:/data has no records, which text_document have"},
      {{.max_retries = -1}, "--max-retries: must be from 0 to 1000, is -1"},
      {{.retry_scope = "cell"}, "--retry-scope: 'cell' is not a retry scope"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.error);
    LoadedPlan loaded = full_plan();
    const Plan before = loaded.plan;
    const Status status = apply(loaded, one.flags, test_words());
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(status.error().detail.starts_with(one.error)) << status.error().detail;
    EXPECT_EQ(loaded.plan, before);
  }
}

}  // namespace
}  // namespace lab
