// deduplab drill: what a run does when servers die, hang and fill up, and when it is killed itself.
// SPDX-License-Identifier: Apache-2.0
#include "drill/drill.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"
#include "cli/plan_words.hpp"
#include "cli/say.hpp"
#include "core/files.hpp"
#include "model/plan_load.hpp"
#include "runner/preflight.hpp"

namespace lab::cli {
namespace {

namespace fs = std::filesystem;
using drill::Answer;
using drill::Outcome;

Error usage(std::string why) { return {ErrorCode::kInvalidArgument, "drill", std::move(why)}; }

/// What a drill is about: the plan, and the seed that chooses moments and sample.
std::string about(const Plan& plan, const DrillOptions& options) {
  return fmt::format("plan {}\nseed {}\n", plan_hash(plan), options.seed);
}

/// A folder that is new or empty, or holds a drill of this very plan and seed.
Status take_folder(const fs::path& out, const std::string& what) {
  const fs::path mark = out / "drill.txt";
  std::error_code failure;
  if (!fs::exists(out, failure)) {
    LAB_TRY(make_directories(out));
    return write_file_atomic(mark, what);
  }
  const auto before = read_file(mark);
  if (before && *before == what) return ok();
  if (before)
    return usage(out.string() + " holds a drill of another plan or seed: name a new one with --out");
  const auto used = has_entries(out);
  if (!used) return used.error();
  if (*used) return usage(out.string() + " is not empty and holds no drill: name a new one with --out");
  return write_file_atomic(mark, what);
}

void print_outcomes(const std::vector<Outcome>& outcomes, const GlobalOptions& global) {
  if (global.json) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const Outcome& outcome : outcomes) all.push_back(nlohmann::ordered_json::parse(to_json(outcome)));
    print("{}\n", all.dump(2));
    return;
  }
  for (std::size_t index = 0; index <= static_cast<std::size_t>(Answer::kNotAllowed); ++index) {
    const auto answer = static_cast<Answer>(index);
    const auto count = std::count_if(outcomes.begin(), outcomes.end(),
                                     [&](const Outcome& outcome) { return outcome.answer == answer; });
    if (count > 0) print("{}: {}\n", drill::to_string(answer), count);
  }
}

/// All servers of the drill are the testbed's, before the first of them is touched.
Status check_targets(const drill::DrillSetting& setting, const std::vector<drill::DrillCell>& cells) {
  for (const SystemPlan& system : setting.plan.systems) {
    const bool meant = std::any_of(cells.begin(), cells.end(),
                                   [&](const drill::DrillCell& cell) { return cell.system == system.name; });
    if (!meant) continue;
    if (const auto target = find_target(setting, system); !target) return target.error();
  }
  return ok();
}

int finish(const drill::DrillSetting& setting, const std::vector<drill::DrillCell>& cells,
           std::optional<Millis> limit, const GlobalOptions& global) {
  const auto began = Clock::now();
  const auto end = limit ? began + *limit : Clock::time_point::max();
  const auto outcomes = run_drill(setting, cells, end, [&](const Outcome& outcome) {
    if (!global.json) print("{}\n", to_line(outcome));
    static_cast<void>(std::fflush(stdout));
  });
  if (const int by_signal = InterruptGuard::exit_code(); by_signal != 0) {
    say("stopped; what is done is kept. Go on with the same command and --out {}\n", setting.out.string());
    return by_signal;
  }
  if (!outcomes) return fail(kExitFailedCells, outcomes.error());
  print_outcomes(*outcomes, global);
  const bool bad = std::any_of(outcomes->begin(), outcomes->end(),
                               [](const Outcome& outcome) { return outcome.answer == Answer::kNotAllowed; });
  if (bad) return kExitFailedCells;
  return outcomes->size() < cells.size() ? kExitStopAfter : kExitOk;
}

}  // namespace

int drill(const DrillOptions& options, const GlobalOptions& global) {
  std::optional<Millis> limit;
  if (!options.limit.empty()) {
    const auto parsed = parse_duration(options.limit);
    if (!parsed) return fail(kExitUsage, usage("--limit: " + parsed.error().detail));
    limit = *parsed;
  }
  if (options.sample && *options.sample < 1) return fail(kExitUsage, usage("--sample: from 1 on"));
  const auto loaded = load_effective_plan(options.plan, {});
  if (!loaded) return fail(kExitUsage, loaded.error());
  if (const Status built_in = require_built_in(*loaded); !built_in) return fail(kExitUsage, built_in.error());
  drill::Wanted wanted{options.systems, options.stages, options.faults, {}, options.seed};
  if (options.sample) wanted.sample = static_cast<std::uint64_t>(*options.sample);
  const auto cells = matrix(loaded->plan, built_in_systems(), wanted);
  if (!cells) return fail(kExitUsage, cells.error());
  const auto state = testbed::default_state_folder();
  if (!state) return fail(kExitUsage, state.error());
  testbed::TestbedOptions settings;
  settings.state = *state;
  settings.search.folders = testbed::server_folders();
  testbed::Testbed bed(settings);
  const fs::path out = options.out.empty() ? usual_directory("drills", loaded->plan.name) : options.out;
  std::error_code failure;
  const InterruptGuard interrupt;
  const drill::DrillSetting setting{.plan = loaded->plan,
                                    .registry = built_in_systems(),
                                    .bed = bed,
                                    .program = fs::read_symlink("/proc/self/exe", failure),
                                    .out = fs::absolute(out),
                                    .seed = options.seed,
                                    .call = {Clock::time_point::max(), interrupt.token()}};
  if (failure) return fail(kExitNotWritten, errno_error("drill", "/proc/self/exe", failure.value()));
  if (const Status ours = check_targets(setting, *cells); !ours) return fail(kExitPreflight, ours.error());
  if (const Status taken = take_folder(setting.out, about(loaded->plan, options)); !taken)
    return fail(exit_code_of(taken.error()), taken.error());
  say("drill: {} cells, seed {}, in {}\n", cells->size(), options.seed, setting.out.string());
  return finish(setting, *cells, limit, global);
}

}  // namespace lab::cli
