// `deduplab doctor`, `systems` and `clean`: what is there, what would go wrong, what is left.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"
#include "cli/plan_words.hpp"
#include "cli/say.hpp"
#include "cli/system_flags.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "journal/journal.hpp"
#include "journal/lease.hpp"
#include "runner/home_look.hpp"
#include "runner/preflight.hpp"
#include "runner/runner.hpp"
#include "runner/unreached.hpp"

namespace lab::cli {
namespace {

namespace fs = std::filesystem;

constexpr Millis kWaitInterval{1'000};

bool all_passed(const std::vector<Check>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.passed; });
}

/// Without a plan: what is linked in and where runs would go.
std::vector<Check> general_checks() {
  std::vector<Check> checks;
  for (const SystemEntry& entry : built_in_systems()) checks.push_back({entry.name, true, entry.library});
  return checks;
}

void print_checks(const std::vector<Check>& checks, bool json) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Check& check : checks) {
    const char* const word = !check.passed ? "FAILED" : check.warning ? "warning" : "ok";
    all.push_back({{"check", check.name}, {"result", word}, {"detail", check.detail}});
    if (!json) print("{:<8} {:<18} {}\n", word, check.name, check.detail);
  }
  if (json) print("{}\n", all.dump(2));
}

struct CleanTarget {
  Plan plan{};
  RunInfo info{};
  fs::path directory{};
};

/// A run directory, or a plan file (then only systems with a `path` of their own can hold anything of ours),
/// or one system that flags name.
Result<CleanTarget> clean_target(const CleanOptions& options) {
  const fs::path& target = options.target;
  CleanTarget found;
  if (target.empty() == options.from.name.empty())
    return Error{ErrorCode::kInvalidArgument, "clean",
                 "name one of a plan, a run directory and a system, by --from"};
  if (target.empty()) {
    auto named = named_system(options.from, "--from");
    if (!named) return std::move(named).error();
    found.plan = std::move(named->plan);
    return found;
  }
  if (const std::string flag = first_flag_of(options.from); !flag.empty())
    return Error{ErrorCode::kInvalidArgument, "clean", flag + ": is of --from, a system in place of a plan"};
  std::error_code failure;
  if (fs::is_directory(target, failure)) {
    auto reader = JournalReader::open(target);
    if (!reader) return reader.error();
    auto loaded = parse_plan((*reader)->info().plan_toml, target / "journal.db", vocabulary());
    if (!loaded) return loaded.error();
    found = {std::move(loaded->plan), (*reader)->info(), target};
    return found;
  }
  auto loaded = load_plan(target, vocabulary());
  if (!loaded) return loaded.error();
  found.plan = std::move(loaded->plan);
  return found;
}

struct Leftover {
  std::string system{};
  std::string what{};   // A folder, a schema with its tables, ...
  std::string stays{};  // What in a folder is not ours.
};

