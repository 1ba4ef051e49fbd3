// SPDX-License-Identifier: Apache-2.0
#include "runner/preflight.hpp"

#include <fmt/format.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <future>
#include <map>
#include <set>

#include "core/files.hpp"
#include "core/log.hpp"
#include "core/spill_file.hpp"
#include "payload/dataset.hpp"
#include "runner/check_probes.hpp"
#include "runner/home_look.hpp"
#include "runner/hooks.hpp"
#include "runner/runner.hpp"
#include "runner/unreached.hpp"
#include "stage/stage_scan.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr double kQuantumShareMax =
    0.01;  // q above 1 % of the unique bytes blurs eta by more than the verdict's margin.
constexpr std::int64_t kJournalReserve = 64LL << 20;  // For journal and results beside the data.
constexpr Millis kExamineLimit{15'000};               // To reach a server and ask it a few questions.
constexpr std::size_t kLookersMax = 8;                // Servers that are asked at one time.

Check check_space(const std::string& name, const fs::path& path, Bytes needed) {
  struct statfs info{};
  const fs::path folder = existing_above(path);
  if (::statfs(folder.c_str(), &info) != 0)
    return {name, false, errno_error("statfs", folder.string(), errno).text()};
  const Bytes free{static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_bsize)};
  if (free < needed)
    return {name, false,
            fmt::format("{} free on {}, about {} needed at once: use a larger file system or fewer objects",
                        format_bytes(free), folder.string(), format_bytes(needed))};
  return {name, true,
          fmt::format("{} free on {}, about {} needed at once", format_bytes(free), folder.string(),
                      format_bytes(needed))};
}

/// An embedded system's folder: ours and free, or new or empty, and writable where it will be made.
Check check_home(const SystemPlan& system, const fs::path& path, const fs::path& directory,
                 const Registry& registry, std::set<fs::path>& taken) {
  std::error_code failure;
  std::string beside;
  const std::string where = path.string();
  const fs::path whole = fs::weakly_canonical(path, failure);
  if (whole == fs::weakly_canonical(directory, failure))
    return {system.name, false, where + " is the run directory: name another folder as path"};
  if (!taken.insert(whole).second)
    return {system.name, false, where + " is the path of another system of this plan: each needs its own"};
  if (fs::exists(path, failure)) {
    if (!fs::is_directory(path, failure)) return {system.name, false, where + " exists and is no directory"};
    const auto there = look_at_home(path, system.name, registry);
    if (!there) return {system.name, false, there.error().detail + "; or name an empty folder as path"};
    if (!there->others.empty()) beside = "; what is not ours there stays: " + names_in_words(there->others);
  }
  const fs::path folder = existing_above(path);
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return {system.name, false, errno_error("access", folder.string(), errno).text()};
  return {system.name, true, "data in " + where + beside};
}

}  // namespace

fs::path existing_above(fs::path path) {
  std::error_code failure;
  path = fs::absolute(path, failure);
  while (path != path.root_path() && !fs::exists(path, failure)) path = path.parent_path();
  return path;
}

namespace {

/// What a cell cannot do with parts that repeat inside of objects, or with copies that were changed.
Status check_unit(const Plan& plan, const Cell& cell) {
  const DuplicateUnit& unit = cell.dataset.unit;
  if (unit == DuplicateUnit{}) return ok();
  const auto bad = [&](std::string_view why) {
    return Error{ErrorCode::kInvalidArgument, "payload",
                 fmt::format("duplicate_unit {}: {}", to_string(unit), why)};
  };
  if (cell.mode == "native") return bad("mode native repeats whole records; ask for mode blob");
  const bool updates = std::any_of(cell.chains.begin(), cell.chains.end(), [](const Chain& chain) {
    return std::find(chain.begin(), chain.end(), StageKind::kUpdate) != chain.end();
  });
  if (unit.kind == DuplicateUnit::Kind::kBlock && updates &&
      plan.stages.update_content == UpdateContent::kNew)
    return bad("there is no content to spare for updates; ask for update_content = \"same\" or other stages");
  return ok();
}

}  // namespace

Status check_payloads(const Plan& plan, const std::vector<Block>& blocks) {
  const DatasetInputs inputs{.real_world_dir = plan.real_world_dir.value_or("")};
  std::set<std::string> seen;
  for (const Block& block : blocks)
    for (const Cell& cell : block.cells) {
      const std::string key =
          fmt::format("{}/{}/{}/{}/{}/{}", cell.dataset.payload, object_size_name(cell.dataset),
                      cell.dataset.objects, cell.dataset.grade, cell.mode, to_string(cell.dataset.unit));
      if (!seen.insert(key).second) continue;
      LAB_TRY(Dataset::check(cell.dataset, inputs));
      LAB_TRY(check_unit(plan, cell));
      if (cell.mode == "native") LAB_TRY(check_native(cell.dataset));
    }
  return ok();
}

