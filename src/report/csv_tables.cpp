// stages.csv, samples.csv and events.csv: fixed columns, one thing a row.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <functional>
#include <map>
#include <memory>

#include "core/text.hpp"
#include "report/csv.hpp"
#include "report/csv_files.hpp"
#include "report/figures.hpp"

namespace lab::report {
namespace {

constexpr std::array kProbes{"engine",      "engine:payload", "engine:index",   "engine:log",
                             "engine:meta", "apparent",       "files",          "files:payload",
                             "files:index", "files:log",      "files:meta",     "extents",
                             "filesystem",  "volume",         "volume:trimmed", "files:others"};

/// What a column may look at.
struct RowView {
  const StageRecord& record;
  const StageFigures& figures;
  const std::string& run_id;
  std::int64_t attempt = 0;
};

/// A column knows its name and how to fill itself, so header and row cannot drift apart.
struct Column {
  std::string name{};
  std::function<void(CsvRow&, const RowView&)> fill{};
};

template <class Map>
std::optional<typename Map::mapped_type> find_in(const Map& map, const std::string& key) {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

using Columns = std::vector<Column>;

/// A column of text, shown for every record.
template <class Get>
void add_text(Columns& columns, std::string name, Get get) {
  columns.push_back(
      {std::move(name), [get = std::move(get)](CsvRow& row, const RowView& view) { row.text(get(view)); }});
}

template <class Get>
void add_flag(Columns& columns, std::string name, Get get) {
  columns.push_back(
      {std::move(name), [get = std::move(get)](CsvRow& row, const RowView& view) { row.flag(get(view)); }});
}

/// A column of numbers that names the record, shown for every record.
template <class Get>
void add_name(Columns& columns, std::string name, Get get) {
  columns.push_back({std::move(name), [get = std::move(get)](CsvRow& row, const RowView& view) {
                       row.number(std::optional(get(view)));
                     }});
}

/// A column of measured numbers: blank unless the record is valid.
template <class Get>
void add_number(Columns& columns, std::string name, Get get) {
  columns.push_back({std::move(name), [get = std::move(get)](CsvRow& row, const RowView& view) {
                       if (view.record.valid && !view.record.unsupported)
                         row.number(std::optional(get(view)));
                       else
                         row.blank();
                     }});
}

/// "probe: text; probe: text"
std::string listed(const std::map<std::string, std::string>& texts) {
  std::vector<std::string> all;
  for (const auto& [probe, text] : texts) all.push_back(fmt::format("{}: {}", probe, text));
  return join(all, "; ");
}

template <class T>
auto of_record(T StageRecord::* field) {
  return [field](const RowView& view) { return view.record.*field; };
}

void add_identity(Columns& columns) {
  add_text(columns, "run_id", [](const RowView& view) { return view.run_id; });
  add_text(columns, "system", [](const RowView& view) { return view.record.cell.system; });
  add_text(columns, "server_name", [](const RowView& view) { return view.record.server.name; });
  add_text(columns, "server_version", [](const RowView& view) { return view.record.server.version; });
  add_text(columns, "server_identity", [](const RowView& view) { return view.record.server.identity; });
  add_flag(columns, "control", [](const RowView& view) { return view.record.cell.control; });
  add_text(columns, "variant", [](const RowView& view) { return view.record.cell.variant; });
  add_text(columns, "payload", [](const RowView& view) { return view.record.cell.dataset.payload; });
  add_name(columns, "dataset_seed",
           [](const RowView& view) { return view.record.cell.dataset.dataset_seed; });
  add_text(columns, "object_size",
           [](const RowView& view) { return object_size_name(view.record.cell.dataset); });
  columns.push_back({"total_bytes", [](CsvRow& row, const RowView& view) {
                       const auto& total = view.record.cell.total_bytes;
                       row.number(total ? std::optional(total->count) : std::nullopt);
                     }});
  add_name(columns, "planned_objects", [](const RowView& view) { return view.record.cell.dataset.objects; });
  add_text(columns, "grade", [](const RowView& view) { return grade_name(view.record.cell.dataset.grade); });
  add_text(columns, "order", [](const RowView& view) { return to_string(view.record.cell.dataset.order); });
  add_text(columns, "placement",
           [](const RowView& view) { return to_string(view.record.cell.dataset.placement); });
  add_text(columns, "mode", [](const RowView& view) { return view.record.cell.mode; });
  add_text(columns, "cache", [](const RowView& view) { return view.record.cell.cache; });
  add_name(columns, "repetition",
           [](const RowView& view) { return std::int64_t{view.record.cell.repetition}; });
  add_text(columns, "chain", of_record(&StageRecord::chain));
  add_text(columns, "stage", of_record(&StageRecord::stage));
  add_text(columns, "cell_id", of_record(&StageRecord::cell_id));
  add_name(columns, "attempt", [](const RowView& view) { return view.attempt; });
}

void add_outcome(Columns& columns) {
  add_flag(columns, "valid", of_record(&StageRecord::valid));
  add_flag(columns, "superseded", of_record(&StageRecord::superseded));
  add_flag(columns, "unsupported", of_record(&StageRecord::unsupported));
  add_text(columns, "reason", of_record(&StageRecord::reason));
  add_text(columns, "error_code", of_record(&StageRecord::error_code));
  add_name(columns, "started_ms", of_record(&StageRecord::started_ms));
  add_name(columns, "ended_ms", of_record(&StageRecord::ended_ms));
  add_number(columns, "objects", of_record(&StageRecord::objects));
  add_number(columns, "objects_live", of_record(&StageRecord::objects_live));
  add_number(columns, "bytes_acked", of_record(&StageRecord::bytes_acked));
  add_number(columns, "logical_bytes", of_record(&StageRecord::logical_bytes));
  add_number(columns, "unique_bytes", of_record(&StageRecord::unique_bytes));
  add_number(columns, "unique_objects", of_record(&StageRecord::unique_objects));
  add_number(columns, "copies", of_record(&StageRecord::copies));
  add_text(columns, "keeps", of_record(&StageRecord::keeps));
  add_number(columns, "removed", of_record(&StageRecord::removed));
}

void add_sizes(Columns& columns) {
  using Part = std::pair<const char*, ByteMap StageRecord::*>;
  const std::array<Part, 7> readings{{{"before_bytes", &StageRecord::before_bytes},
                                      {"after_bytes", &StageRecord::after_bytes},
                                      {"empty_bytes", &StageRecord::empty_bytes},
                                      {"noise_bytes", &StageRecord::noise_bytes},
                                      {"quantum_bytes", &StageRecord::quantum_bytes},
                                      {"residue_bytes", &StageRecord::residue_bytes},
                                      {"peak_bytes", &StageRecord::peak_bytes}}};
  for (const std::string probe : kProbes) {
    for (const auto& [name, field] : readings)
      add_number(columns, fmt::format("{}:{}", name, probe),
                 [probe, field = field](const RowView& view) { return find_in(view.record.*field, probe); });
    add_number(columns, "stored_bytes:" + probe,
               [probe](const RowView& view) { return find_in(view.figures.stored_bytes, probe); });
    add_number(columns, "edr:" + probe,
               [probe](const RowView& view) { return find_in(view.figures.edr, probe); });
    add_number(columns, "edr_cluster:" + probe,
               [probe](const RowView& view) { return find_in(view.figures.edr_cluster, probe); });
  }
  add_text(columns, "missing", [](const RowView& view) {
    return listed(view.figures.missing.empty() ? view.record.missing : view.figures.missing);
  });
}

void add_times(Columns& columns) {
  add_flag(columns, "settled", of_record(&StageRecord::settled));
  add_number(columns, "settle_seconds", of_record(&StageRecord::settle_seconds));
  add_number(columns, "duration_seconds", of_record(&StageRecord::duration_seconds));
  add_number(columns, "freed_share", [](const RowView& view) { return view.figures.eta_free; });
  add_number(columns, "reuse_share", [](const RowView& view) { return view.figures.reuse_share; });
  add_number(columns, "seconds_to_95", of_record(&StageRecord::seconds_to_95));
  add_number(columns, "latency_count", [](const RowView& view) { return view.record.latency.count; });
  for (const std::string name : {"min", "p50", "p90", "p95", "p99", "p99.9", "max", "mean"})
    add_number(columns, "latency_us_" + name,
               [name](const RowView& view) { return find_in(view.record.latency.values_us, name); });
}

void add_effort(Columns& columns) {
  add_number(columns, "verify_seconds", of_record(&StageRecord::verify_seconds));
  add_text(columns, "verified", of_record(&StageRecord::verified));
  add_number(columns, "client_wait_seconds", of_record(&StageRecord::client_wait_seconds));
  add_flag(columns, "client_bottleneck", of_record(&StageRecord::client_bottleneck));
  add_number(columns, "client_cpu_seconds", of_record(&StageRecord::client_cpu_seconds));
  add_number(columns, "client_read_bytes", of_record(&StageRecord::client_read_bytes));
  add_number(columns, "client_write_bytes", of_record(&StageRecord::client_write_bytes));
  add_name(columns, "errors", of_record(&StageRecord::errors));
  add_name(columns, "retries", of_record(&StageRecord::retries));
  add_text(columns, "maintenance", of_record(&StageRecord::maintenance));
  add_number(columns, "sampler_interval_ms", of_record(&StageRecord::sampler_interval_ms));
  add_number(columns, "sampler_cpu_seconds", of_record(&StageRecord::sampler_cpu_seconds));
  add_number(columns, "samples", of_record(&StageRecord::samples));
  add_text(columns, "cache_action", of_record(&StageRecord::cache_action));
  add_number(columns, "storage_copies", of_record(&StageRecord::storage_copies));
  add_text(columns, "copies_unknown", of_record(&StageRecord::copies_unknown));
  add_text(columns, "remarks", [](const RowView& view) { return listed(view.record.remarks); });
  add_text(columns, "counted", [](const RowView& view) { return listed(view.record.counted); });
  add_number(columns, "near_duplicate_bytes", of_record(&StageRecord::near_duplicate_bytes));
}

Columns stage_columns() {
  Columns columns;
  add_identity(columns);
  add_outcome(columns);
  add_sizes(columns);
  add_times(columns);
  add_effort(columns);
  return columns;
}

std::string header_of(const Columns& columns) {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name);
  return csv_header(names);
}

std::string sample_row(const StageRecord& record, const Sample& sample) {
  CsvRow row;
  row.number(std::optional(sample.timestamp_ms)).text(record.cell.system).text(sample.metric);
  row.number(std::optional(sample.value)).text(sample.unit).text(record.cell_id);
  return row.take();
}

std::string event_row(const Event& event) {
  CsvRow row;
  row.number(std::optional(event.timestamp_ms)).text(event.type).text(event.system).text(event.payload);
  row.text(event.grade).text(event.stage).text(event.detail);
  return row.take();
}

/// Journals that stay open over all records of their directory.
class SampleSource {
 public:
  explicit SampleSource(const RunData& run) : run_(run) {}