constexpr Millis kLookLimit{60'000};  // Of one server.

/// What there is of ours, by system; and which systems cannot be asked, so that nothing passes for clean.
struct Leftovers {
  std::vector<Leftover> found{};
  std::vector<Leftover> refused{};
  std::vector<Leftover> gone{};  // Found before and not there now.

  bool has_refused(const std::string& system) const {
    return std::any_of(refused.begin(), refused.end(),
                       [&](const Leftover& one) { return one.system == system; });
  }
};

Result<std::vector<std::string>> leftovers_on(const SystemEntry& entry, const SystemConfig& config,
                                              const CallContext& call) {
  LAB_TRY(check_identity(entry, config, call));
  return entry.leftovers(config, call);
}

/// An embedded system's folder: into `found`, `gone` or `refused` of `all`.
void look_at_folder(const SystemPlan& system, const fs::path& path, const Leftovers& known, Leftovers& all) {
  const bool was_found = std::any_of(known.found.begin(), known.found.end(),
                                     [&](const Leftover& one) { return one.system == system.name; });
  const auto again =
      was_found ? EmbeddedHome::contents(path) : Result<HomeContents>(HomeContents{.ours = true});
  if (again && !again->ours) {
    all.gone.push_back({system.name, path.string(), names_in_words(again->others)});
    return;
  }
  const auto there = look_at_home(path, system.name, built_in_systems());
  if (!there) all.refused.push_back({system.name, there.error().text()});
  if (there && there->ours) all.found.push_back({system.name, path.string(), names_in_words(there->others)});
}

/// Systems of `known.refused` are not asked again.
Leftovers leftovers(const CleanTarget& target, const std::vector<std::string>& only,
                    const std::stop_token& stop, const Leftovers& known = {}) {
  Leftovers all{.refused = known.refused};
  for (const SystemPlan& system : systems_with_controls(target.plan)) {
    if (!only.empty() && std::find(only.begin(), only.end(), system.name) == only.end()) continue;
    if (known.has_refused(system.name)) continue;
    const SystemEntry* entry = find_system(built_in_systems(), system.name);
    if (entry != nullptr && entry->leftovers != nullptr) {
      const auto config = system_config(target.plan, system, *entry, target.info.run_id, target.directory);
      const CallContext call{Clock::now() + kLookLimit, stop};
      const Status there = config ? reach_system(system, *entry, *config, call) : Status(config.error());
      if (!there) {
        const Error& error = there.error();
        all.refused.push_back({system.name, log_redacted(config ? error.detail : error.text())});
        continue;
      }
      const auto lines = leftovers_on(*entry, *config, call);
      if (!lines) all.refused.push_back({system.name, log_redacted(lines.error().text())});
      if (lines)
        for (const std::string& line : *lines) all.found.push_back({system.name, line});
      continue;
    }
    if (!system.path && target.directory.empty()) continue;
    look_at_folder(system, system_path(system, target.directory), known, all);
  }
  return all;
}

/// A run that goes on would lose its marker and its data under its feet. A dry run takes no lease, and is
/// refused like the real one. Errors: kInUse.
Result<std::unique_ptr<Lease>> hold(const CleanTarget& target, bool dry_run) {
  if (target.directory.empty()) return std::unique_ptr<Lease>();
  if (!dry_run) return Lease::acquire(target.directory, target.info.plan_hash);
  const auto holder = describe_holder(target.directory);
  if (!holder) return holder.error();
  if (holder->empty()) return std::unique_ptr<Lease>();
  return Error{ErrorCode::kInUse, "clean", target.directory.string() + ": held by " + *holder};
}

}  // namespace

int doctor(const DoctorOptions& options, const GlobalOptions& global) {
  Millis wait{0};
  if (!options.wait.empty()) {
    const auto parsed = parse_duration(options.wait);
    if (!parsed)
      return fail(kExitUsage, {ErrorCode::kInvalidArgument, "doctor", "--wait: " + parsed.error().detail});
    wait = *parsed;
  }
  if (options.plan.empty()) {
    print_checks(general_checks(), global.json);
    return kExitOk;
  }
  const auto loaded = load_effective_plan(options.plan, {});
  if (!loaded) return fail(kExitUsage, loaded.error());
  if (const Status built_in = require_built_in(*loaded); !built_in) return fail(kExitUsage, built_in.error());
  const InterruptGuard interrupt;
  const auto end = Clock::now() + wait;
  auto checks = preflight(loaded->plan, built_in_systems(), "runs/new");
  while (!all_passed(checks) && Clock::now() < end &&
         sleep_until(interrupt.token(), Clock::now() + kWaitInterval))
    checks = preflight(loaded->plan, built_in_systems(), "runs/new");
  print_checks(checks, global.json);
  return all_passed(checks) ? kExitOk : kExitPreflight;
}

namespace {

std::vector<std::string> modes_of(const SystemEntry& entry, const VariantInfo& variant) {
  std::vector<std::string> modes{"blob"};
  if (entry.native && variant.blob_only.empty()) modes.emplace_back("native");
  return modes;
}

}  // namespace

int systems(bool features, const GlobalOptions& global) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const SystemEntry& entry : built_in_systems()) {
    nlohmann::ordered_json system{{"name", entry.name},
                                  {"what", entry.what},
                                  {"library", entry.library},
                                  {"embedded", entry.embedded},
                                  {"options", entry.options}};
    for (const VariantInfo& variant : entry.variants)
      system["variants"].push_back(
          {{"name", variant.name}, {"what", variant.what}, {"modes", modes_of(entry, variant)}});
    for (const Mechanism& mechanism : entry.mechanisms)
      system["mechanisms"].push_back(
          {{"level", mechanism.level}, {"support", mechanism.support}, {"source", mechanism.source}});
    all.push_back(system);
    if (global.json) continue;
    print("{:<10} {} ({})\n", entry.name, entry.what, entry.library);
    for (const VariantInfo& variant : entry.variants) print("    {:<20} {}\n", variant.name, variant.what);
    for (const VariantInfo& variant : entry.variants)
      if (entry.native && !variant.blob_only.empty())
        print("    {} has no mode native: {}\n", variant.name, variant.blob_only);
    print("    modes: {}\n", join(modes_of(entry, entry.variants.front()), ", "));
    if (!entry.options.empty()) print("    options: {}\n", join(entry.options, ", "));
    if (!features) continue;
    for (const Mechanism& mechanism : entry.mechanisms)
      print("    {:<12} {:<9} {}\n", mechanism.level, mechanism.support, mechanism.source);
  }
  if (global.json) print("{}\n", all.dump(2));
  return kExitOk;
}

