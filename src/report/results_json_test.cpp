// The contract of results.json: its keys, and that what is not known is an absent key.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "report/outputs.hpp"
#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

using nlohmann::json;

RunData sample_run() {
  RunData run;
  run.info.run_id = "run-1";
  run.info.seed = 42;
  run.info.started_ms = 1'700'000'000'000;
  add_controls(run);
  add_pairs(run, {.noise = 100}, {0.5, 0.51, 0.49, 0.5, 0.52});
  return run;
}

json results_of(const RunData& run) { return json::parse(results_json(run, analyse(run))); }

/// Visits every value of a document.
void each_value(const json& value, const std::function<void(const json&)>& visit) {
  visit(value);
  if (value.is_structured())
    for (const auto& [key, inner] : value.items()) each_value(inner, visit);
}

json verdict_in(const json& results, const std::string& system, const std::string& probe = "files") {
  for (const json& verdict : results["verdicts"])
    if (verdict["system"] == system && verdict["probe"] == probe) return verdict;
  ADD_FAILURE() << "no verdict of " << system;
  return {};
}

TEST(ResultsJson, HasItsKeys) {
  const json results = results_of(sample_run());
  EXPECT_EQ(results["format"], 1);
  EXPECT_EQ(results["run_id"], "run-1");
  EXPECT_EQ(results["started"], "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(results["seed"], 42);
  ASSERT_EQ(results["stages"].size(), 30U);
  for (const char* key :
       {"system",       "server",      "control",     "variant",        "payload",          "dataset_seed",
        "object_size",  "total_bytes", "grade",       "order",          "placement",        "mode",
        "cache",        "repetition",  "chain",       "stage",          "cell_id",          "valid",
        "superseded",   "reason",      "objects",     "logical_bytes",  "unique_bytes",     "copies",
        "before_bytes", "after_bytes", "empty_bytes", "stored_bytes",   "noise_bytes",      "edr",
        "edr_cluster",  "missing",     "settled",     "settle_seconds", "duration_seconds", "latency_us"})
    EXPECT_TRUE(results["stages"][0].contains(key)) << key;
  for (const char* key :
       {"system", "variant", "payload", "object_size", "total_bytes", "grade", "order", "placement", "mode",
        "cache", "chain", "stage", "probe", "eta", "low", "high", "n", "verdict", "reason"})
    EXPECT_TRUE(verdict_in(results, "sqlite").contains(key)) << key;
}

TEST(ResultsJson, HoldsTheAnswer) {
  const json results = results_of(sample_run());
  const json verdict = verdict_in(results, "sqlite");
  EXPECT_EQ(verdict["verdict"], "partial");
  EXPECT_EQ(verdict["n"], 5);
  EXPECT_NEAR(verdict["eta"].get<double>(), 0.504, 1e-6);
  EXPECT_LT(verdict["low"].get<double>(), 0.504);
  EXPECT_GT(verdict["u_sys"].get<double>(), 0);
  EXPECT_EQ(verdict["delta"], 0.02);
  EXPECT_EQ(verdict["object_size"], 131072);
  const json& stage = results["stages"].back();
  EXPECT_EQ(
      stage["stored_bytes"]["files"].get<std::int64_t>(),
      stage["after_bytes"]["files"].get<std::int64_t>() - stage["empty_bytes"]["files"].get<std::int64_t>());
  EXPECT_EQ(stage["server"]["version"], "1.2.3");
  EXPECT_TRUE(results["controls"][0]["passed"]);
}

TEST(ResultsJson, WhatIsNotKnownIsAnAbsentKey) {
  RunData run = sample_run();
  StageRecord& record = run.stages.back().record;
  record.missing["files"] = "unsettled";
  record.after_bytes.erase("files");
  record.settle_seconds = std::nan("");
  record.noise_bytes["apparent"] = kLogical;
  const json results = results_of(run);
  each_value(results, [](const json& value) { EXPECT_FALSE(value.is_null()); });
  const json& stage = results["stages"].back();
  EXPECT_FALSE(stage["stored_bytes"].contains("files"));
  EXPECT_FALSE(stage["edr"].contains("files"));
  EXPECT_FALSE(stage["edr_cluster"].contains("files"));
  EXPECT_FALSE(stage.contains("settle_seconds"));
  EXPECT_EQ(stage["missing"]["files"], "unsettled");
  EXPECT_TRUE(stage["missing"]["apparent"].get<std::string>().starts_with("below resolution"));
  EXPECT_EQ(verdict_in(results, "sqlite")["verdict"], "too_few_repetitions");
}

TEST(ResultsJson, AVerdictWithoutPairsHasNoEta) {
  RunData run = sample_run();
  for (StageRow& row : run.stages)
    if (row.record.cell.system == "sqlite" && row.record.cell.dataset.grade == 90) row.record.valid = false;
  const json verdict = verdict_in(results_of(run), "sqlite");
  for (const char* key : {"eta", "low", "high", "u_sys", "removed", "of"})
    EXPECT_FALSE(verdict.contains(key)) << key;
  EXPECT_EQ(verdict["n"], 0);
}

TEST(ResultsJson, SemanticSaysHowManyOfHowMany) {
  RunData run = sample_run();
  for (StageRow& row : run.stages)
    if (row.record.cell.system == "sqlite" && row.record.cell.dataset.grade == 90) {
      row.record.keeps = "one per key";
      row.record.removed = 360;
    }
  const json verdict = verdict_in(results_of(run), "sqlite");
  EXPECT_EQ(verdict["verdict"], "semantic");
  EXPECT_EQ(verdict["removed"], 360);
  EXPECT_EQ(verdict["of"], 400);
  EXPECT_FALSE(verdict.contains("eta"));
}

TEST(ResultsJson, OneRecordACellChainAndStageCounts) {
  RunData run = sample_run();
  StageRecord old = run.stages.back().record;
  old.superseded = true;
  add_record(run, old);
  std::map<std::string, int> counted;
  const json results = results_of(run);
  for (const json& stage : results["stages"])
    counted[stage["cell_id"].get<std::string>() + stage["chain"].get<std::string>() +
            stage["stage"].get<std::string>()] += stage["superseded"].get<bool>() ? 0 : 1;
  EXPECT_EQ(counted.size(), 30U);
  for (const auto& [key, count] : counted) EXPECT_EQ(count, 1) << key;
}

TEST(ResultsJson, KeepsForeignBytesReadable) {
  RunData run = sample_run();
  run.stages.back().record.valid = false;
  run.stages.back().record.reason = "server said \xFF\xFE";
  run.notes.emplace_back("bad \xC3 note");
  EXPECT_EQ(results_of(run)["stages"].back()["reason"], "server said \xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(ResultsJson, HoldsTheLadderOfEachRecordAndOfEachGroup) {
  const json results = results_of(sample_run());
  const json& steps = results["stages"].back()["ladder"];
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0]["above"], "L");
  EXPECT_EQ(steps[1]["rung"], "files");
  bool found = false;
  ASSERT_FALSE(results["edr_intervals"].empty());
  for (const json& edr : results["edr_intervals"]) {
    EXPECT_LE(edr["low"], edr["mean"]);
    EXPECT_GE(edr["high"], edr["mean"]);
    EXPECT_EQ(edr["n"], 5);
  }
  for (const json& ladder : results["ladders"]) {
    EXPECT_TRUE(ladder["product_is_whole"]);
    double product = 1;
    for (const json& step : ladder["steps"]) product *= step["factor"].get<double>();
    EXPECT_NEAR(product, ladder["whole"].get<double>(), 1e-9 * product);
    if (ladder["system"] != "sqlite" || ladder["grade"] != "U90") continue;
    found = true;
    EXPECT_EQ(ladder["vanish"], "at");
    EXPECT_EQ(ladder["vanish_rung"], "apparent");
    EXPECT_EQ(ladder["steps"][0]["scope"], "all copies");
    EXPECT_EQ(ladder["left_out"]["engine"], "no reading");
    EXPECT_EQ(ladder["n"], 5);
  }
  EXPECT_TRUE(found);
}

