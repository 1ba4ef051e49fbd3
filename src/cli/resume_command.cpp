// `deduplab resume` and `deduplab status`: a run directory goes on, or says how far it is.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/plan_words.hpp"
#include "cli/progress.hpp"
#include "cli/say.hpp"
#include "core/text.hpp"
#include "journal/journal.hpp"
#include "journal/lease.hpp"
#include "runner/password.hpp"
#include "runner/preflight.hpp"

namespace lab::cli {
namespace {

namespace fs = std::filesystem;

Error usage(std::string detail) { return {ErrorCode::kInvalidArgument, "resume", std::move(detail)}; }

/// The journal's own plan; DIR/plan.toml must still say the same.
Result<Plan> plan_of(const fs::path& directory) {
  if (!has_journal(directory)) return usage(directory.string() + " holds no run (no journal.db)");
  auto reader = JournalReader::open(directory);
  if (!reader) return reader.error();
  auto recorded = parse_plan((*reader)->info().plan_toml, directory / "journal.db", vocabulary());
  if (!recorded) return recorded.error();
  if (plan_hash(recorded->plan) != (*reader)->info().plan_hash)
    return Error{ErrorCode::kCorruption, "resume",
                 (directory / "journal.db").string() +
                     ": its plan is not what was written, or another version wrote it"};
  LAB_TRY(require_built_in(*recorded));
  std::error_code failure;
  if (!fs::exists(directory / "plan.toml", failure))
    return std::move(recorded->plan);  // Killed before it was written.
  const auto beside = load_plan(directory / "plan.toml", vocabulary());
  if (!beside) return beside.error();
  if (plan_hash(beside->plan) != (*reader)->info().plan_hash)
    return usage((directory / "plan.toml").string() +
                 " is not the plan that this run began with; put it back, or start a new run");
  return std::move(recorded->plan);
}

Result<std::vector<std::string>> redo_systems(const ResumeOptions& options, const Plan& plan) {
  std::vector<std::string> names;
  for (const SystemPlan& system : systems_with_controls(plan)) names.push_back(system.name);
  std::vector<std::string> chosen;
  for (const std::string& redo : options.redo) {
    const std::string name = redo.starts_with("system=") ? redo.substr(7) : "";
    if (name.empty()) return usage("--redo takes system=NAME, not '" + redo + "'");
    if (std::find(names.begin(), names.end(), name) == names.end())
      return usage("--redo: the plan has no system '" + name + "'" + suggestion(name, names));
    chosen.push_back(name);
  }
  return chosen;
}

struct SystemCount {
  std::uint64_t planned = 0;
  std::uint64_t valid = 0;
  std::uint64_t invalid = 0;
};

struct StatusFigures {
  std::map<std::string, SystemCount> systems{};
  std::uint64_t planned = 0, valid = 0, invalid = 0, superseded_records = 0;
  double seconds_left = 0;
  std::string holder{};
};

Result<StatusFigures> status_of(const fs::path& directory, const Plan& plan) {
  auto reader = JournalReader::open(directory);
  if (!reader) return reader.error();
  const auto finished = (*reader)->finished_cells();
  if (!finished) return finished.error();
  StatusFigures figures;
  for (const Block& block : expand(plan))
    for (const Cell& cell : block.cells) {
      SystemCount& count = figures.systems[cell.system];
      count.planned += 1;
      figures.planned += 1;
      const auto found = finished->find(cell_id(cell));
      if (found == finished->end()) continue;
      (found->second ? count.valid : count.invalid) += 1;
      (found->second ? figures.valid : figures.invalid) += 1;
    }
  double seconds = 0;
  LAB_TRY((*reader)->each_stage([&](const StoredStage& stored) -> Status {
    if (stored.record.superseded)
      figures.superseded_records += 1;
    else
      seconds += static_cast<double>(stored.record.ended_ms - stored.record.started_ms) / 1e3;
    return ok();
  }));
  const auto done = figures.valid + figures.invalid;
  const auto left = figures.planned - figures.valid;
  if (done > 0) figures.seconds_left = seconds / static_cast<double>(done) * static_cast<double>(left);
  const auto holder = describe_holder(directory);
  if (!holder) return holder.error();
  figures.holder = *holder;
  return figures;
}

void print_status(const fs::path& directory, const Plan& plan, const StatusFigures& figures) {
  print("{}: plan {}\n", directory.string(), plan.name);
  for (const auto& [name, count] : figures.systems)
    print("  {:<14} {:>6} cells planned, {:>6} valid, {:>4} invalid, {:>6} left\n", name, count.planned,
          count.valid, count.invalid, count.planned - count.valid - count.invalid);
  print("cells: {} of {} valid, {} invalid, {} left; {} superseded records kept\n", figures.valid,
        figures.planned, figures.invalid, figures.planned - figures.valid - figures.invalid,
        figures.superseded_records);
  if (!figures.holder.empty()) print("in use: {}\n", figures.holder);
  if (figures.valid == figures.planned) {
    print("complete\n");
    return;
  }
  if (figures.seconds_left > 0) print("time left: about {}\n", format_seconds(figures.seconds_left));
  if (figures.holder.empty()) print("go on with: {}\n", resume_command(directory));
}

void print_status_json(const fs::path& directory, const Plan& plan, const StatusFigures& figures) {
  nlohmann::ordered_json all{{"directory", directory.string()},
                             {"plan", plan.name},
                             {"planned", figures.planned},
                             {"valid", figures.valid},
                             {"invalid", figures.invalid},
                             {"left", figures.planned - figures.valid - figures.invalid},
                             {"superseded_records", figures.superseded_records}};
  if (figures.seconds_left > 0) all["seconds_left"] = figures.seconds_left;
  if (!figures.holder.empty()) all["in_use"] = figures.holder;
  for (const auto& [name, count] : figures.systems)
    all["systems"][name] = {{"planned", count.planned}, {"valid", count.valid}, {"invalid", count.invalid}};
  print("{}\n", all.dump(2));
}

}  // namespace

int resume_with_plan(const fs::path& directory, const Plan& plan, std::optional<Millis> stop_after,
                     const std::vector<std::string>& redo, const GlobalOptions& global) {
  const auto recorded = plan_of(directory);
  if (!recorded) return fail(exit_code_of(recorded.error()), recorded.error());
  if (plan_hash(*recorded) != plan_hash(plan))
    return fail(kExitUsage,
                usage(directory.string() + " holds a run of another plan: compare its plan.toml with yours"));
  if (const Status payloads = check_payloads(plan, expand(plan)); !payloads)
    return fail(kExitUsage, payloads.error());
  for (const SystemPlan& system : plan.systems)
    if (const auto secrets = resolve_probe_secrets(plan, system); !secrets)
      return fail(kExitPreflight, secrets.error());
  return execute({.directory = directory,
                  .plan = *recorded,
                  .resume = true,
                  .stop_after = stop_after,
                  .redo_systems = redo},
                 global);
}

int resume(const ResumeOptions& options, const GlobalOptions& global) {
  std::optional<Millis> stop_after;
  if (!options.stop_after.empty()) {
    const auto parsed = parse_duration(options.stop_after);
    if (!parsed) return fail(kExitUsage, usage("--stop-after: " + parsed.error().detail));
    stop_after = *parsed;
  }
  const auto plan = plan_of(options.directory);
  if (!plan) return fail(exit_code_of(plan.error()), plan.error());
  const auto redo = redo_systems(options, *plan);
  if (!redo) return fail(kExitUsage, redo.error());
  return resume_with_plan(options.directory, *plan, stop_after, *redo, global);
}

int status(const fs::path& directory, const GlobalOptions& global) {
  const auto plan = plan_of(directory);
  if (!plan) return fail(exit_code_of(plan.error()), plan.error());
  const auto figures = status_of(directory, *plan);
  if (!figures) return fail(exit_code_of(figures.error()), figures.error());
  if (global.json)
    print_status_json(directory, *plan, *figures);
  else
    print_status(directory, *plan, *figures);
  return kExitOk;
}

}  // namespace lab::cli
