// SPDX-License-Identifier: Apache-2.0
#include "cli/execute.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "build_version.hpp"
#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"
#include "cli/progress.hpp"
#include "cli/say.hpp"
#include "core/files.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"
#include "core/plain_text.hpp"
#include "driver/embedded_home.hpp"
#include "journal/lease.hpp"
#include "model/plan_load.hpp"
#include "report/outputs.hpp"
#include "runner/environment.hpp"
#include "runner/runner.hpp"

namespace lab::cli {
namespace {

namespace fs = std::filesystem;

std::string tool_name() { return fmt::format("deduplab {}", kVersion); }

RunInfo new_run_info(const Plan& plan, const std::string& question) {
  RunInfo info;
  info.started_ms = wall_time_ms();
  info.seed = plan.seed;
  info.plan_toml = (question.empty() ? "" : question + "\n") + save_plan(plan);
  info.plan_hash = plan_hash(plan);
  info.tool = tool_name();
  info.run_id = new_run_id(info.plan_hash, info.started_ms);
  return info;
}

std::string environment_text(const Plan& plan, const fs::path& directory) {
  std::map<std::string, fs::path> folders{{"run", directory}};
  std::vector<std::string> libraries;
  std::map<std::string, std::vector<Mechanism>> mechanisms;
  for (const SystemPlan& system : systems_with_controls(plan)) {
    const SystemEntry* entry = find_system(built_in_systems(), system.name);
    if (entry == nullptr) continue;
    libraries.push_back(entry->library);
    mechanisms[system.name] = entry->mechanisms;
    if (entry->has_files && entry->embedded) folders[system.name] = system_path(system, directory);
  }
  return describe_environment(folders, tool_name(), libraries, mechanisms);
}

/// DIR/plan.toml comes after the journal, which holds the plan too; a kill between the two is mended by
/// resume.
Status write_plan(const fs::path& directory, const RunInfo& info) {
  std::error_code failure;
  if (fs::exists(directory / "plan.toml", failure)) return ok();
  return write_file_atomic(directory / "plan.toml", info.plan_toml);
}

/// The journal of the run: made with plan.toml and environment.json beside it, or opened.
Result<std::unique_ptr<Journal>> open_journal(const ExecuteRequest& request, const Lease& lease) {
  const JournalOptions options{.lost = [&lease] { return lease.lost(); }};
  const std::string environment = environment_text(request.plan, request.directory);
  if (request.resume) {
    auto journal = Journal::open(request.directory, options);
    if (!journal) return journal.error();
    LAB_TRY((*journal)->set_value("environment", environment));
    LAB_TRY(write_plan(request.directory, (*journal)->info()));
    return journal;
  }
  const RunInfo info = new_run_info(request.plan, request.question);
  auto journal = Journal::create(request.directory, info, options);
  if (!journal) return journal.error();
  LAB_TRY((*journal)->set_value("environment", environment));
  LAB_TRY(write_plan(request.directory, info));
  return journal;
}

/// All output files; then what the journal knows is on disk for people and scripts.
Status export_results(const ExecuteRequest& request, std::string& table, std::string& json) {
  const fs::path directories[] = {request.directory};
  const auto data = report::load_runs(directories);
  if (!data) return data.error();
  LAB_TRY(write_file_atomic(request.directory / "environment.json", data->environment_json));
  const report::Analysis analysis = report::analyse(*data);
  LAB_TRY(report::write_outputs(*data, analysis, request.directory,
                                {report::Format::kCsv, report::Format::kJson, report::Format::kHtml}));
  table = report::answer_table(analysis, output_width());
  json = report::results_json(*data, analysis);
  return ok();
}

int exit_code_of_outcome(const RunOutcome& outcome) {
  if (outcome.end == RunEnd::kStopAfter) return kExitStopAfter;
  if (outcome.end == RunEnd::kStopped) {
    const int by_signal = InterruptGuard::exit_code();
    return by_signal == 0 ? kExitInterrupted : by_signal;
  }
  return outcome.blocks_failed > 0 || !outcome.unreached.empty() ? kExitFailedCells : kExitOk;
}

bool may_clean(const Plan& plan, int code) {
  if (code != kExitOk && code != kExitFailedCells) return false;  // A stopped run goes on later.
  if (plan.export_.cleanup == CleanupRule::kNever) return false;
  return plan.export_.cleanup == CleanupRule::kAlways || code == kExitOk;
}

void say_how_it_ended(const ExecuteRequest& request, const RunOutcome& outcome, int code) {
  for (const std::string& line : outcome.unreached) say("not reached: {}\n", line);
  for (const std::string& line : outcome.failures) say("failed: {}\n", line);
  if (code == kExitOk) return;
  if (outcome.end == RunEnd::kComplete) {
    say("some cells are not valid; to run them again: {}\n", resume_command(request.directory));
    return;
  }
  say("stopped; every finished cell is kept. Go on with: {}\n", resume_command(request.directory));
}

/// The run itself, between an open journal and its closing.
Result<RunOutcome> run_with(const ExecuteRequest& request, const GlobalOptions& global, Journal& journal,
                            const std::stop_token& stop) {
  ProgressDisplay display(ProgressDisplay::style_for(global.no_progress));
  const RunSetting setting{
      request.plan, built_in_systems(), request.directory,   journal, display, real_time(),
      stop,         request.stop_after, request.redo_systems};
  LAB_TRY(journal.add_event(
      {wall_time_ms(), request.resume ? "run_resumed" : "run_started", "", "", "", "", tool_name()}));
  auto outcome = run_plan(setting);
  if (!outcome) return outcome;
  const char* const ends[] = {"run_complete", "run_stopped", "run_stopped_after"};
  LAB_TRY(journal.add_event({wall_time_ms(), ends[static_cast<int>(outcome->end)], "", "", "", "", ""}));
  return outcome;
}

/// Of a folder that was cleaned and is there yet: why.
void say_what_stays(const Plan& plan, const fs::path& directory) {
  for (const SystemPlan& system : systems_with_controls(plan)) {
    const SystemEntry* entry = find_system(built_in_systems(), system.name);
    if (entry == nullptr || !entry->embedded || !entry->has_files) continue;
    const fs::path path = system_path(system, directory);
    const auto there = EmbeddedHome::contents(path);
    if (there && !there->ours && !there->others.empty())
      say("removed {}: {}; what is not ours stays: {}\n", system.name, path.string(),
          names_in_words(there->others));
  }
}

int finish(const ExecuteRequest& request, const GlobalOptions& global, Journal& journal,
           const RunOutcome& outcome) {
  const int code = exit_code_of_outcome(outcome);
  const RunInfo info = journal.info();
  if (const Status closed = journal.close(); !closed) return fail(kExitNotWritten, closed.error());
  say_how_it_ended(request, outcome, code);
  if (outcome.end == RunEnd::kStopped) return code;  // Quickly: an evicted pod has half a minute.
  std::string table;
  std::string json;
  if (const Status exported = export_results(request, table, json); !exported) {
    fail(kExitNotWritten, exported.error());
    say("the journal is whole and nothing was cleaned up; try: deduplab report {}\n",
        request.directory.string());
    return kExitNotWritten;
  }
  print("{}", global.json ? json : table);
  if (!global.json) print("\nreport: {}\n", fs::absolute(request.directory / "report.html").string());
  if (!may_clean(request.plan, code)) return code;
  const Status removed = remove_systems(request.plan, built_in_systems(), info, request.directory);
  if (!removed) return fail(kExitFailedCells, removed.error());
  say_what_stays(request.plan, request.directory);
  return code;
}

/// What a run leaves is its owner's, also in a folder that was there before. One that is another user's, as
/// the top of a mounted volume may be, stays as it is.
void close_to_others(const fs::path& directory) {
  struct stat info{};
  if (::stat(directory.c_str(), &info) != 0 || (info.st_mode & 077U) == 0) return;
  if (::chmod(directory.c_str(), 0700) == 0) return;
  say("warning: {} may be entered by others (mode {:04o}), and is not ours to close: {}\n",
      directory.string(), info.st_mode & 07777U, std::generic_category().message(errno));
}

}  // namespace

bool has_journal(const fs::path& directory) {
  std::error_code failure;
  return fs::exists(directory / "journal.db", failure);
}

std::string new_run_id(std::string_view what, std::int64_t started_ms) {
  const std::string unique = fmt::format("{}/{}/{}", what, started_ms, this_process().pid);
  return fmt::format("{}-{}", format_utc_compact(started_ms), to_hex(sha256(unique)).substr(0, 8));
}

std::string program_word(std::optional<std::string> called) {
  static std::string word = "deduplab";
  if (called) word = std::move(*called);
  return word;
}

std::string resume_command(const fs::path& directory) {
  return shell_word(program_word()) + " resume " + shell_word(directory.string());
}

int execute(const ExecuteRequest& request, const GlobalOptions& global) {
  const InterruptGuard interrupt;
  if (const Status made = make_directories(request.directory); !made) return fail(kExitUsage, made.error());
  if (!has_journal(request.directory)) close_to_others(request.directory);
  auto lease = Lease::acquire(request.directory, plan_hash(request.plan));
  if (!lease) return fail(exit_code_of(lease.error()), lease.error());
  const auto level = parse_log_level(global.log_level);
  if (!level) return fail(kExitUsage, level.error());
  const Status logging =
      log_start({.format = global.log_format == "json" ? LogFormat::kJson : LogFormat::kText,
                 .level = *level,
                 .file = request.directory / "log.jsonl"});
  if (!logging) return fail(kExitNotWritten, logging.error());
  auto journal = open_journal(request, **lease);
  if (!journal) return fail(exit_code_of(journal.error()), journal.error());
  const auto outcome = run_with(request, global, **journal, interrupt.token());
  if (!outcome) {
    const int code = fail(kExitNotWritten, outcome.error());
    say("every finished cell is kept. Go on with: {}\n", resume_command(request.directory));
    return code;
  }
  return finish(request, global, **journal, *outcome);
}

}  // namespace lab::cli
