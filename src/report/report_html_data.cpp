// The data of the page as JSON: each text once, each figure as a number or null, each record by its numbers.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "model/cell.hpp"
#include "report/pairs.hpp"
#include "report/report_html_parts.hpp"

namespace lab::report {
namespace {

using nlohmann::json;

constexpr int kPageFormat = 1;

/// Every distinct text once; reasons repeat thousands of times in a large run.
class Texts {
 public:
  std::size_t index(const std::string& text) {
    const auto [place, added] = places_.try_emplace(text, list_.size());
    if (added) list_.push_back(text);
    return place->second;
  }
  const std::vector<std::string>& list() const { return list_; }

 private:
  std::map<std::string, std::size_t> places_{};
  std::vector<std::string> list_{};
};

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

/// Six significant digits: more than any chart shows, half the text of a double. Not finite: null.
json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == 0) return 0;
  const double scale = std::pow(10.0, 5 - std::floor(std::log10(std::abs(value))));
  const double short_value = std::round(value * scale) / scale;
  return std::isfinite(short_value) ? short_value : value;
}

json rounded(const std::optional<double>& value) { return value ? rounded(*value) : json(nullptr); }

json rounded(const std::vector<double>& values) {
  json list = json::array();
  for (const double value : values) list.push_back(rounded(value));
  return list;
}

/// What all of the page refers to by number.
struct Tables {
  Texts texts{};
  Texts probes{};
  std::set<std::string> servers{};
  json server_list = json::array();
  std::map<std::string, std::size_t> points{};
  json point_list = json::array();
};

/// Dimensions of a matrix point, as both a group and a record that no group holds have them.
json point_json(const StageRecord& record) {
  const Cell& cell = record.cell;
  return {{"system", cell.system},
          {"variant", cell.variant},
          {"payload", cell.dataset.payload},
          {"size", object_size_name(cell.dataset)},
          {"unit", to_string(cell.dataset.unit)},
          {"total", cell.total_bytes ? json(cell.total_bytes->count) : json(nullptr)},
          {"objects", cell.dataset.objects},
          {"grade", grade_name(cell.dataset.grade)},
          {"order", to_string(cell.dataset.order)},
          {"placement", to_string(cell.dataset.placement)},
          {"mode", cell.mode},
          {"cache", cell.cache},
          {"chain", record.chain},
          {"stage", record.stage},
          {"control", cell.control}};
}

json point_json(const Group& group) {
  return {
      {"system", group.system},       {"variant", group.variant},     {"payload", group.payload},
      {"size", group.object_size},    {"unit", group.duplicate_unit}, {"total", or_null(group.total_bytes)},
      {"objects", group.objects},     {"grade", group.grade},         {"order", group.order},
      {"placement", group.placement}, {"mode", group.mode},           {"cache", group.cache},
      {"chain", group.chain},         {"stage", group.stage},         {"control", group.control}};
}

json verdict_json(const Verdict& verdict, Tables& tables) {
  json out = {{"eta", rounded(verdict.eta)},
              {"low", rounded(verdict.low)},
              {"high", rounded(verdict.high)},
              {"n", verdict.n},
              {"word", to_string(verdict.word)}};
  if (!verdict.reason.empty()) out["reason"] = tables.texts.index(verdict.reason);
  if (verdict.removed) out["removed"] = *verdict.removed;
  if (verdict.of) out["of"] = *verdict.of;
  return out;
}

json ladder_json(const LadderSummary& ladder, Tables& tables) {
  json out = {{"n", ladder.n}, {"whole", rounded(ladder.whole)}, {"steps", json::array()}};
  for (const MeanStep& step : ladder.steps)
    out["steps"].push_back(
        {step.above, step.rung, rounded(step.factor), rounded(step.low), rounded(step.high)});
  for (const auto& [rung, why] : ladder.left_out) out["left_out"].push_back({rung, tables.texts.index(why)});
  if (!ladder.broken.empty()) out["broken"] = tables.texts.index(ladder.broken);
  if (ladder.vanishing)
    out["vanish"] = {to_string(ladder.vanishing->word), ladder.vanishing->rung,
                     tables.texts.index(ladder.vanishing->reason)};
  return out;
}