namespace {

Bytes step_of(const SystemEntry& entry, const std::string& variant) {
  for (const VariantInfo& known : entry.variants)
    if (known.name == variant && known.quantum) return *known.quantum;
  return entry.quantum;
}

/// What a system keeps that finds every copy: the first contents of the source; of changed copies what was
/// changed, too; of blocks, all but the copies. Nothing where the dataset cannot be made.
std::optional<Bytes> unique_bytes_of(const Cell& cell, const DatasetInputs& inputs) {
  const DuplicateUnit& unit = cell.dataset.unit;
  if (unit.kind == DuplicateUnit::Kind::kBlock) {
    const auto dataset = Dataset::make(cell.dataset);
    const auto logical = logical_bytes(cell, inputs);
    if (!dataset || !logical) return std::nullopt;
    return *logical - (*dataset)->repeated_in_objects();
  }
  const std::uint64_t distinct = distinct_objects(cell.dataset.objects, cell.dataset.grade);
  if (!sizes_are_found(cell.dataset)) {
    const auto copies = static_cast<std::int64_t>(cell.dataset.objects - distinct);
    return Bytes{static_cast<std::int64_t>(distinct) * cell.dataset.object_size.mean().count +
                 (unit.is_changed() ? copies * unit.bytes.count : 0)};
  }
  const auto dataset = Dataset::make(cell.dataset, inputs);
  if (!dataset) return std::nullopt;
  Bytes unique{};
  for (std::uint64_t content = 0; content < distinct; ++content) {
    const auto size = (*dataset)->source().size_of(content);
    if (!size) return std::nullopt;
    unique += *size;
  }
  return unique;
}

/// A step in which figures of a system move, and whose it is.
struct Step {
  Bytes bytes{};
  std::string of{};
};

/// That of its files, and what the plan says of commands and exporters: each of them gets verdicts, required
/// or not.
std::vector<Step> steps_of(const Plan& plan, const Cell& cell, const SystemEntry& entry) {
  std::vector<Step> steps{{step_of(entry, cell.variant), "files"}};
  for (const SystemPlan& system : plan.systems) {
    if (system.name != cell.system) continue;
    for (const CommandProbePlan& command : system.commands)
      steps.push_back({command.step, "command:" + command.name});
    for (const MetricsProbePlan& metrics : system.metrics)
      steps.push_back({metrics.step, "metrics:" + metrics.name});
  }
  return steps;
}

/// The fewest objects of which the distinct ones have `needed` bytes, where those of the cell have `unique`.
std::uint64_t objects_for(const Cell& cell, double unique, double needed) {
  const int grade = cell.dataset.grade;
  const auto distinct = static_cast<double>(distinct_objects(cell.dataset.objects, grade));
  const auto wanted = static_cast<std::uint64_t>(std::ceil(needed * distinct / std::max(unique, 1.0)));
  // The number of distinct ones falls by one only where a copy more begins, never by two.
  auto objects = std::max<std::uint64_t>(
      cell.dataset.objects,
      static_cast<std::uint64_t>(static_cast<double>(wanted - 1) * 100 / (100 - grade)));
  while (distinct_objects(objects, grade) < wanted) ++objects;
  return objects;
}

/// Nothing where the step is small against the unique bytes of a cell.
std::optional<std::string> too_coarse(const Cell& cell, const Step& step, Bytes unique_bytes) {
  const auto unique = static_cast<double>(unique_bytes.count);
  constexpr double kMost = 9e18;  // Of what a size may be.
  const double needed = std::min(static_cast<double>(step.bytes.count) / kQuantumShareMax, kMost);
  if (unique >= needed) return std::nullopt;
  const bool files = step.of == "files";
  return fmt::format(
      "at {} a payload has {} of unique bytes; {} that {} by {} need{} {} for a verdict, that is {} objects "
      "in all",
      grade_name(cell.dataset.grade), format_bytes(unique_bytes), step.of, files ? "grow" : "moves",
      format_bytes(step.bytes), files ? "" : "s", format_bytes(Bytes{static_cast<std::int64_t>(needed)}),
      objects_for(cell, unique, needed));
}

}  // namespace