TEST(ResultsJson, HoldsWhatACopyCosts) {
  const json results = results_of(sample_run());
  for (const json& cost : results["costs"]) {
    if (cost["system"] != "sqlite" || cost["quantity"] != "stored_bytes:files") continue;
    EXPECT_EQ(cost["n"], 5);
    EXPECT_EQ(cost["grades"], json({"U0", "U90"}));
    EXPECT_NEAR(cost["original"]["mean"].get<double>(), kObjectBytes, 1);
    EXPECT_NEAR(cost["copy"]["mean"].get<double>(), kObjectBytes * (1 - 0.504), 2);
    EXPECT_LT(cost["copy"]["low"].get<double>(), cost["copy"]["mean"].get<double>());
    EXPECT_GT(cost["u_copy"].get<double>(), 0);
    return;
  }
  ADD_FAILURE() << "no cost of files";
}

TEST(ResultsJson, SaysWhyAFigureHasNoInterval) {
  RunData run = sample_run();
  for (StageRow& row : run.stages) row.record.noise_bytes.erase("files");
  const json results = results_of(run);
  int ratios = 0;
  for (const json& edr : results["edr_intervals"]) {
    const bool unknown = edr["probe"] == "files";
    EXPECT_EQ(edr.contains("low"), !unknown);
    EXPECT_EQ(edr.value("no_interval", ""), unknown ? "noise floor not measured" : "");
    ratios += unknown ? 1 : 0;
  }
  EXPECT_GT(ratios, 0);
  int costs = 0;
  for (const json& cost : results["costs"]) {
    if (cost["quantity"] != "stored_bytes:files") continue;
    for (const char* figure : {"copy", "original", "difference"}) {
      EXPECT_FALSE(cost[figure].contains("low"));
      EXPECT_EQ(cost[figure]["no_interval"], "noise floor not measured");
    }
    EXPECT_FALSE(cost.contains("u_copy") || cost.contains("u_difference"));
    costs += 1;
  }
  EXPECT_GT(costs, 0);
}