json cost_json(const CopyCost& cost, Tables& tables) {
  json out = {{"quantity", cost.quantity}};
  if (!cost.refused.empty()) out["refused"] = tables.texts.index(describe_refused(cost.refused, "block"));
  if (!cost.copy) return out;
  const auto interval = [](const Estimate& figure) {
    return json{rounded(figure.mean), rounded(figure.low), rounded(figure.high)};
  };
  if (!cost.copy->no_interval.empty()) out["no_interval"] = tables.texts.index(cost.copy->no_interval);
  out["n"] = cost.copy->n;
  out["copy"] = interval(*cost.copy);
  out["original"] = interval(*cost.original);
  return out;
}

json latency_json(const LatencyFigure& figure, Tables& tables) {
  json out = {{"n", figure.n}};
  if (figure.median_us) out["median"] = rounded(*figure.median_us);
  if (figure.low) out["low"] = rounded(*figure.low);
  if (figure.high) out["high"] = rounded(*figure.high);
  if (figure.cliffs_delta) out["delta"] = rounded(*figure.cliffs_delta);
  if (!figure.missing.empty()) out["missing"] = tables.texts.index(figure.missing);
  return out;
}

void add_answers(json& point, const Group& group, Tables& tables) {
  if (group.ladder) {
    point["ladder"] = ladder_json(*group.ladder, tables);
    for (const auto& [probe, scope] : group.ladder->scope) point["scope"][probe] = scope;
  }
  for (const CopyCost& cost : group.costs) point["costs"].push_back(cost_json(cost, tables));
  for (const auto& [percentile, figure] : group.latencies)
    point["latencies"][percentile] = latency_json(figure, tables);
}

void add_group(const Group& group, Tables& tables) {
  json point = point_json(group);
  const std::string key = point.dump(-1, ' ', false, json::error_handler_t::replace);
  const auto [place, added] = tables.points.try_emplace(key, tables.point_list.size());
  if (!added) return;
  point["rows"] = group.rows;
  if (group.edr_max > 0) point["edr_max"] = rounded(group.edr_max);
  for (const auto& [probe, edr] : group.edr)
    point["edr"][probe] = {
        rounded(edr.mean), rounded(edr.low), rounded(edr.high), edr.n,
        edr.no_interval.empty() ? json(nullptr) : json(tables.texts.index(edr.no_interval))};
  for (const auto& [probe, verdict] : group.verdicts)
    point["verdicts"][probe] = verdict_json(verdict, tables);
  for (const auto& [probe, etas] : group.etas)
    if (point["verdicts"].contains(probe)) point["verdicts"][probe]["etas"] = rounded(etas);
  add_answers(point, group, tables);
  tables.point_list.push_back(std::move(point));
}

/// The matrix point of a record; a new one for a record that no group holds (all superseded).
std::size_t point_of(const StageRecord& record, Tables& tables) {
  json point = point_json(record);
  const std::string key = point.dump(-1, ' ', false, json::error_handler_t::replace);
  const auto [place, added] = tables.points.try_emplace(key, tables.point_list.size());
  if (added) {
    point["rows"] = json::array();
    tables.point_list.push_back(std::move(point));
  }
  return place->second;
}

/// Who answered and how it was set, each once.
void note_server(const StageRecord& record, Tables& tables) {
  json server = {{"system", record.cell.system},       {"variant", record.cell.variant},
                 {"name", record.server.name},         {"version", record.server.version},
                 {"identity", record.server.identity}, {"settings", record.settings},
                 {"cache_action", record.cache_action}};
  const std::string key = server.dump(-1, ' ', false, json::error_handler_t::replace);
  if (!tables.servers.insert(key).second) return;
  server["observed"] = record.observed;  // Changes with each stage: the first one stands for all.
  tables.server_list.push_back(std::move(server));
}

/// Bytes by probe number, null where not measured; shorter than the probes where the rest is not measured.
json by_probe(const ByteMap& bytes, Tables& tables) {
  json out = json::array();
  for (const auto& [probe, value] : bytes) {
    const std::size_t at = tables.probes.index(probe);
    while (out.size() <= at) out.push_back(nullptr);
    out[at] = value;
  }
  return out;
}