  Result<std::vector<Sample>> samples(const StageRow& row) {
    if (row.source >= run_.directories.size()) return std::vector<Sample>{};
    auto& reader = readers_[row.source];
    if (!reader) {
      auto opened = JournalReader::open(run_.directories[row.source]);
      if (!opened) return std::move(opened).error();
      reader = std::move(*opened);
    }
    return reader->samples(row.stage_id);
  }

 private:
  const RunData& run_;
  std::map<std::size_t, std::unique_ptr<JournalReader>> readers_{};
};

}  // namespace

Status write_stages_csv(const RunData& run, const Analysis& analysis, const std::filesystem::path& path) {
  const Columns columns = stage_columns();
  auto file = StreamedFile::create(path);
  if (!file) return std::move(file).error();
  LAB_TRY(file->write(header_of(columns)));
  for (std::size_t index = 0; index < run.stages.size(); ++index) {
    const StageRow& stage = run.stages[index];
    const RowView view{stage.record, analysis.figures[index], run_id_of(run, stage.source), stage.attempt};
    CsvRow row;
    for (const Column& column : columns) column.fill(row, view);
    LAB_TRY(file->write(row.take()));
  }
  return file->commit();
}

Status write_samples_csv(const RunData& run, const std::filesystem::path& path) {
  auto file = StreamedFile::create(path);
  if (!file) return std::move(file).error();
  LAB_TRY(file->write("timestamp_ms,system,metric,value,unit,cell\n"));
  SampleSource source(run);
  for (const StageRow& stage : run.stages) {
    if (stage.record.superseded) continue;
    const auto samples = source.samples(stage);
    if (!samples) return samples.error();
    for (const Sample& sample : *samples) LAB_TRY(file->write(sample_row(stage.record, sample)));
  }
  return file->commit();
}

namespace {

/// Begin and end of a stage, as its record tells them. One that never ran has neither.
void add_events_of(const StageRecord& record, std::vector<Event>& events) {
  if (record.started_ms == 0 || record.unsupported) return;
  Event event{.timestamp_ms = record.started_ms,
              .type = "stage_started",
              .system = record.cell.system,
              .payload = record.cell.dataset.payload,
              .grade = grade_name(record.cell.dataset.grade),
              .stage = record.stage,
              .detail = record.cell_id};
  events.push_back(event);
  event.timestamp_ms = record.ended_ms;
  event.type = "stage_finished";
  const char* const outcome = record.valid ? "valid" : record.superseded ? "superseded" : "invalid";
  event.detail = record.reason.empty() ? outcome : std::string(outcome) + ": " + record.reason;
  events.push_back(std::move(event));
}

}  // namespace

Status write_events_csv(const RunData& run, const std::filesystem::path& path) {
  auto file = StreamedFile::create(path);
  if (!file) return std::move(file).error();
  LAB_TRY(file->write("timestamp_ms,event_type,system,payload_type,dup_grade,stage,detail\n"));
  std::vector<Event> events = run.events;
  for (const StageRow& stage : run.stages) add_events_of(stage.record, events);
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.timestamp_ms < b.timestamp_ms; });
  for (const Event& event : events) LAB_TRY(file->write(event_row(event)));
  return file->commit();
}

}  // namespace lab::report
