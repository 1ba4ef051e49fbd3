// Reading one journal is plain; uniting several means that each cell counts once and every doubt is named.
// SPDX-License-Identifier: Apache-2.0
#include "report/run_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "core/files.hpp"
#include "report/plan_shape.hpp"

namespace lab::report {
namespace {

/// One directory, open for the time of loading.
struct Source {
  std::filesystem::path directory{};
  std::unique_ptr<JournalReader> reader{};
  PlanShape shape{};
  std::uint64_t cells_planned = 0;
  bool planned_known = false;
  std::map<std::string, bool> finished{};
  std::set<std::string> control_cells{};
};

/// What uniting has to remember from directory to directory.
struct Union {
  std::map<std::string, std::size_t> owner{};  // Cell -> index of the directory whose records count.
  std::map<std::size_t, std::uint64_t>
      controls_again{};  // Directory -> control cells that an earlier one has.
  std::set<std::string> conflicts{};
};

Result<Source> open_source(const std::filesystem::path& directory) {
  Source source;
  source.directory = directory;
  auto reader = JournalReader::open(directory);
  if (!reader) return std::move(reader).error();
  source.reader = std::move(*reader);
  auto shape = read_plan_shape(source.reader->info().plan_toml);
  if (!shape) {
    Error error = shape.error();
    error.detail = directory.string() + ": the plan in the journal cannot be read: " + error.detail;
    return error;
  }
  source.shape = std::move(*shape);
  auto finished = source.reader->finished_cells();
  if (!finished) return std::move(finished).error();
  source.finished = std::move(*finished);
  const auto planned = source.reader->value("cells_planned");
  if (!planned) return planned.error();
  if (!*planned) return source;
  const std::string& text = **planned;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), source.cells_planned);
  source.planned_known = code == std::errc{} && end == text.data() + text.size();
  return source;
}

Status check_same_plan(const std::vector<Source>& sources) {
  const Source& first = sources.front();
  for (std::size_t other = 1; other < sources.size(); ++other) {
    const Source& second = sources[other];
    const auto pair = fmt::format("{} and {}", first.directory.string(), second.directory.string());
    if (const auto difference = first_difference(first.shape.settings, second.shape.settings))
      return Error{ErrorCode::kInvalidArgument, "report",
                   fmt::format("{} are not of one plan: {}", pair, *difference)};
    for (std::size_t earlier = 0; earlier < other; ++earlier)
      if (sources[earlier].reader->info().run_id == second.reader->info().run_id)
        return Error{ErrorCode::kInvalidArgument, "report",
                     fmt::format("{} and {} are the same run ({})", sources[earlier].directory.string(),
                                 second.directory.string(), second.reader->info().run_id)};
  }
  return ok();
}

/// One system name under two configurations would look like one system in every table.
void note_other_settings(const std::vector<Source>& sources, RunData& run) {
  for (std::size_t later = 1; later < sources.size(); ++later)
    for (std::size_t earlier = 0; earlier < later; ++earlier)
      for (const auto& [system, settings] : sources[later].shape.systems) {
        const auto same = sources[earlier].shape.systems.find(system);
        if (same == sources[earlier].shape.systems.end()) continue;
        if (const auto difference = first_difference(same->second, settings))
          run.notes.push_back(fmt::format("system '{}' is configured differently in {} and {}: {}", system,
                                          sources[earlier].directory.string(),
                                          sources[later].directory.string(), *difference));
      }
}

/// Keeps the record of a cell that an earlier directory has, marked: the first one counts.
void yield_to_owner(const std::vector<Source>& sources, std::size_t owner, Union& united, RunData& run,
                    StageRow& row) {
  const std::string first = sources[owner].directory.string();
  row.record.superseded = true;
  row.counted_elsewhere = true;
  row.record.reason = "the cell stands finished in " + first + " too";
  const bool is_new = united.conflicts.insert(fmt::format("{} {}", row.source, row.record.cell_id)).second;
  if (!is_new) return;
  if (row.record.cell.control)
    united.controls_again[row.source] += 1;  // Every run has them; one line for all.
  else
    run.notes.push_back(fmt::format("conflict: cell {} stands finished in {} and {}; the first one counts",
                                    row.record.cell_id, first, sources[row.source].directory.string()));
}

/// Of a long stage the sampler keeps one round of two, four, ... Each round has the metric `acked_objects`.
std::int64_t kept_every(std::uint64_t rounds, std::span<const Sample> samples) {
  const auto kept = static_cast<std::uint64_t>(std::count_if(
      samples.begin(), samples.end(), [](const Sample& sample) { return sample.metric == "acked_objects"; }));
  if (kept == 0) return 1;
  return static_cast<std::int64_t>(std::bit_ceil((rounds + kept - 1) / kept));
}

