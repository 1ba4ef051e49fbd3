// SPDX-License-Identifier: Apache-2.0
#include "model/record_json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "core/text.hpp"
#include "model/json_fields.hpp"
#include "model/scan_json.hpp"

namespace lab {
namespace {

using json_fields::FieldReader;
using json_fields::FieldWriter;
using json_fields::Need;
using nlohmann::ordered_json;

template <class Archive, class Record>
void server_fields(Archive&& field, Record& server) {
  field("name", server.name);
  field("version", server.version);
  field("identity", server.identity);
  field("started_at", server.started_at);
}

/// Plain fields of the record from its validity to the sizes; the cell's stand before them.
template <class Archive, class Record>
void outcome_fields(Archive&& field, Record& record) {
  field("chain", record.chain, Need::kRequired);
  field("stage", record.stage, Need::kRequired);
  field("cell_id", record.cell_id, Need::kRequired);
  field("valid", record.valid, Need::kRequired);
  field("superseded", record.superseded);
  field("unsupported", record.unsupported);
  field("reason", record.reason);
  field("error_code", record.error_code);
  field("retryable", record.retryable);
  field("objects", record.objects, Need::kRequired);
  field("objects_live", record.objects_live);
  field("bytes_acked", record.bytes_acked);
  field("logical_bytes", record.logical_bytes, Need::kRequired);
  field("unique_bytes", record.unique_bytes, Need::kRequired);
  field("unique_objects", record.unique_objects);
  field("near_duplicate_bytes", record.near_duplicate_bytes);
  field("copies", record.copies);
  field("storage_copies", record.storage_copies);
  field("copies_unknown", record.copies_unknown);
  field("removed", record.removed);
  field("keeps", record.keeps);
}

template <class Archive, class Record>
void size_fields(Archive&& field, Record& record) {
  field("before_bytes", record.before_bytes);
  field("after_bytes", record.after_bytes);
  field("empty_bytes", record.empty_bytes);
  field("noise_bytes", record.noise_bytes);
  field("quantum_bytes", record.quantum_bytes);
  field("residue_bytes", record.residue_bytes);
  field("peak_bytes", record.peak_bytes);
  field("scope", record.scope);
  field("counted", record.counted);
  field("missing", record.missing);
  field("remarks", record.remarks);
  field("settled", record.settled);
  field("settle_seconds", record.settle_seconds);
  field("duration_seconds", record.duration_seconds);
}

/// What stands behind the latency.
template <class Archive, class Record>
void effort_fields(Archive&& field, Record& record) {
  field("latency_histogram", record.latency.histogram);
  field("verify_seconds", record.verify_seconds);
  field("verified", record.verified);
  field("client_wait_seconds", record.client_wait_seconds);
  field("client_bottleneck", record.client_bottleneck);
  field("client_cpu_seconds", record.client_cpu_seconds);
  field("client_read_bytes", record.client_read_bytes);
  field("client_write_bytes", record.client_write_bytes);
  field("errors", record.errors);
  field("retries", record.retries);
  field("server_seconds", record.server_seconds);
  field("maintenance", record.maintenance);
  field("seconds_to_95", record.seconds_to_95);
  field("sampler_interval_ms", record.sampler_interval_ms);
  field("sampler_cpu_seconds", record.sampler_cpu_seconds);
  field("samples", record.samples);
  field("observed", record.observed);
  field("settings", record.settings);
  field("cache_action", record.cache_action);
  field("started_ms", record.started_ms);
  field("ended_ms", record.ended_ms);
}

void write_cell(ordered_json& out, const StageRecord& record) {
  const Cell& cell = record.cell;
  const DatasetSpec& dataset = cell.dataset;
  FieldWriter field(out);
  field("system", cell.system);
  ordered_json server = ordered_json::object();
  server_fields(FieldWriter(server), record.server);
  out["server"] = std::move(server);
  field("control", cell.control);
  field("variant", cell.variant);
  field("payload", dataset.payload);
  field("dataset_seed", dataset.dataset_seed);
  const std::string size = object_size_name(dataset);
  if (sizes_vary(dataset))
    field("object_size", size);
  else
    field("object_size", dataset.object_size.low.count);
  if (cell.total_bytes) field("total_bytes", cell.total_bytes->count);
  field("grade", grade_name(dataset.grade));
  field("order", std::string(to_string(dataset.order)));
  field("placement", std::string(to_string(dataset.placement)));
  field("mode", cell.mode);
  field("cache", cell.cache);
  field("repetition", cell.repetition);
}

/// The parts of the cell that results.json has no contract for, at the end of the record.
void write_plan_of_cell(ordered_json& out, const Cell& cell) {
  FieldWriter field(out);
  field("planned_objects", cell.dataset.objects);
  field("planned_object_size", to_string(cell.dataset.object_size));
  field("popularity", to_string(cell.dataset.popularity));
  if (!cell.dataset.popularity.counts_file.empty())
    field("popularity_sha256", cell.dataset.popularity.counts_sha256);
  if (cell.dataset.compressible) field("compressible", compressible_name(*cell.dataset.compressible));
  if (cell.dataset.unit != DuplicateUnit{}) field("duplicate_unit", to_string(cell.dataset.unit));
  field("containers", cell.dataset.containers);
  ordered_json chains = ordered_json::array();
  for (const Chain& chain : cell.chains) chains.push_back(chain_name(chain));
  out["cell_chains"] = std::move(chains);
}

Error damaged(std::string detail) { return {ErrorCode::kCorruption, "record.read", std::move(detail)}; }

template <class T>
Status read_word(const char* key, Result<T> parsed, T& out) {
  if (!parsed) return damaged(fmt::format("key '{}': {}", key, parsed.error().detail));
  out = std::move(*parsed);
  return ok();
}

Status read_chains(const ordered_json& in, std::vector<Chain>& chains) {
  const auto found = in.find("cell_chains");
  if (found == in.end()) return ok();
  if (!found->is_array()) return damaged("key 'cell_chains' must be an array");
  for (const ordered_json& item : *found) {
    if (!item.is_string()) return damaged("key 'cell_chains' must hold strings");
    Chain chain;
    const auto name = item.get<std::string>();
    for (const std::string& word : name.empty() ? std::vector<std::string>{} : split(name, '>'))
      LAB_TRY(read_word("cell_chains", parse_stage_kind(word), chain.emplace_back()));
    chains.push_back(std::move(chain));
  }
  return ok();
}

/// The words of the cell that stand for something else than text.
struct CellWords {
  std::string grade{};
  std::string order{};
  std::string placement{};
  std::string size{};
  std::string popularity = "even";
  std::string popularity_sha256{};
  std::optional<std::string> compressible{};
  std::string unit = "object";
  std::optional<std::int64_t> total_bytes{};
};

Status read_cell(const ordered_json& in, std::string& problem, Cell& cell) {
  CellWords words;
  FieldReader field(in, "", problem);
  field("system", cell.system, Need::kRequired);
  field("control", cell.control);
  field("variant", cell.variant, Need::kRequired);
  field("payload", cell.dataset.payload, Need::kRequired);
  field("dataset_seed", cell.dataset.dataset_seed, Need::kRequired);
  field("total_bytes", words.total_bytes);
  field("grade", words.grade, Need::kRequired);
  field("order", words.order, Need::kRequired);
  field("placement", words.placement, Need::kRequired);
  field("mode", cell.mode, Need::kRequired);
  field("cache", cell.cache, Need::kRequired);
  field("repetition", cell.repetition, Need::kRequired);
  field("planned_objects", cell.dataset.objects, Need::kRequired);
  field("planned_object_size", words.size, Need::kRequired);
  field("popularity", words.popularity);
  field("popularity_sha256", words.popularity_sha256);
  field("compressible", words.compressible);
  field("duplicate_unit", words.unit);
  field("containers", cell.dataset.containers);
  if (!problem.empty()) return damaged(problem);
  if (words.total_bytes) cell.total_bytes = Bytes{*words.total_bytes};
  LAB_TRY(read_word("grade", parse_grade(words.grade), cell.dataset.grade));
  LAB_TRY(read_word("order", parse_order(words.order), cell.dataset.order));
  LAB_TRY(read_word("placement", parse_placement(words.placement), cell.dataset.placement));
  LAB_TRY(read_word("planned_object_size", parse_size_law(words.size), cell.dataset.object_size));
  LAB_TRY(read_word("popularity", parse_popularity(words.popularity), cell.dataset.popularity));
  cell.dataset.popularity.counts_sha256 = words.popularity_sha256;
  LAB_TRY(read_word("duplicate_unit", parse_duplicate_unit(words.unit), cell.dataset.unit));
  if (words.compressible)
    LAB_TRY(read_word("compressible", parse_compressible(*words.compressible), cell.dataset.compressible));
  return read_chains(in, cell.chains);
}

Status read_server(const ordered_json& in, std::string& problem, ServerIdentity& server) {
  const auto found = in.find("server");
  if (found == in.end()) return ok();
  if (!found->is_object()) return damaged("key 'server' must be an object");
  server_fields(FieldReader(*found, "server.", problem), server);
  return ok();
}

/// latency_us holds the count and the figures that the count could carry, side by side.
void read_latency(const ordered_json& in, std::string& problem, LatencySummary& latency) {
  const auto found = in.find("latency_us");
  if (found == in.end()) return;
  ordered_json values = *found;
  if (values.is_object()) {
    FieldReader(values, "latency_us.", problem)("count", latency.count);
    values.erase("count");
  }
  const ordered_json holder{{"latency_us", std::move(values)}};
  FieldReader(holder, "", problem)("latency_us", latency.values_us);
}

}  // namespace

ordered_json record_to_json(const StageRecord& record) {
  ordered_json out = ordered_json::object();
  write_cell(out, record);
  outcome_fields(FieldWriter(out), record);
  size_fields(FieldWriter(out), record);
  ordered_json latency = ordered_json::object();
  latency["count"] = record.latency.count;
  for (const auto& [name, value] : record.latency.values_us)
    if (std::isfinite(value)) latency[to_valid_utf8(name)] = value;
  out["latency_us"] = std::move(latency);
  effort_fields(FieldWriter(out), record);
  if (record.scan) write_scan(out, *record.scan);
  write_plan_of_cell(out, record.cell);
  return out;
}

std::string to_json_text(const StageRecord& record) { return record_to_json(record).dump(); }

Result<StageRecord> record_from_json(std::string_view text) {
  const ordered_json in = ordered_json::parse(text, nullptr, false);
  if (!in.is_object()) return damaged("the text is not a JSON object");
  StageRecord record;
  std::string problem;
  LAB_TRY(read_cell(in, problem, record.cell));
  LAB_TRY(read_server(in, problem, record.server));
  outcome_fields(FieldReader(in, "", problem), record);
  size_fields(FieldReader(in, "", problem), record);
  read_latency(in, problem, record.latency);
  effort_fields(FieldReader(in, "", problem), record);
  LAB_TRY(read_scan(in, record.scan));
  if (!problem.empty()) return damaged(problem);
  return record;
}

}  // namespace lab