int state_of(const StageRecord& record) {
  if (record.superseded) return 2;
  if (record.unsupported) return 3;
  return record.valid ? 0 : 1;
}

void add_missing(json& out, const StageRecord& record, const StageFigures& figures, Tables& tables) {
  std::map<std::string, std::string> missing = record.missing;
  missing.insert(figures.missing.begin(), figures.missing.end());
  for (const auto& [probe, reason] : missing)
    out["missing"].push_back({tables.probes.index(probe), tables.texts.index(reason)});
}

json census_json(const CensusFigures& census, Tables& tables) {
  json out = {{"uncountable", census.uncountable}, {"copies", census.copies_expected},
              {"whole", census.copies_whole},      {"by_bytes", rounded(census.copies_by_bytes)},
              {"expected", census.expected_bytes}, {"located", census.located_bytes}};
  if (census.gone)
    out["gone"] = {census.gone->originals, census.gone->copies_whole, census.gone->located_bytes};
  for (const CensusPart& part : census.parts)
    out["parts"].push_back({tables.texts.index(part.name), part.scanned_bytes, part.located_bytes});
  return out;
}

json scan_json(const StageScan& scan, Tables& tables) {
  if (!scan.missing.empty()) return {{"missing", tables.texts.index(scan.missing)}};
  json out = {{"rows", json::array()}, {"seconds", rounded(scan.seconds)}};
  for (const ChunkRow& row : scan.rows)
    out["rows"].push_back({tables.texts.index(chunker_name(row.chunker)),
                           tables.texts.index(row.figures.name), row.figures.bytes, row.figures.unique_bytes,
                           row.figures.zero_bytes, row.chunker.align});
  if (scan.census) out["census"] = census_json(*scan.census, tables);
  return out;
}

/// Figures of one valid record. Those of others enter nothing and so do not reach the page.
void add_figures(json& out, const StageRecord& record, const StageFigures& figures, Tables& tables) {
  out["acked"] = record.bytes_acked;
  out["L"] = record.logical_bytes;
  out["stored"] = by_probe(figures.stored_bytes, tables);
  out["seconds"] = rounded(record.duration_seconds);
  out["cpu"] = rounded(record.client_cpu_seconds);
  for (const auto& [statement, seconds] : record.server_seconds) out["server"][statement] = rounded(seconds);
  if (record.client_bottleneck) out["bottleneck"] = true;
  for (const auto& [name, value] : record.latency.values_us) out["latency"][name] = rounded(value);
  if (record.latency.count > 0) out["latency_count"] = record.latency.count;
  if (figures.eta_free) out["freed"] = rounded(*figures.eta_free);
  if (figures.reuse_share) out["reuse"] = rounded(*figures.reuse_share);
  if (!record.maintenance.empty()) out["maintenance"] = tables.texts.index(record.maintenance);
  if (record.seconds_to_95) out["to_95"] = rounded(*record.seconds_to_95);
  const auto peak = record.peak_bytes.find("files");
  if (peak != record.peak_bytes.end()) out["peak"] = peak->second;
  if (record.scan) out["scan"] = scan_json(*record.scan, tables);
}

json row_json(const StageRow& row, const StageFigures& figures, Tables& tables) {
  const StageRecord& record = row.record;
  const int state = state_of(record);
  json out = {{"point", point_of(record, tables)},
              {"repetition", record.cell.repetition},
              {"attempt", row.attempt},
              {"state", state},
              {"objects", record.objects}};
  note_server(record, tables);
  if (!record.reason.empty()) out["reason"] = tables.texts.index(record.reason);
  if (!record.error_code.empty()) out["code"] = record.error_code;
  if (state != 3) add_missing(out, record, figures, tables);
  if (state == 0) add_figures(out, record, figures, tables);
  return out;
}

/// Times and values as differences to the one before: half the size of the plain numbers.
json line_json(const std::vector<CurvePoint>& line) {
  json times = json::array(), values = json::array();
  std::int64_t time = 0, value = 0;
  for (const CurvePoint& point : line) {
    const auto rounded = static_cast<std::int64_t>(point.value);
    times.push_back(point.time_ms - time);
    values.push_back(rounded - value);
    time = point.time_ms;
    value = rounded;
  }
  return {std::move(times), std::move(values)};
}