std::vector<Check> check_quantum(const Plan& plan, const std::vector<Block>& blocks,
                                 const Registry& registry) {
  std::vector<Check> checks;
  std::set<std::string> seen;
  const DatasetInputs inputs{.real_world_dir = plan.real_world_dir.value_or("")};
  const int highest = *std::max_element(plan.dataset.grades.begin(), plan.dataset.grades.end());
  for (const Block& block : blocks)
    for (const Cell& cell : block.cells) {
      const SystemEntry* entry = find_system(registry, cell.system);
      if (entry == nullptr || cell.control || cell.dataset.grade != highest) continue;
      if (cell.repetition != 1) continue;
      const auto unique = unique_bytes_of(cell, inputs);
      if (!unique) continue;  // check_payloads has named the error.
      for (const Step& step : steps_of(plan, cell, *entry)) {
        auto warning = too_coarse(cell, step, *unique);
        // Made payloads differ in nothing that counts there, and are one warning.
        if (warning && seen.insert(cell.system + " " + *warning).second)
          checks.push_back({cell.system, true, std::move(*warning), true});
      }
    }
  return checks;
}

namespace {

/// One line that says where, what and what to do.
std::string detail_of(const SystemPlan& system, const SystemEntry& entry, const Finding& found) {
  if (found.unreached) return words_for_unreached(system, entry, *found.unreached, found.detail);
  if (!found.passed && found.what == "files" && system.directory)
    return found.detail + "; `directory` must be the server's own data directory, and readable on this host";
  return found.detail;
}

Check check_of(const SystemPlan& system, const SystemEntry& entry, const Finding& found) {
  return {system.name + " " + found.what, found.passed, detail_of(system, entry, found), found.warning};
}

}  // namespace

std::vector<Check> examine_system(const Plan& plan, const SystemPlan& system, const SystemEntry& entry,
                                  const fs::path& directory, const std::stop_token& stop) {
  std::vector<Check> checks;
  const auto config = system_config(plan, system, entry, "", directory);
  if (!config) return {{system.name, false, config.error().text()}};
  const CallContext call{Clock::now() + kExamineLimit, stop};
  const Status there = reach_server(entry, *config, call);
  // A configuration that cannot be is told below, in the words of its own.
  if (!there && there.error().code != ErrorCode::kInvalidArgument)
    return {check_of(system, entry, not_connected(there.error()))};
  bool reached = true;
  for (const std::string& variant : system.variants) {
    if (!reached) break;  // It would keep each further variant waiting as long.
    SystemConfig of_variant = *config;
    of_variant.variant = variant;
    for (const Finding& found : entry.examine(of_variant, {Clock::now() + kExamineLimit, stop})) {
      reached = reached && !found.unreached;
      Check check = check_of(system, entry, found);
      const bool known = std::any_of(checks.begin(), checks.end(), [&](const Check& other) {
        return other.name == check.name && other.detail == check.detail;
      });
      if (!known) checks.push_back(std::move(check));
    }
  }
  if (!config->identity || !reached) return checks;
  const Status right = check_identity(entry, *config, {Clock::now() + kExamineLimit, stop});
  checks.push_back({system.name + " identity", right.has_value(),
                    right ? "it is " + *config->identity : right.error().detail});
  return checks;
}

