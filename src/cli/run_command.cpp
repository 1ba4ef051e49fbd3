// `deduplab run`: a plan into a new run directory, or its dry run.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/plan_words.hpp"
#include "cli/progress.hpp"
#include "cli/say.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "runner/preflight.hpp"
#include "stage/stage_scan.hpp"

namespace lab::cli {
namespace {

namespace fs = std::filesystem;

Error usage(std::string detail) { return {ErrorCode::kInvalidArgument, "run", std::move(detail)}; }

std::string dimension_line(const Plan& plan) {
  std::size_t variants = 0;
  for (const SystemPlan& system : plan.systems) variants += system.variants.size();
  const auto& data = plan.dataset;
  return fmt::format(
      "{} systems with {} variants x {} payloads x {} sizes x {} grades x {} orders x {} placements x {} "
      "modes x {} caches x "
      "{} repetitions",
      plan.systems.size(), variants, data.payloads.size(),
      data.object_sizes.size() * std::max<std::size_t>(1, data.totals.size()), data.grades.size(),
      data.orders.size(), data.placements.size(), data.modes.size(), data.caches.size(), plan.repetitions);
}

std::vector<std::string> chunker_names(const ScanPlan& scan) {
  std::vector<std::string> names;
  for (const ChunkerSpec& chunker : scan.chunkers) names.push_back(chunker_name(chunker));
  return names;
}

std::vector<std::string> scanned_stages(const ScanPlan& scan) {
  std::vector<std::string> names;
  for (const StageKind kind : scan.stages) names.emplace_back(to_string(kind));
  if (names.empty()) names.emplace_back("each stage");
  return names;
}

void print_scan(const ScanPlan& scan, double seconds) {
  if (scan.chunkers.empty()) return;
  print("scan after {}: {}{}; {} of memory, {} thread{}, at most {} each\n", join(scanned_stages(scan), ", "),
        join(chunker_names(scan), ", "), scan.census ? ", and the copies of the payload" : "",
        format_bytes(scan.memory), scan.threads, scan.threads == 1 ? "" : "s", format_duration(scan.limit));
  print(
      "scans: about {} of the time (assuming {} s a GB, {} s for each chunker{}, files of the logical "
      "size)\n",
      format_seconds(seconds), kAssumedScanRead, kAssumedScanChunker,
      scan.census ? fmt::format(", {} s for the copies", kAssumedScanCensus) : "");
}

/// Where a secret is, as far as the plan says it.
std::string secret_words(const std::optional<std::string>& variable, const std::optional<std::string>& file) {
  if (variable) return ", secret in the variable " + *variable;
  return file ? ", secret in the file " + *file : "";
}

/// What the run runs and asks besides the systems.
void print_helpers(const Plan& plan, const Estimate& needs) {
  print_scan(plan.scan, needs.scan_seconds);
  for (const SystemPlan& system : plan.systems) {
    if (system.volume)
      print("volume of {}: {}{}{}\n", system.name, *system.volume,
            secret_words(system.volume_token_env, system.volume_token_file),
            system.trim ? ", trimmed after each stage" : "");
    for (const CommandProbePlan& command : system.commands)
      print("command:{} of {}: {}\n", command.name, system.name, join(command.argv, " "));
    for (const MetricsProbePlan& metrics : system.metrics)
      print("metrics:{} of {}: {}{} of {}{}\n", metrics.name, system.name, metrics.sum ? "the sum of " : "",
            metrics.metric, metrics.url, secret_words(metrics.token_env, metrics.token_file));
  }
  if (!plan.hooks.restart.empty())
    print("hook restart: {} (at most {})\n", join(plan.hooks.restart, " "),
          format_duration(plan.hooks.restart_limit));
  if (!plan.hooks.after_operations.empty())
    print("hook after_operations: {} (at most {})\n", join(plan.hooks.after_operations, " "),
          format_duration(plan.hooks.after_operations_limit));
  const PrometheusPlan& prometheus = plan.prometheus;
  if (!prometheus.url) return;
  print("prometheus: {}{}{}; samples up to {} old\n", *prometheus.url,
        prometheus.user ? " as " + *prometheus.user : "",
        secret_words(prometheus.password_env, prometheus.password_file),
        format_duration(prometheus.sample_age));
}

void add_secret(nlohmann::ordered_json& out, const std::string& name,
                const std::optional<std::string>& variable, const std::optional<std::string>& file) {
  if (variable) out[name + "_env"] = *variable;
  if (file) out[name + "_file"] = *file;
}

/// The same for scripts; a key is absent where the plan has nothing of it.
void add_helpers(const Plan& plan, nlohmann::ordered_json& all) {
  if (!plan.scan.chunkers.empty())
    all["scan"] = {{"chunkers", chunker_names(plan.scan)}, {"stages", scanned_stages(plan.scan)},
                   {"census", plan.scan.census},           {"memory", plan.scan.memory.count},
                   {"threads", plan.scan.threads},         {"limit", format_duration(plan.scan.limit)}};
  for (const SystemPlan& system : plan.systems) {
    if (system.volume) {
      all["volumes"][system.name] = {{"volume", *system.volume}, {"trim", system.trim}};
      add_secret(all["volumes"][system.name], "volume_token", system.volume_token_env,
                 system.volume_token_file);
    }
    for (const CommandProbePlan& command : system.commands)
      all["commands"][system.name][command.name] = command.argv;
    for (const MetricsProbePlan& metrics : system.metrics) {
      nlohmann::ordered_json& out = all["metrics"][system.name][metrics.name];
      out = {{"url", metrics.url}, {"metric", metrics.metric}, {"sum", metrics.sum}};
      add_secret(out, "token", metrics.token_env, metrics.token_file);
    }
  }
  if (!plan.hooks.restart.empty()) all["hooks"]["restart"] = plan.hooks.restart;
  if (!plan.hooks.after_operations.empty()) all["hooks"]["after_operations"] = plan.hooks.after_operations;
  const PrometheusPlan& prometheus = plan.prometheus;
  if (!prometheus.url) return;
  nlohmann::ordered_json& out = all["prometheus"];
  out["url"] = *prometheus.url;
  if (prometheus.user) out["user"] = *prometheus.user;
  add_secret(out, "password", prometheus.password_env, prometheus.password_file);
  out["sample_age"] = format_duration(prometheus.sample_age);
}

void print_dry_run(const LoadedPlan& loaded, const Estimate& needs, const std::vector<Block>& blocks,
                   const std::vector<Check>& quantum) {
  print("{}: {}\n", loaded.plan.name, dimension_line(loaded.plan));
  print("cells: {} in {} blocks, and {} of the controls\n", needs.cells, blocks.size(), needs.control_cells);
  print("stage measurements: {}\n", needs.stage_measurements);
  print("duplicate unit: {}; copies by popularity {}\n", to_string(loaded.plan.dataset.unit),
        to_string(loaded.plan.dataset.popularity));
  for (const Chain& chain : loaded.plan.stages.chains) print("chain: {}\n", chain_name(chain));
  print("logical bytes written: {}\n", format_bytes(needs.logical));
  print("disk at once: about {} (2.5 x the largest cell)\n", format_bytes(needs.disk_peak));
  print(
      "time: about {} (assuming {} MB/s, {} ms an acknowledged single operation, {} s to settle a stage, of "
      "servers [settle] window and idle, and for as long as figures lag)\n",
      format_seconds(needs.seconds), kAssumedMegabytesPerSecond, kAssumedObjectSeconds * 1e3,
      kAssumedStageSeconds);
  print_helpers(loaded.plan, needs);
  for (const std::string& name : loaded.not_built_in) print("not built in yet: {}\n", name);
  for (const std::string& warning : loaded.warnings) print("warning: {}\n", warning);
  for (const Check& check : quantum) print("warning: {}: {}\n", check.name, check.detail);
}

void print_dry_run_json(const LoadedPlan& loaded, const Estimate& needs, const std::vector<Block>& blocks,
                        const std::vector<Check>& quantum) {
  nlohmann::ordered_json all{{"plan", loaded.plan.name},
                             {"cells", needs.cells},
                             {"control_cells", needs.control_cells},
                             {"stage_measurements", needs.stage_measurements},
                             {"duplicate_unit", to_string(loaded.plan.dataset.unit)},
                             {"popularity", to_string(loaded.plan.dataset.popularity)},
                             {"logical_bytes", needs.logical.count},
                             {"disk_bytes", needs.disk_peak.count},
                             {"seconds", needs.seconds},
                             {"not_built_in", loaded.not_built_in},
                             {"warnings", loaded.warnings}};
  for (const Check& check : quantum) all["warnings"].push_back(check.name + ": " + check.detail);
  add_helpers(loaded.plan, all);
  if (!loaded.plan.scan.chunkers.empty()) all["scan"]["seconds"] = needs.scan_seconds;
  all["blocks"] = nlohmann::ordered_json::array();
  for (const Block& block : blocks) {
    nlohmann::ordered_json cells = nlohmann::ordered_json::array();
    for (const Cell& cell : block.cells) cells.push_back(cell_id(cell));
    all["blocks"].push_back(cells);
  }
  print("{}\n", all.dump(2));
}

int bad_payload(const LoadedPlan& loaded, Error error) {
  error.detail = loaded.payloads_at + error.detail;
  error.code = ErrorCode::kInvalidArgument;
  return fail(kExitUsage, error);
}

/// Prints what would be done; writes nothing. Payload errors are errors here as in a run, where they can be
/// known.
int dry_run(const LoadedPlan& loaded, const GlobalOptions& global) {
  const auto blocks = expand(loaded.plan);
  if (loaded.not_built_in.empty())
    if (const Status payloads = check_payloads(loaded.plan, blocks); !payloads)
      return bad_payload(loaded, payloads.error());
  const Estimate needs = estimate(loaded.plan, blocks, built_in_systems());
  const auto quantum = check_quantum(loaded.plan, blocks, built_in_systems());
  if (global.json)
    print_dry_run_json(loaded, needs, blocks, quantum);
  else
    print_dry_run(loaded, needs, blocks, quantum);
  return kExitOk;
}

/// "# Question: ..." if the plan's file begins with such a line. The plan was just read, so no error is left.
std::string question_of(const fs::path& plan) {
  const auto text = read_file(plan);
  const std::string first = text ? split(*text, '\n').front() : "";
  return first.starts_with('#') ? first : "";
}

/// What a run that was killed before its journal appeared may have left: nothing of it counts.
bool left_before_the_journal(const std::string& name) {
  return name == "log.jsonl" || name == "lease.json" || name.starts_with(".lease.") ||
         name.starts_with(".journal.db.");
}

/// Whether the directory, or the nearest one above it that exists, may be written.
Status writable(const fs::path& directory) {
  std::error_code failure;
  const fs::path there = existing_above(directory);
  if (!fs::is_directory(there, failure))
    return usage(fmt::format("--out {}: {} is no directory", directory.string(), there.string()));
  if (::access(there.c_str(), W_OK | X_OK) == 0) return ok();
  return usage(fmt::format("--out {}: nothing can be written to {}: {}", directory.string(), there.string(),
                           std::generic_category().message(errno)));
}

/// A directory that a new run may take: missing, or empty.
Status check_new_directory(const fs::path& directory) {
  std::error_code failure;
  if (has_journal(directory))
    return usage(fmt::format("{} holds a run already; to go on with it: {}", directory.string(),
                             resume_command(directory)));
  if (!fs::exists(directory, failure)) return writable(directory);
  if (!fs::is_directory(directory, failure)) return usage(directory.string() + " exists and is no directory");
  for (fs::directory_iterator entry(directory, failure), end; !failure && entry != end;
       entry.increment(failure))
    if (!left_before_the_journal(entry->path().filename().string()))
      return usage(directory.string() +
                   " is not empty and holds no run: name a new or empty directory with --out");
  if (failure) return errno_error("list", directory.string(), failure.value());
  return writable(directory);
}

int failed_checks(const std::vector<Check>& checks) {
  int failed = 0;
  for (const Check& check : checks) {
    if (!check.passed) say("deduplab: preflight: {}: {}\n", check.name, check.detail);
    if (check.warning) say("warning: {}: {}\n", check.name, check.detail);
    failed += check.passed ? 0 : 1;
  }
  return failed;
}

}  // namespace

int run(const RunOptions& options, const GlobalOptions& global) {
  std::optional<Millis> stop_after;
  if (!options.stop_after.empty()) {
    const auto parsed = parse_duration(options.stop_after);
    if (!parsed) return fail(kExitUsage, usage("--stop-after: " + parsed.error().detail));
    stop_after = *parsed;
  }
  if (options.resume && options.out.empty())
    return fail(kExitUsage, usage("--resume goes on with the run of a directory: name it with --out"));
  const auto loaded = load_effective_plan(options.plan, overrides_of(options.flags));
  if (!loaded) return fail(kExitUsage, loaded.error());
  if (const Status fits = check_scan(loaded->plan.scan); !fits) return fail(kExitUsage, fits.error());
  if (options.dry_run) return dry_run(*loaded, global);
  if (const Status built_in = require_built_in(*loaded); !built_in) return fail(kExitUsage, built_in.error());
  const Plan& plan = loaded->plan;
  const fs::path directory = options.out.empty() ? usual_directory("runs", plan.name) : options.out;
  if (options.resume && has_journal(directory))
    return resume_with_plan(directory, plan, stop_after, {}, global);
  if (const Status fresh = check_new_directory(directory); !fresh) return fail(kExitUsage, fresh.error());
  if (const Status payloads = check_payloads(plan, expand(plan)); !payloads)
    return bad_payload(*loaded, payloads.error());
  for (const std::string& warning : loaded->warnings) say("warning: {}\n", warning);
  if (failed_checks(preflight(plan, built_in_systems(), directory)) > 0) return kExitPreflight;
  return execute(
      {.directory = directory, .plan = plan, .question = question_of(options.plan), .stop_after = stop_after},
      global);
}

}  // namespace lab::cli
