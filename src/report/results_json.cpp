// results.json: the records with their figures, the verdicts, and the controls they rest on.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "core/time.hpp"
#include "model/record_json.hpp"
#include "report/outputs.hpp"
#include "report/results_json_parts.hpp"
#include "report/statistics.hpp"

namespace lab::report {
namespace {

using nlohmann::ordered_json;

constexpr int kResultsFormat = 1;

template <class T>
ordered_json map_of(const std::map<std::string, T>& values) {
  ordered_json out = ordered_json::object();
  for (const auto& [key, value] : values) {
    if constexpr (std::is_same_v<T, std::string>)
      out[to_valid_utf8(key)] = to_valid_utf8(value);
    else if constexpr (std::is_same_v<T, double>)
      set_number(out, to_valid_utf8(key).c_str(), value);
    else
      out[to_valid_utf8(key)] = value;
  }
  return out;
}

/// The record's own fields in their order, with the figures standing where the contract puts them: the stored
/// bytes behind the readings, the ratios behind the noise.
ordered_json stage_json(const StageRow& row, const StageFigures& figures, const std::optional<Ladder>& ladder,
                        const std::string& run_id) {
  const ordered_json record = record_to_json(row.record);
  ordered_json out = ordered_json::object();
  for (const auto& [key, value] : record.items()) {
    if (key == "missing") {
      auto missing = row.record.missing;
      missing.insert(figures.missing.begin(), figures.missing.end());
      out["edr"] = map_of(figures.edr);
      out["edr_cluster"] = map_of(figures.edr_cluster);
      if (ladder) out["ladder"] = steps_json(*ladder);
      out["missing"] = map_of(missing);
      set_number(out, "freed_share", figures.eta_free);
      set_number(out, "reuse_share", figures.reuse_share);
      continue;
    }
    out[key] = value;
    if (key == "empty_bytes") out["stored_bytes"] = map_of(figures.stored_bytes);
  }
  out["run_id"] = to_valid_utf8(run_id);
  out["attempt"] = row.attempt;
  return out;
}

ordered_json verdict_json(const Verdict& verdict, const std::optional<double>& uncertainty) {
  ordered_json out = ordered_json::object();
  out["system"] = to_valid_utf8(verdict.system);
  out["variant"] = to_valid_utf8(verdict.variant);
  out["payload"] = to_valid_utf8(verdict.payload);
  out["object_size"] = object_size_json(verdict.object_size);
  out["duplicate_unit"] = verdict.duplicate_unit;
  if (verdict.total_bytes) out["total_bytes"] = *verdict.total_bytes;
  out["grade"] = verdict.grade;
  out["order"] = verdict.order;
  out["placement"] = verdict.placement;
  out["mode"] = to_valid_utf8(verdict.mode);
  out["cache"] = to_valid_utf8(verdict.cache);
  out["chain"] = verdict.chain;
  out["stage"] = verdict.stage;
  out["probe"] = to_valid_utf8(verdict.probe);
  set_number(out, "eta", verdict.eta);
  set_number(out, "low", verdict.low);
  set_number(out, "high", verdict.high);
  out["n"] = verdict.n;
  out["verdict"] = to_string(verdict.word);
  out["reason"] = to_valid_utf8(verdict.reason);
  if (verdict.removed) out["removed"] = *verdict.removed;
  if (verdict.of) out["of"] = *verdict.of;
  set_number(out, "u_sys", uncertainty);
  if (verdict.eta) out["delta"] = kEquivalenceMargin;
  return out;
}

ordered_json verdicts_json(const Analysis& analysis) {
  ordered_json out = ordered_json::array();
  for (const Group& group : analysis.groups)
    for (const auto& [probe, verdict] : group.verdicts) {
      const auto uncertainty = group.eta_uncertainty.find(probe);
      out.push_back(verdict_json(verdict, uncertainty == group.eta_uncertainty.end()
                                              ? std::nullopt
                                              : std::optional(uncertainty->second)));
    }
  return out;
}

ordered_json controls_json(const Analysis& analysis) {
  ordered_json out = ordered_json::array();
  for (const ControlOutcome& control : analysis.controls) {
    ordered_json one = ordered_json::object();
    one["payload"] = to_valid_utf8(control.payload);
    one["grade"] = control.grade;
    one["probe"] = control.probe;
    set_number(one, "eta_files", control.eta_files);
    set_number(one, "eta_cas", control.eta_cas);
    one["pairs"] = control.pairs;
    one["passed"] = control.passed;
    one["reason"] = to_valid_utf8(control.reason);
    out.push_back(std::move(one));
  }
  return out;
}

ordered_json texts_json(const std::vector<std::string>& texts) {
  ordered_json out = ordered_json::array();
  for (const std::string& text : texts) out.push_back(to_valid_utf8(text));
  return out;
}

}  // namespace

std::string results_json(const RunData& run, const Analysis& analysis) {
  ordered_json out = ordered_json::object();
  out["format"] = kResultsFormat;
  out["run_id"] = to_valid_utf8(run.info.run_id);
  out["started"] = format_utc(run.info.started_ms);
  out["seed"] = run.info.seed;
  ordered_json stages = ordered_json::array();
  for (std::size_t index = 0; index < run.stages.size(); ++index)
    stages.push_back(stage_json(run.stages[index], analysis.figures[index], analysis.ladders[index],
                                run_id_of(run, run.stages[index].source)));
  out["stages"] = std::move(stages);
  out["verdicts"] = verdicts_json(analysis);
  out["controls"] = controls_json(analysis);
  out["edr_intervals"] = edr_intervals_json(analysis);
  out["ladders"] = ladders_json(analysis);
  out["costs"] = costs_json(analysis);
  out["latencies"] = latencies_json(analysis);
  out["mechanisms"] = mechanisms_json(run, analysis);
  out["tool"] = to_valid_utf8(run.info.tool);
  out["plan_hash"] = run.info.plan_hash;
  out["cells_planned"] = run.cells_planned;
  out["cells_finished"] = run.cells_finished;
  out["warnings"] = texts_json(analysis.warnings);
  out["notes"] = texts_json(run.notes);
  return out.dump(1) + "\n";
}

}  // namespace lab::report