namespace {

/// A server's cold cells need a command that restarts it.
void check_cold(const Plan& plan, const SystemPlan& system, const SystemEntry& entry,
                std::vector<Check>& checks) {
  const auto& caches = plan.dataset.caches;
  if (entry.embedded || std::find(caches.begin(), caches.end(), "cold") == caches.end()) return;
  const std::string name = system.name + " restart";
  if (plan.hooks.restart.empty()) {
    checks.push_back({name, false,
                      "caches has \"cold\", and a server is cold only after a restart: name the command that "
                      "restarts it as [hooks] restart, or leave \"cold\" out"});
    return;
  }
  const Command command = restart_command(plan.hooks, system.name);
  const auto program = find_program(command.argv.front());
  checks.push_back({name, program.has_value(),
                    program ? "by " + to_text(command) : "[hooks] restart: " + program.error().detail});
}

/// The folder of a system's files, as far as it is known before the run.
std::optional<fs::path> files_of(const SystemPlan& system, const SystemEntry& entry,
                                 const fs::path& directory) {
  if (entry.embedded && entry.has_files) return system_path(system, directory);
  if (!entry.embedded && system.directory) return fs::path(*system.directory);
  return std::nullopt;
}

/// The hook between load and sizes: its program, and the folder that it is told.
void check_after_operations(const Plan& plan, const SystemPlan& system, const std::optional<fs::path>& files,
                            std::vector<Check>& checks) {
  if (plan.hooks.after_operations.empty() || system.control) return;
  const std::string name = system.name + " after_operations";
  const auto command = after_operations_command(plan.hooks, system.name, "bulk_insert", files);
  if (!command) {
    checks.push_back({name, false, command.error().detail});
    return;
  }
  const auto program = find_program(command->argv.front());
  checks.push_back(
      {name, program.has_value(),
       program ? "by " + to_text(*command) : "[hooks] after_operations: " + program.error().detail});
}

/// The scans behind the stages: their memory, and where their temporary files go.
Check check_scans(const ScanPlan& plan) {
  if (const Status fits = check_scan(plan); !fits) return {"scan", false, fits.error().detail};
  const fs::path temporary = temporary_folder();
  if (::access(temporary.c_str(), W_OK | X_OK) != 0)
    return {"scan", false,
            fmt::format("temporary files cannot be made in {}: {}; name another folder in $TMPDIR",
                        temporary.string(), std::generic_category().message(errno))};
  return {"scan", true, "temporary files go to " + temporary.string()};
}

/// What the servers of a plan say of themselves, by system. Side by side, since each that is silent or down
/// takes all of its time.
std::map<std::string, std::vector<Check>> examine_servers(const Plan& plan, const Registry& registry,
                                                          const fs::path& directory) {
  struct Look {
    SystemPlan system{};
    const SystemEntry* entry = nullptr;
    std::vector<Check> checks{};
  };
  std::vector<Look> looks;
  for (SystemPlan& system : systems_with_controls(plan)) {
    const SystemEntry* const entry = find_system(registry, system.name);
    if (entry != nullptr && entry->examine != nullptr) looks.push_back({std::move(system), entry});
  }
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t at = next++; at < looks.size(); at = next++)
      looks[at].checks = examine_system(plan, looks[at].system, *looks[at].entry, directory);
  };
  std::vector<std::future<void>> workers;  // A future carries what a library throws to us.
  for (std::size_t count = 1; count < std::min(looks.size(), kLookersMax); ++count)
    workers.push_back(std::async(std::launch::async, work));
  work();
  for (std::future<void>& worker : workers) worker.get();
  std::map<std::string, std::vector<Check>> of_systems;
  for (Look& look : looks) of_systems[look.system.name] = std::move(look.checks);
  return of_systems;
}

}  // namespace

std::vector<Check> preflight(const Plan& plan, const Registry& registry, const fs::path& directory) {
  std::vector<Check> checks;
  const auto blocks = expand(plan);
  const Status payloads = check_payloads(plan, blocks);
  checks.push_back(
      {"payloads", payloads.has_value(), payloads ? "can be made as planned" : payloads.error().detail});
  if (!payloads) return checks;
  const Estimate needs = estimate(plan, blocks, registry);
  std::set<fs::path> taken;
  auto of_servers = examine_servers(plan, registry, directory);
  for (const SystemPlan& system : systems_with_controls(plan)) {
    const SystemEntry* entry = find_system(registry, system.name);
    if (entry == nullptr) {
      checks.push_back({system.name, false, "is not built in"});
      continue;
    }
    check_cold(plan, system, *entry, checks);
    const auto files = files_of(system, *entry, directory);
    check_after_operations(plan, system, files, checks);
    check_probes(plan, system, *entry, files, checks);
    for (Check& check : of_servers[system.name]) checks.push_back(std::move(check));
    if (!entry->has_files) continue;
    if (entry->embedded) {
      const fs::path path = system_path(system, directory);
      checks.push_back(check_home(system, path, directory, registry, taken));
      if (checks.back().passed) checks.push_back(check_space(system.name + " disk", path, needs.disk_peak));
    } else if (system.directory) {
      checks.push_back(check_space(system.name + " disk", *system.directory, needs.disk_peak));
    }
    if (system.max_bytes && *system.max_bytes < needs.disk_peak)
      checks.push_back({system.name + " max_bytes", false,
                        fmt::format("max_bytes is {}, the largest cell needs about {} at once",
                                    format_bytes(*system.max_bytes), format_bytes(needs.disk_peak))});
  }
  if (!plan.scan.chunkers.empty()) checks.push_back(check_scans(plan.scan));
  checks.push_back(check_space("run directory", directory, Bytes{kJournalReserve}));
  for (Check& check : check_quantum(plan, blocks, registry)) checks.push_back(std::move(check));
  // A server's words may repeat what it was sent.
  for (Check& check : checks) check.detail = log_redacted(check.detail);
  return checks;
}

}  // namespace lab