namespace {

/// "sqlite: PATH; what is not ours stays: NAMES".
std::string line_of(const Leftover& one) {
  return fmt::format("{}: {}{}{}", one.system, one.what,
                     one.stays.empty() ? "" : "; what is not ours stays: ", one.stays);
}

/// Errors: kInvalidArgument for a name of `only` that the plan does not have.
Status check_names(const Plan& plan, const std::vector<std::string>& only) {
  std::vector<std::string> names;
  for (const SystemPlan& system : systems_with_controls(plan)) names.push_back(system.name);
  for (const std::string& name : only)
    if (std::find(names.begin(), names.end(), name) == names.end())
      return Error{ErrorCode::kInvalidArgument, "clean",
                   "--systems: the plan has no system '" + name + "'" + suggestion(name, names)};
  return ok();
}

std::vector<std::string> systems_of(const std::vector<Leftover>& found) {
  std::vector<std::string> names;
  for (const Leftover& one : found)
    if (std::find(names.begin(), names.end(), one.system) == names.end()) names.push_back(one.system);
  return names;
}

void print_cleaned(const Leftovers& after, bool dry_run) {
  bool stays = false;
  for (const Leftover& one : after.gone) {
    if (one.stays.empty()) continue;
    stays = true;
    print("removed {}\n", line_of(one));
  }
  for (const Leftover& one : after.found)
    if (!dry_run) print("left: {}: {}\n", one.system, one.what);
  for (const Leftover& one : after.refused) print("refused: {}: {}\n", one.system, one.what);
  if (after.found.empty() && after.refused.empty())
    print("{}\n", stays ? "nothing of ours is left" : "nothing is left");
}

nlohmann::ordered_json cleaned_json(const Leftovers& before, const Leftovers& after, bool dry_run) {
  nlohmann::ordered_json all;
  for (const char* key : {"found", "left", "stays", "refused"}) all[key] = nlohmann::ordered_json::array();
  for (const Leftover& one : before.found)
    all["found"].push_back({{"system", one.system}, {"path", one.what}});
  for (const Leftover& one : after.found) all["left"].push_back({{"system", one.system}, {"path", one.what}});
  for (const Leftover& one : dry_run ? before.found : after.gone)
    if (!one.stays.empty())
      all["stays"].push_back({{"system", one.system}, {"path", one.what}, {"names", one.stays}});
  for (const Leftover& one : after.refused)
    all["refused"].push_back({{"system", one.system}, {"reason", one.what}});
  return all;
}

}  // namespace

int clean(const CleanOptions& options, const GlobalOptions& global) {
  const auto target = clean_target(options);
  if (!target) return fail(exit_code_of(target.error()), target.error());
  auto lease = hold(*target, options.dry_run);
  if (!lease) return fail(exit_code_of(lease.error()), lease.error());
  if (const Status known = check_names(target->plan, options.systems); !known)
    return fail(kExitUsage, known.error());
  const InterruptGuard interrupt;
  const Leftovers before = leftovers(*target, options.systems, interrupt.token());
  if (!global.json)
    for (const Leftover& one : before.found)
      print("{} {}\n", options.dry_run ? "would remove" : "found", line_of(one));
  Status removed = ok();
  if (!options.dry_run && !before.found.empty())
    removed = remove_systems(target->plan, built_in_systems(), target->info, target->directory,
                             systems_of(before.found), interrupt.token());
  if (const int stopped = InterruptGuard::exit_code(); stopped != 0) {
    say("stopped: `deduplab clean` removes what is left\n");
    return stopped;
  }
  const Leftovers after = leftovers(*target, options.systems, interrupt.token(), before);
  if (global.json)
    print("{}\n", cleaned_json(before, after, options.dry_run).dump(2));
  else
    print_cleaned(after, options.dry_run);
  if (!removed) return fail(kExitPreflight, removed.error());
  const bool clean_now = options.dry_run || after.found.empty();
  return clean_now && after.refused.empty() ? kExitOk : kExitPreflight;
}

}  // namespace lab::cli
