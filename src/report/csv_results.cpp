// results.csv in long form: what a record has decides the rows it gives, never the columns.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <set>

#include "core/time.hpp"
#include "report/csv.hpp"
#include "report/csv_files.hpp"
#include "report/figures.hpp"

namespace lab::report {
namespace {

const std::vector<std::string>& columns() {
  static const std::vector<std::string> names{
      "timestamp", "run_id",      "system", "variant",    "data_type", "data_size_gb", "dup_ratio",
      "placement", "cache_state", "stage",  "replica_id", "metric",    "value",        "unit",
      "mode",      "repetition",  "valid",  "order",      "chain",     "cell_id"};
  return names;
}

struct Metric {
  std::string name{};
  std::optional<std::string> value{};
  std::string_view unit{};
};

template <class T>
std::optional<std::string> text_of(const std::optional<T>& value) {
  if (!value) return std::nullopt;
  if constexpr (std::is_same_v<T, double>)
    return number_text(*value);
  else
    return fmt::format("{}", *value);
}

template <class Map>
std::optional<typename Map::mapped_type> find_in(const Map& map, const std::string& key) {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

/// Collects the metrics of one record. A record that is not valid has the same metrics, all of them blank.
class MetricList {
 public:
  explicit MetricList(bool valid) : valid_(valid) {}

  template <class T>
  void add(std::string name, const std::optional<T>& value, std::string_view unit) {
    metrics_.push_back({std::move(name), valid_ ? text_of(value) : std::nullopt, unit});
  }
  template <class T>
  void add(std::string name, const T& value, std::string_view unit) {
    add(std::move(name), std::optional<T>(value), unit);
  }

  const std::vector<Metric>& metrics() const { return metrics_; }

 private:
  bool valid_;
  std::vector<Metric> metrics_{};
};

std::optional<double> quotient(double above, double below) {
  if (below <= 0) return std::nullopt;
  return above / below;
}

void add_amounts(const StageRecord& record, MetricList& list) {
  list.add("duration_seconds", record.duration_seconds, "s");
  list.add("objects", record.objects, "objects");
  list.add("objects_live", record.objects_live, "objects");
  list.add("bytes_acked", record.bytes_acked, "bytes");
  list.add("logical_bytes", record.logical_bytes, "bytes");
  list.add("unique_bytes", record.unique_bytes, "bytes");
  if (record.near_duplicate_bytes > 0) list.add("near_duplicate_bytes", record.near_duplicate_bytes, "bytes");
  if (record.logical_bytes > 0) list.add("edr_max", largest_ratio(record), "ratio");
  list.add("copies", record.copies, "copies");
  if (record.storage_copies || !record.copies_unknown.empty())
    list.add("storage_copies", record.storage_copies, "copies");
  if (record.removed) list.add("removed", record.removed, "objects");
  list.add("objects_per_second", quotient(static_cast<double>(record.objects), record.duration_seconds),
           "objects/s");
  list.add("megabytes_per_second",
           quotient(static_cast<double>(record.bytes_acked) / 1e6, record.duration_seconds), "MB/s");
}

void add_effort(const StageRecord& record, MetricList& list) {
  list.add("settle_seconds", record.settle_seconds, "s");
  list.add("verify_seconds", record.verify_seconds, "s");
  list.add("client_wait_seconds", record.client_wait_seconds, "s");
  list.add("client_cpu_seconds", record.client_cpu_seconds, "s");
  list.add("client_read_bytes", record.client_read_bytes, "bytes");
  list.add("client_write_bytes", record.client_write_bytes, "bytes");
  list.add("errors", record.errors, "errors");
  list.add("retries", record.retries, "retries");
  list.add("samples", record.samples, "samples");
  list.add("sampler_interval_ms", record.sampler_interval_ms, "ms");
  list.add("sampler_cpu_seconds", record.sampler_cpu_seconds, "s");
  for (const auto& [statement, seconds] : record.server_seconds)
    list.add("server_seconds:" + statement, seconds, "s");
}

void add_latency(const StageRecord& record, MetricList& list) {
  if (record.latency.count == 0) return;
  list.add("latency_count", record.latency.count, "operations");
  for (const char* name : {"min", "p50", "p90", "p95", "p99", "p99.9", "max", "mean"})
    list.add(fmt::format("latency_us_{}", name), find_in(record.latency.values_us, name), "us");
}

void add_shares(const StageRecord& record, const StageFigures& figures, MetricList& list) {
  const auto kind = parse_stage_kind(record.stage);
  if (!kind) return;
  if (is_delete(*kind) || *kind == StageKind::kMaintenance) {
    list.add("freed_share", figures.eta_free, "share");
    list.add("seconds_to_95", record.seconds_to_95, "s");
  }
  if (*kind == StageKind::kRefill) list.add("reuse_share", figures.reuse_share, "share");
}

void add_sizes(const StageRecord& record, const StageFigures& figures, MetricList& list) {
  std::set<std::string> probes{std::string(kHeadlineProbe)};
  for (const ByteMap* readings : {&record.before_bytes, &record.after_bytes, &record.empty_bytes})
    for (const auto& [probe, bytes] : *readings) probes.insert(probe);
  for (const auto& [probe, why] : record.missing) probes.insert(probe);
  for (const std::string& probe : probes) {
    list.add("before_bytes:" + probe, find_in(record.before_bytes, probe), "bytes");
    list.add("after_bytes:" + probe, find_in(record.after_bytes, probe), "bytes");
    list.add("empty_bytes:" + probe, find_in(record.empty_bytes, probe), "bytes");
    list.add("stored_bytes:" + probe, find_in(figures.stored_bytes, probe), "bytes");
    if (const auto noise = find_in(record.noise_bytes, probe))
      list.add("noise_bytes:" + probe, noise, "bytes");
    if (const auto peak = find_in(record.peak_bytes, probe)) list.add("peak_bytes:" + probe, peak, "bytes");
    if (record.valid && record.logical_bytes == 0) continue;  // Where L = 0 there is no EDR.
    list.add("edr:" + probe, find_in(figures.edr, probe), "ratio");
    list.add("edr_cluster:" + probe, find_in(figures.edr_cluster, probe), "ratio");
  }
}

/// From rung to rung; none where L = 0.
void add_ladder(const std::optional<Ladder>& ladder, MetricList& list) {
  if (!ladder) return;
  for (const LadderStep& step : ladder->steps)
    list.add(fmt::format("factor:{}/{}", step.above, step.rung), step.factor, "ratio");
}

MetricList metrics_of(const StageRecord& record, const StageFigures& figures,
                      const std::optional<Ladder>& ladder) {
  MetricList list(counts(record));
  add_amounts(record, list);
  add_sizes(record, figures, list);
  add_ladder(ladder, list);
  add_shares(record, figures, list);
  add_latency(record, list);
  add_effort(record, list);
  return list;
}

std::string metric_row(const StageRecord& record, const std::string& run_id, const Metric& metric) {
  const Cell& cell = record.cell;
  CsvRow row;
  row.text(format_utc(record.ended_ms))
      .text(run_id)
      .text(cell.system)
      .text(cell.variant)
      .text(cell.dataset.payload);
  if (counts(record))
    row.number(std::optional(static_cast<double>(record.logical_bytes) / 1e9));
  else
    row.blank();
  row.text(grade_name(cell.dataset.grade)).text(to_string(cell.dataset.placement)).text(cell.cache);
  row.text(record.stage).blank().text(metric.name);
  // Made by number_text or as an integer, so it needs no quoting and keeps its sign.
  row.raw(metric.value.value_or(""));
  row.text(metric.unit)
      .text(cell.mode)
      .number(std::optional(std::int64_t{cell.repetition}))
      .flag(counts(record));
  row.text(to_string(cell.dataset.order)).text(record.chain).text(record.cell_id);
  return row.take();
}

}  // namespace

Status write_results_csv(const RunData& run, const Analysis& analysis, const std::filesystem::path& path) {
  auto file = StreamedFile::create(path);
  if (!file) return std::move(file).error();
  LAB_TRY(file->write(csv_header(columns())));
  for (std::size_t index = 0; index < run.stages.size(); ++index) {
    const StageRow& stage = run.stages[index];
    if (stage.record.superseded) continue;
    const MetricList list = metrics_of(stage.record, analysis.figures[index], analysis.ladders[index]);
    for (const Metric& metric : list.metrics())
      LAB_TRY(file->write(metric_row(stage.record, run_id_of(run, stage.source), metric)));
  }
  return file->commit();
}

}  // namespace lab::report
