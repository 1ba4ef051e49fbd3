// The keys that add rungs below a system's own files, and the hook that runs before they are read.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <initializer_list>

#include "model/plan_load.hpp"
#include "model/plan_test_support.hpp"

namespace lab {
namespace {

constexpr std::string_view kHead =
    "[dataset]\npayloads = ['random_binary']\nobjects = 8\n[systems.files]\n";  // 4 lines.

Result<LoadedPlan> with_keys(std::string_view keys) {
  return parse_plan(std::string(kHead) + std::string(keys), "p.toml", test_words());
}

TEST(PlanProbes, EveryRungThatIsBuiltInIsAccepted) {
  const auto loaded = with_keys(
      "probes = ['engine', 'apparent', 'files', 'extents', 'filesystem', 'btrfs', 'zfs', 'zpool', 'vdo', "
      "'volume', 'volume:trimmed']\nvolume = '/images/disk.img'\ntrim = true\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_TRUE(loaded->not_built_in.empty());
  const SystemPlan& system = loaded->plan.systems.front();
  EXPECT_EQ(system.probes.size(), 11U);
  EXPECT_EQ(system.volume, "/images/disk.img");
  EXPECT_TRUE(system.trim);
}

TEST(PlanProbes, CommandsAndMetricsAreReadWithTheirNames) {
  const auto loaded = with_keys(
      "probes = ['command:pool', 'metrics:pvc']\n"
      "[systems.files.commands.pool]\nargv = ['zpool', 'get', 'get']\nlimit = '3s'\nscope = 'one copy'\n"
      "[systems.files.commands.a]\nargv = ['a']\n"
      "[systems.files.metrics.pvc]\nurl = 'http://h:9500/metrics'\nmetric = 'size_bytes'\n"
      "[systems.files.metrics.pvc.labels]\nvolume = 'pvc-1'\nreplica = 2\n"
      "[prometheus]\nurl = 'http://h:9090'\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const SystemPlan& system = loaded->plan.systems.front();
  ASSERT_EQ(system.commands.size(), 2U);
  EXPECT_EQ(system.commands[0], (CommandProbePlan{.name = "a", .argv = {"a"}}));
  EXPECT_EQ(system.commands[1], (CommandProbePlan{"pool", {"zpool", "get", "get"}, Millis{3'000}, true}));
  ASSERT_EQ(system.metrics.size(), 1U);
  EXPECT_EQ(
      system.metrics[0],
      (MetricsProbePlan{
          "pvc", "http://h:9500/metrics", "size_bytes", {{"replica", "2"}, {"volume", "pvc-1"}}, false}));
  EXPECT_EQ(loaded->plan.prometheus.url, "http://h:9090");
}

struct Refusal {
  const char* keys;
  const char* error;
};

void expect_refusals(std::initializer_list<Refusal> cases) {
  for (const Refusal& one : cases) {
    SCOPED_TRACE(one.keys);
    const auto loaded = with_keys(one.keys);
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().detail.find(one.error), std::string::npos) << loaded.error().detail;
    EXPECT_EQ(loaded.error().detail.find("hunter2"), std::string::npos);
  }
}

TEST(PlanProbes, WhatAPlanLacksIsNamedWithItsLine) {
  expect_refusals({
      {"probes = ['volume']\n", "p.toml:5: key 'systems.files.probes': 'volume' needs the key 'volume'"},
      {"volume = '/a'\nprobes = ['volume:trimmed']\n",
       "p.toml:6: key 'systems.files.probes': 'volume:trimmed' needs the keys 'volume' and 'trim = true'"},
      {"probes = ['extent']\n", "'extent' is not a probe; did you mean 'extents'?"},
      {"probes = ['zpol']\n", "'zpol' is not a probe; did you mean 'zpool'?"},
      {"probes = ['command:']\n", "'command:' is not a probe"},
      {"trim = true\n", "p.toml:5: key 'systems.files.trim': stands without 'volume'"},
      {"volume = '/a'\ntrim = 'yes'\n",
       "p.toml:6: key 'systems.files.trim': must be true or false, is a string"},
      {"volume = ''\n", "key 'systems.files.volume'"},
      {"volumes = '/a'\n", "unknown key; did you mean 'volume'?"},
      {"volume = 'disk.img'\n", "p.toml:5: key 'systems.files.volume': write an absolute path"},
      {"[hooks]\nafter_operation = ['a']\n", "unknown key; did you mean 'after_operations'?"},
      {"[hooks]\nafter_operations_limit = '1s'\n", "stands without 'after_operations'"},
      {"[hooks]\nafter_operations = ['']\n", "the program has no name"},
  });
}

TEST(PlanProbes, WhatACommandOrAMetricLacksIsNamedWithItsLine) {
  expect_refusals({
      {"probes = ['command:x']\n", "'command:x' needs a table [systems.files.commands.x]"},
      {"probes = ['metrics:x']\n", "'metrics:x' needs a table [systems.files.metrics.x]"},
      {"[systems.files.commands.x]\nlimit = '1s'\n", "key 'systems.files.commands.x.argv': missing"},
      {"[systems.files.commands.x]\nargv = ['']\n", "the program has no name"},
      {"[systems.files.commands.x]\nargv = ['a']\nscope = 'all'\n", "'all' is not a scope"},
      {"[systems.files.commands.x]\nargs = ['a']\n", "unknown key; did you mean 'argv'?"},
      {"[systems.files.commands.'a:b']\nargv = ['a']\n", "a probe's name is not empty and has no ':'"},
      {"[systems.files.metrics.x]\nmetric = 'a'\n", "key 'systems.files.metrics.x.url': missing"},
      {"[systems.files.metrics.x]\nurl = 'http://h'\n", "key 'systems.files.metrics.x.metric': missing"},
      {"[systems.files.metrics.x]\nurl = 'http://u:p@h'\nmetric = 'a'\n", "the url holds a password"},
      {"[systems.files.metrics.x]\nurl = 'ftp://h/metrics'\nmetric = 'a'\n",
       "p.toml:6: key 'systems.files.metrics.x.url': the address does not begin with http:// or https://"},
      {"[systems.files.metrics.x]\nurl = 'http://:9100/metrics'\nmetric = 'a'\n", "the address has no host"},
      {"[systems.files.metrics.x]\nurl = 'http://h/m?a=b&API_KEY=x'\nmetric = 'a'\n",
       "p.toml:6: key 'systems.files.metrics.x.url': the url holds a password"},
      {"[systems.files.metrics.x]\nurl = 'http://h?access_token=x'\nmetric = 'a'\n", "holds a password"},
      {"[systems.files.metrics.x]\nurl = 'http://h?Secret=x'\nmetric = 'a'\n", "holds a password"},
      {"[systems.files.metrics.x]\nurl = 'http://h?password=x'\nmetric = 'a'\n", "holds a password"},
      {"[systems.files.metrics.x]\nurl = 'http://h'\nmetric = 'a-b'\n",
       "p.toml:7: key 'systems.files.metrics.x.metric': a metric's name is [a-zA-Z_:][a-zA-Z0-9_:]*"},
      {"[systems.files.metrics.x]\nurl = 'http://h'\nmetric = 'a'\nlabels = {'b:c' = 'd'}\n",
       "key 'systems.files.metrics.x.labels.b:c': a label's name is [a-zA-Z_][a-zA-Z0-9_]*"},
      {"[systems.files.metrics.x]\nurl = 'http://h'\nmetric = 'a'\nstep = 0\n",
       "p.toml:8: key 'systems.files.metrics.x.step': must be at least 1 bytes"},
      {"[systems.files.metrics.x]\nurl = 'http://h'\nmetric = 'a'\nlag = 5\n",
       "p.toml:8: key 'systems.files.metrics.x.lag': must be a string"},
      {"[systems.files.metrics.x]\nurl = 'http://h'\nmetric = 'a'\nage = '0s'\n", "metrics.x.age': must be"},
      {"[systems.files.metrics.x]\nurl = 'http://h'\nmetric = 'a'\nsum = 'yes'\n",
       "key 'systems.files.metrics.x.sum': must be true or false"},
      {"[systems.files.metrics.x]\nurl = 'http://h'\nmetric = 'a'\ntoken_env = 'A'\ntoken_file = 'b'\n",
       "p.toml:9: key 'systems.files.metrics.x.token_file': stands beside 'token_env': give one of the two"},
      {"[systems.files.metrics.x]\nurl = 'http://h'\nmetric = 'a'\ntoken = 'hunter2'\n",
       "a plan holds no secret: use token_env or token_file"},
      {"[systems.files.metrics.x]\nurl = 'http://h'\nmetric = 'a'\npassword = 'hunter2'\n",
       "a plan holds no secret: use token_env or token_file"},
      {"[systems.files.commands.x]\nargv = ['a']\nstep = '0 B'\n", "key 'systems.files.commands.x.step'"},
      {"[systems.files.commands.x]\nargv = ['a']\nsum = true\n",
       "key 'systems.files.commands.x.sum': unknown"},
  });
}

TEST(PlanProbes, WhatMonitoringLacksIsNamedWithItsLine) {
  expect_refusals({
      {"volume = 'longhorn:db'\n", "write longhorn:<namespace>/<claim>"},
      {"volume = 'longhorn:db/a/b'\n", "write longhorn:<namespace>/<claim>"},
      {"volume = 'longhorn:d*/a'\n", "the namespace is one name, without '*'"},
      {"volume = 'longhorn:db/a'\n",
       "p.toml:5: key 'systems.files.volume': 'longhorn:db/a' needs [prometheus] with a url"},
      {"volume = 'longhor:db/a'\n",
       "write an absolute path, longhorn:<namespace>/<claim> or minio:<address>"},
      {"volume = 'minio:host:9000'\n", "write minio:http://host:9000/minio/v2/metrics/cluster"},
      {"volume = 'minio:http://u:p@h/'\n", "the url holds a password"},
      {"volume = 'minio:http://h/?Token=x'\n", "the url holds a password"},
      {"volume = 'minio:http:///minio'\n", "p.toml:5: key 'systems.files.volume': the address has no host"},
      {"volume_token_env = 'A'\n",
       "p.toml:5: key 'systems.files.volume_token_env': goes with volume = \"minio:<address of its "
       "metrics>\""},
      {"volume = '/a'\nvolume_token_file = 'b'\n", "goes with volume = \"minio:"},
      {"volume = 'minio:http://h'\nvolume_token_env = 'A'\nvolume_token_file = 'b'\n",
       "stands beside 'volume_token_env': give one of the two"},
      {"volume = 'minio:http://h'\nvolume_token = 'hunter2'\n",
       "a plan holds no secret: use volume_token_env or volume_token_file"},
      {"[prometheus]\nurl = 'h:9090'\n",
       "p.toml:6: key 'prometheus.url': the address does not begin with http:// or https://"},
      {"[prometheus]\nurl = 'https:///x'\n", "the address has no host"},
      {"[prometheus]\nurl = 'http://h/?a=b'\n", "p.toml:6: key 'prometheus.url': the address ends with more"},
      {"[prometheus]\nurl = 'http://h/#a'\n", "the address ends with more than a path"},
      {"[prometheus]\nurl = 'http://h/?token=a'\n", "the url holds a password"},
      {"volume = 'longhorn:db/a'\ntrim = true\n", "goes with a path or a device alone"},
      {"probes = ['kubelet']\n", "'kubelet' needs volume = \"longhorn:<namespace>/<claim>\""},
      {"probes = ['minio']\n", "'minio' needs volume = \"minio:<address of its metrics>\""},
      {"[prometheus]\nurl = 'http://u:p@h'\n", "the url holds a password"},
      {"[prometheus]\nurl = 'http://h'\nuser = 'a'\n", "p.toml:7: key 'prometheus.user': needs its password"},
      {"[prometheus]\nurl = 'http://h'\nuser = 'a:b'\npassword_env = 'P'\n", "has no ':'"},
      {"[prometheus]\nurl = 'http://h'\npassword = 'hunter2'\n", "a plan holds no secret"},
      {"[prometheus]\nurl = 'http://h'\npassword_env = 'P'\npassword_file = 'f'\n", "give one of the two"},
      {"[prometheus]\npassword_env = 'P'\n", "key 'prometheus.password_env': stands without 'url'"},
      {"[prometheus]\nurl = 'http://h'\nsample_age = '0s'\n", "key 'prometheus.sample_age'"},
      {"[prometheus]\nurl = 'http://h'\nage = '1s'\n", "key 'prometheus.age': unknown key"},
      {"[prometheus]\nuri = 'http://h'\n", "key 'prometheus.uri': unknown key; did you mean 'url'?"},
  });
}

TEST(PlanProbes, RungsThatMonitoringKnowsAreRead) {
  const auto loaded = with_keys(
      "probes = ['volume', 'kubelet', 'command:a']\nvolume = 'longhorn:db/pvc-1'\n[prometheus]\nurl = "
      "'http://h'\n"
      "[systems.files.commands.a]\nargv = ['a']\n"
      "[systems.files.metrics.b]\nurl = 'http://h'\nmetric = 'm'\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_TRUE(loaded->not_built_in.empty());
  EXPECT_EQ(loaded->plan.systems[0].volume, "longhorn:db/pvc-1");
  EXPECT_EQ(loaded->plan.prometheus.url, "http://h");
}

TEST(PlanProbes, TheLoginOfPrometheusIsNamedAndNeverWritten) {
  const auto loaded = with_keys(
      "[prometheus]\nurl = 'http://h'\nuser = 'lab'\npassword_env = 'PROM'\nsample_age = '20s'\n"
      "kubelet_age = '30s'\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const PrometheusPlan wanted{.url = "http://h",
                              .user = "lab",
                              .password_env = "PROM",
                              .sample_age = Millis{20'000},
                              .kubelet_age = Millis{30'000}};
  EXPECT_EQ(loaded->plan.prometheus, wanted);
  const auto again = parse_plan(save_plan(loaded->plan), "p.toml", test_words());
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->plan.prometheus, wanted);
}

TEST(PlanProbes, EveryKeyOfACommandAndAMetricArrives) {
  const auto loaded = parse_plan(kFullPlan, "p.toml", test_words());
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const auto& systems = loaded->plan.systems;
  EXPECT_EQ(systems[0].commands,
            (std::vector<CommandProbePlan>{
                {"pool", {"zpool", "get", "-Hp"}, Millis{7'000}, false, 8_KiB, Millis{3'000}}}));
  const MetricsProbePlan pvc{.name = "pvc",
                             .url = "http://127.0.0.1:9500/metrics",
                             .metric = "size_bytes",
                             .labels = {{"replica", "r1"}},
                             .one_copy = true,
                             .step = 1_MiB,
                             .lag = Millis{70'000},
                             .sum = true,
                             .age = Millis{45'000},
                             .token_file = "/run/secrets/pvc"};
  EXPECT_EQ(systems[0].metrics, std::vector{pvc});
}

TEST(PlanProbes, TokensAreNamedAndGoWithMetricsAlone) {
  const auto loaded = with_keys(
      "volume = 'minio:http://h:9000/minio/v2/metrics/cluster'\nvolume_token_file = '/run/minio'\n"
      "[systems.files.metrics.x]\nurl = 'http://h'\nmetric = 'a'\ntoken_env = 'X_TOKEN'\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const SystemPlan& system = loaded->plan.systems.front();
  EXPECT_EQ(system.volume_token_file, "/run/minio");
  EXPECT_FALSE(system.volume_token_env);
  EXPECT_EQ(system.metrics.front().token_env, "X_TOKEN");
  EXPECT_FALSE(system.metrics.front().token_file);
  const auto again = parse_plan(save_plan(loaded->plan), "p.toml", test_words());
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->plan.systems, loaded->plan.systems);
}

TEST(PlanProbes, WhatIsNotSaidOfAFigureIsNotWritten) {
  const auto loaded = with_keys(
      "[systems.files.commands.c]\nargv = ['c']\n"
      "[systems.files.metrics.x]\nurl = 'http://h'\nmetric = 'a'\nstep = 1\nlag = '0s'\nsum = false\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const std::string text = save_plan(loaded->plan);
  EXPECT_NE(text.find("metric = \"a\""), std::string::npos);
  for (const char* key : {"\nstep =", "\nlag =", "\nsum =", "\nage =", "token"})
    EXPECT_EQ(text.find(key), std::string::npos) << key;
}

TEST(PlanProbes, APlanWithoutThemIsWrittenAsBefore) {
  const auto loaded = with_keys("");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const std::string text = save_plan(loaded->plan);
  for (const char* word : {"volume", "trim", "commands", "metrics", "prometheus", "hooks"})
    EXPECT_EQ(text.find(word), std::string::npos) << word;
}

}  // namespace
}  // namespace lab