Status load_records(std::vector<Source>& sources, std::size_t index, Union& united, RunData& run) {
  Source& source = sources[index];
  LAB_TRY(source.reader->each_stage([&](const StoredStage& stored) -> Status {
    StageRow row{.record = stored.record, .source = index, .stage_id = stored.id, .attempt = stored.attempt};
    if (source.shape.sample_interval && !row.record.superseded && row.record.samples > 0) {
      const auto samples = source.reader->samples(row.stage_id);
      if (!samples) return samples.error();
      row.sampling_gap = find_sampling_gap(
          *samples, *source.shape.sample_interval * kept_every(row.record.samples, *samples));
    }
    if (row.record.cell.control) source.control_cells.insert(row.record.cell_id);
    if (!row.record.superseded) {
      const auto [owner, is_new] = united.owner.try_emplace(row.record.cell_id, index);
      if (owner->second != index) yield_to_owner(sources, owner->second, united, run, row);
    }
    run.stages.push_back(std::move(row));
    return ok();
  }));
  return source.reader->each_event([&](const Event& event) {
    run.events.push_back(event);
    return ok();
  });
}

void count_cells(const std::vector<Source>& sources, RunData& run) {
  std::set<std::string> finished;
  std::vector<PlannedRun> planned;
  std::uint64_t sum = 0;
  bool known = true;
  for (const Source& source : sources) {
    for (const auto& [cell, valid] : source.finished)
      if (!source.control_cells.contains(cell)) finished.insert(cell);
    planned.push_back({&source.shape, source.cells_planned});
    sum += source.cells_planned;
    known = known && source.planned_known;
  }
  run.cells_finished = finished.size();
  run.cells_planned = run.cells_finished;
  if (!known) {
    run.notes.emplace_back(
        "the number of planned cells was not recorded; the finished ones stand in its place");
    return;
  }
  run.cells_planned = sources.size() == 1 ? sum : planned_cells_of_union(planned).value_or(sum);
  if (run.cells_finished < run.cells_planned)
    run.notes.push_back(fmt::format("{} of {} cells are not finished", run.cells_planned - run.cells_finished,
                                    run.cells_planned));
}

Status load_environment(const std::vector<Source>& sources, RunData& run) {
  const auto environment = sources.front().reader->value("environment");
  if (!environment) return environment.error();
  if (*environment) run.environment_json = **environment;
  return ok();
}

}  // namespace

Result<RunData> load_runs(std::span<const std::filesystem::path> directories) {
  if (directories.empty())
    return Error{ErrorCode::kInvalidArgument, "report", "at least one run directory is needed"};
  std::vector<Source> sources;
  RunData run;
  for (const auto& directory : directories) {
    auto source = open_source(directory);
    if (!source) return std::move(source).error();
    run.directories.push_back(directory);
    run.run_ids.push_back(source->reader->info().run_id);
    sources.push_back(std::move(*source));
  }
  LAB_TRY(check_same_plan(sources));
  run.info = sources.front().reader->info();
  LAB_TRY(load_environment(sources, run));
  note_other_settings(sources, run);
  for (const Source& source : sources) {
    const auto beside = read_file(source.directory / "plan.toml");
    if (beside && *beside != source.reader->info().plan_toml)
      run.notes.push_back(
          fmt::format("{}/plan.toml is not the plan of the journal beside it, whose figures these are",
                      source.directory.string()));
  }
  Union united;
  for (std::size_t index = 0; index < sources.size(); ++index)
    LAB_TRY(load_records(sources, index, united, run));
  for (const auto& [index, count] : united.controls_again)
    run.notes.push_back(
        fmt::format("{} control cells of {} stand in an earlier directory too; they are judged "
                    "for their own run and shown once",
                    count, sources[index].directory.string()));
  count_cells(sources, run);
  return run;
}

std::optional<Millis> find_sampling_gap(std::span<const Sample> samples, Millis period) {
  constexpr std::int64_t kPeriods = 3;
  std::set<std::int64_t> rounds;
  for (const Sample& sample : samples) rounds.insert(sample.timestamp_ms);
  std::int64_t longest = 0;
  for (auto round = rounds.begin(); round != rounds.end() && std::next(round) != rounds.end(); ++round)
    longest = std::max(longest, *std::next(round) - *round);
  if (longest <= kPeriods * period.count()) return std::nullopt;
  return Millis{longest};
}

const std::string& run_id_of(const RunData& run, std::size_t source) {
  return source < run.run_ids.size() ? run.run_ids[source] : run.info.run_id;
}

Result<std::vector<Sample>> load_samples(const RunData& run, const StageRow& row) {
  if (row.source >= run.directories.size()) return std::vector<Sample>{};
  auto reader = JournalReader::open(run.directories[row.source]);
  if (!reader) return std::move(reader).error();
  return (*reader)->samples(row.stage_id);
}

}  // namespace lab::report