TEST(ResultsJson, StoresTheSeedOfItsBootstrap) {
  const json results = results_of(sample_run());
  EXPECT_EQ(results["latencies"]["seed"].get<std::uint64_t>(), analyse(sample_run()).bootstrap_seed);
  EXPECT_EQ(results["latencies"]["resamples"], 2'000);
}

TEST(ResultsJson, SetsWhatIsDocumentedBesideWhatWasMeasured) {
  RunData run = sample_run();
  run.environment_json =
      R"({"mechanisms":{"sqlite":[{"level":"storage","support":"missing","source":"a page"},7]}})";
  const json results = results_of(run);
  ASSERT_EQ(results["mechanisms"].size(), 1U) << "the controls are not of the plan";
  const json& sqlite = results["mechanisms"][0];
  EXPECT_EQ(sqlite["system"], "sqlite");
  EXPECT_EQ(sqlite["documented"][0]["support"], "missing");
  EXPECT_EQ(sqlite["documented"][0]["source"], "a page");
  EXPECT_EQ(sqlite["measured"][0]["verdict"], "partial");
  EXPECT_EQ(sqlite["measured"][0]["grade"], "U90");
  run.environment_json = "no JSON";
  EXPECT_TRUE(results_of(run)["mechanisms"][0]["documented"].empty());
}

TEST(ResultsJson, HoldsTheScopeOfEachProbeServerTimesAndChangedSettings) {
  RunData run;
  StageRecord record = make_record({});
  record.server_seconds = {{"INSERT", 1.25}};
  record.settings = {{"gc.ttlseconds", "60"}};
  add_record(run, record);
  const json results = results_of(run);
  const json& stage = results["stages"][0];
  EXPECT_EQ(stage["scope"]["files"], "all copies");
  EXPECT_EQ(stage["server_seconds"]["INSERT"], 1.25);
  EXPECT_EQ(stage["settings"]["gc.ttlseconds"], "60");
  EXPECT_EQ(stage["duration_seconds"], 2);
}

}  // namespace
}  // namespace lab::report
