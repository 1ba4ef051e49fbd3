// Each entry names its matrix point in full, so that a program needs no second table to read it.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "report/figures.hpp"
#include "report/pairs.hpp"
#include "report/report_html_parts.hpp"
#include "report/resampling.hpp"
#include "report/results_json_parts.hpp"

namespace lab::report {
namespace {

using nlohmann::ordered_json;

/// The dimensions of a matrix point under the names that verdicts have; without a grade for a whole point.
ordered_json point_json(const Group& group, bool with_grade) {
  ordered_json out = ordered_json::object();
  out["system"] = to_valid_utf8(group.system);
  out["variant"] = to_valid_utf8(group.variant);
  out["payload"] = to_valid_utf8(group.payload);
  out["object_size"] = object_size_json(group.object_size);
  out["duplicate_unit"] = group.duplicate_unit;
  if (group.total_bytes) out["total_bytes"] = *group.total_bytes;
  if (with_grade) out["grade"] = group.grade;
  out["order"] = group.order;
  out["placement"] = group.placement;
  out["mode"] = to_valid_utf8(group.mode);
  out["cache"] = to_valid_utf8(group.cache);
  out["chain"] = group.chain;
  out["stage"] = group.stage;
  return out;
}

ordered_json texts_json(const std::map<std::string, std::string>& texts) {
  ordered_json out = ordered_json::object();
  for (const auto& [key, text] : texts) out[to_valid_utf8(key)] = to_valid_utf8(text);
  return out;
}

ordered_json mean_steps_json(const LadderSummary& ladder) {
  ordered_json steps = ordered_json::array();
  for (const MeanStep& step : ladder.steps) {
    ordered_json one{{"above", step.above}, {"rung", step.rung}, {"factor", step.factor}};
    set_number(one, "low", step.low);
    set_number(one, "high", step.high);
    if (!step.no_interval.empty()) one["no_interval"] = step.no_interval;
    const auto scope = ladder.scope.find(step.rung);
    if (scope != ladder.scope.end()) one["scope"] = to_valid_utf8(scope->second);
    steps.push_back(std::move(one));
  }
  return steps;
}

ordered_json ladder_json(const Group& group) {
  const LadderSummary& ladder = *group.ladder;
  ordered_json out = point_json(group, true);
  out["steps"] = mean_steps_json(ladder);
  out["n"] = ladder.n;
  set_number(out, "product", ladder.product);
  set_number(out, "whole", ladder.whole);
  out["product_is_whole"] = ladder.broken.empty();
  if (!ladder.broken.empty()) out["error"] = ladder.broken;
  out["left_out"] = texts_json(ladder.left_out);
  if (!ladder.vanishing) return out;
  out["vanish"] = to_string(ladder.vanishing->word);
  if (!ladder.vanishing->rung.empty()) out["vanish_rung"] = ladder.vanishing->rung;
  out["vanish_reason"] = to_valid_utf8(ladder.vanishing->reason);
  return out;
}

ordered_json estimate_json(const Estimate& estimate) {
  ordered_json out{{"mean", estimate.mean}};
  set_number(out, "low", estimate.low);
  set_number(out, "high", estimate.high);
  if (!estimate.no_interval.empty()) out["no_interval"] = estimate.no_interval;
  return out;
}

ordered_json cost_json(const Group& group, const CopyCost& cost) {
  ordered_json out = point_json(group, false);
  out["quantity"] = cost.quantity;
  out["unit"] = cost.unit;
  out["grades"] = cost.grades;
  out["objects"] = cost.objects;
  out["n"] = cost.copy ? cost.copy->n : 0;
  if (cost.copy) {
    out["copy"] = estimate_json(*cost.copy);
    out["original"] = estimate_json(*cost.original);
    out["difference"] = estimate_json(*cost.difference);
    set_number(out, "u_copy", cost.u_copy);
    set_number(out, "u_difference", cost.u_difference);
  }
  ordered_json refused = ordered_json::object();
  for (const auto& [reason, count] : cost.refused) refused[to_valid_utf8(reason)] = count;
  out["refused"] = std::move(refused);
  return out;
}

ordered_json latency_json(const Group& group, const std::string& percentile, const LatencyFigure& figure) {
  ordered_json out = point_json(group, true);
  out["percentile"] = percentile;
  out["n"] = figure.n;
  set_number(out, "median_us", figure.median_us);
  set_number(out, "low_us", figure.low);
  set_number(out, "high_us", figure.high);
  set_number(out, "cliffs_delta", figure.cliffs_delta);
  if (!figure.missing.empty()) out["missing"] = figure.missing;
  return out;
}

/// The headline of each variant and payload: bulk_insert on `files`, each grade above U0.
ordered_json measured_json(const Analysis& analysis, const std::string& system) {
  ordered_json list = ordered_json::array();
  for (const Answer& answer : answers(analysis)) {
    if (answer.system != system) continue;
    for (const Verdict& verdict : answer.verdicts) {
      ordered_json one{{"variant", to_valid_utf8(verdict.variant)},
                       {"payload", to_valid_utf8(verdict.payload)},
                       {"grade", verdict.grade},
                       {"stage", verdict.stage},
                       {"probe", verdict.probe},
                       {"verdict", to_string(verdict.word)}};
      set_number(one, "eta", verdict.eta);
      list.push_back(std::move(one));
    }
  }
  return list;
}

/// One documented level, its three texts only; nothing where the environment holds something else.
ordered_json documented_json(const ordered_json& environment, const std::string& system) {
  ordered_json list = ordered_json::array();
  if (!environment.is_object() || !environment.contains("mechanisms")) return list;
  const ordered_json& all = environment["mechanisms"];
  if (!all.is_object() || !all.contains(system) || !all[system].is_array()) return list;
  for (const ordered_json& entry : all[system]) {
    ordered_json one = ordered_json::object();
    for (const char* key : {"level", "support", "source"})
      if (entry.is_object() && entry.contains(key) && entry[key].is_string()) one[key] = entry[key];
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace

void set_number(ordered_json& out, const char* key, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) out[key] = *value;
}

ordered_json object_size_json(const std::string& name) {
  const bool number = !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  return number ? ordered_json(std::stoll(name)) : ordered_json(name);
}

ordered_json steps_json(const Ladder& ladder) {
  ordered_json steps = ordered_json::array();
  for (const LadderStep& step : ladder.steps)
    steps.push_back({{"above", step.above}, {"rung", step.rung}, {"factor", step.factor}});
  return steps;
}

ordered_json edr_intervals_json(const Analysis& analysis) {
  ordered_json out = ordered_json::array();
  for (const Group& group : analysis.groups)
    for (const auto& [probe, edr] : group.edr) {
      ordered_json one = point_json(group, true);
      one["probe"] = to_valid_utf8(probe);
      set_number(one, "mean", edr.mean);
      set_number(one, "low", edr.low);
      set_number(one, "high", edr.high);
      if (!edr.no_interval.empty()) one["no_interval"] = edr.no_interval;
      one["n"] = edr.n;
      out.push_back(std::move(one));
    }
  return out;
}

ordered_json ladders_json(const Analysis& analysis) {
  ordered_json out = ordered_json::array();
  for (const Group& group : analysis.groups)
    if (group.ladder) out.push_back(ladder_json(group));
  return out;
}

ordered_json costs_json(const Analysis& analysis) {
  ordered_json out = ordered_json::array();
  for (const Group& group : analysis.groups)
    for (const CopyCost& cost : group.costs) out.push_back(cost_json(group, cost));
  return out;
}

ordered_json latencies_json(const Analysis& analysis) {
  ordered_json entries = ordered_json::array();
  for (const Group& group : analysis.groups)
    for (const auto& [percentile, figure] : group.latencies)
      entries.push_back(latency_json(group, percentile, figure));
  return {{"seed", analysis.bootstrap_seed}, {"resamples", kResamples}, {"entries", std::move(entries)}};
}

ordered_json mechanisms_json(const RunData& run, const Analysis& analysis) {
  const ordered_json environment = ordered_json::parse(run.environment_json, nullptr, false);
  std::vector<std::string> systems;
  for (const Group& group : analysis.groups)
    if (!group.control && std::find(systems.begin(), systems.end(), group.system) == systems.end())
      systems.push_back(group.system);
  ordered_json out = ordered_json::array();
  for (const std::string& system : systems)
    out.push_back({{"system", to_valid_utf8(system)},
                   {"documented", documented_json(environment, system)},
                   {"measured", measured_json(analysis, system)}});
  return out;
}

}  // namespace lab::report