json curves_json(const RunData& run, const Curves& curves, Tables& tables) {
  json list = json::array();
  for (const Curve& curve : curves.list) {
    const StageRecord& record = run.stages[curve.stages.front().row].record;
    json out = {{"point", point_of(record, tables)}, {"repetition", record.cell.repetition}};
    for (const StageSpan& span : curve.stages)
      out["stages"].push_back({run.stages[span.row].record.stage, span.begin_ms, span.end_ms});
    for (const auto& [metric, line] : curve.lines) out["lines"][metric] = line_json(line);
    list.push_back(std::move(out));
  }
  return {{"list", std::move(list)},
          {"limit", curves.points_limit},
          {"thinned", curves.lines_thinned},
          {"unread", curves.rows_unread},
          {"unread_reason", curves.unread_reason}};
}

json controls_json(const Analysis& analysis) {
  json list = json::array();
  for (const ControlOutcome& control : analysis.controls)
    list.push_back({{"payload", control.payload},
                    {"grade", control.grade},
                    {"probe", control.probe},
                    {"files", rounded(control.eta_files)},
                    {"cas", rounded(control.eta_cas)},
                    {"passed", control.passed},
                    {"reason", control.reason}});
  return list;
}

json run_json(const RunData& run, const std::vector<std::string>& warnings) {
  json directories = json::array();
  for (const auto& directory : run.directories) directories.push_back(directory.string());
  return {{"id", run.info.run_id},
          {"question", plan_question(run.info.plan_toml)},
          {"started", format_utc(run.info.started_ms)},
          {"seed", std::to_string(run.info.seed)},  // 64 bits, which a number of JavaScript does not hold.
          {"tool", run.info.tool},
          {"plan", run.info.plan_toml},
          {"plan_hash", run.info.plan_hash},
          {"journal_format", run.info.format},
          {"planned", run.cells_planned},
          {"finished", run.cells_finished},
          {"directories", std::move(directories)},
          {"notes", run.notes},
          {"warnings", warnings}};
}

json answers_json(const Analysis& analysis) {
  json list = json::array();
  for (const Answer& answer : answers(analysis)) {
    json etas = json::array();
    for (const Verdict& verdict : answer.verdicts)
      if (verdict.eta) etas.push_back({rounded(*verdict.eta), rounded(verdict.low), rounded(verdict.high)});
    list.push_back({{"word", answer.word},
                    {"name", answer.name},
                    {"claim", answer.claim},
                    {"where", answer.where},
                    {"figures", answer.figures},
                    {"etas", std::move(etas)}});
  }
  return list;
}

json environment_json(const RunData& run) {
  json parsed = json::parse(run.environment_json, nullptr, false);
  return parsed.is_discarded() ? json{{"unreadable", run.environment_json}} : parsed;
}

}  // namespace

std::string page_data(const RunData& run, const Analysis& analysis, const Curves& curves) {
  Tables tables;
  for (const Group& group : analysis.groups) add_group(group, tables);
  json rows = json::array();
  static const StageFigures kNoFigures;
  for (std::size_t i = 0; i < run.stages.size(); ++i)
    rows.push_back(
        row_json(run.stages[i], i < analysis.figures.size() ? analysis.figures[i] : kNoFigures, tables));
  json page = {{"format", kPageFormat},
               {"run", run_json(run, analysis.warnings)},
               {"answers", answers_json(analysis)},
               {"counts",
                {{"valid", analysis.valid},
                 {"invalid", analysis.invalid},
                 {"superseded", analysis.superseded},
                 {"unsupported", analysis.unsupported}}},
               {"rows", std::move(rows)},
               {"curves", curves_json(run, curves, tables)},
               {"controls", controls_json(analysis)},
               {"environment", environment_json(run)}};
  page["points"] = std::move(tables.point_list);
  page["servers"] = std::move(tables.server_list);
  page["texts"] = tables.texts.list();
  page["probes"] = tables.probes.list();
  return page.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace lab::report
