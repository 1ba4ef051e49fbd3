// `deduplab setup`: the lab's users, rights and namespaces on the servers of a plan.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"
#include "cli/plan_words.hpp"
#include "cli/say.hpp"
#include "core/log.hpp"
#include "runner/runner.hpp"
#include "runner/unreached.hpp"

namespace lab::cli {
namespace {

constexpr Millis kServerLimit{60'000};  // All statements of one server.

enum class Wish : std::uint8_t { kPrint, kApply, kUndo };

Result<Wish> wish_of(const SetupOptions& options) {
  const int given = int{options.print} + int{options.apply} + int{options.undo};
  if (given != 1)
    return Error{ErrorCode::kInvalidArgument, "setup", "give one of --print, --apply and --undo"};
  if (options.print) return Wish::kPrint;
  return options.apply ? Wish::kApply : Wish::kUndo;
}

/// What is said of one system, in text and in JSON.
struct Answer {
  std::string system{};
  std::vector<std::string> apply{};
  std::vector<std::string> undo{};
  std::string outcome{};  // "printed", "applied", "undone", "needs nothing", or why it failed.
  bool failed = false;
};

Answer failed(std::string system, const Error& error) {
  return {.system = std::move(system), .outcome = log_redacted(error.text()), .failed = true};
}

Answer set_up(const Plan& plan, const SystemPlan& system, const SystemEntry& entry, Wish wish,
              const std::stop_token& stop) {
  Answer answer{.system = system.name, .outcome = "needs nothing"};
  if (entry.admin == nullptr) return answer;
  const auto config = system_config(plan, system, entry, "", "");
  if (!config) return failed(system.name, config.error());
  const auto admin = entry.admin(*config);
  if (!admin) return failed(system.name, admin.error());
  answer.apply = (*admin)->apply_statements();
  answer.undo = (*admin)->undo_statements();
  answer.outcome = "printed";
  if (wish == Wish::kPrint) return answer;
  const CallContext call{Clock::now() + kServerLimit, stop};
  if (const Status there = reach_system(system, entry, *config, call); !there)
    return {.system = system.name, .outcome = log_redacted(there.error().detail), .failed = true};
  if (const Status right = check_identity(entry, *config, call); !right)
    return failed(system.name, right.error());
  const Status done = wish == Wish::kApply ? (*admin)->apply(call) : (*admin)->undo(call);
  if (!done) return failed(system.name, done.error());
  answer.outcome = wish == Wish::kApply ? "applied" : "undone";
  return answer;
}

void print_text(const Answer& answer, Wish wish) {
  if (wish != Wish::kPrint || answer.failed || answer.apply.empty()) {
    print("-- {}: {}\n", answer.system, answer.outcome);
    return;
  }
  // Comments as SQL has them, since most of it is.
  print("-- {}, to apply:\n", answer.system);
  for (const std::string& statement : answer.apply) print("{}\n", statement);
  print("-- {}, to undo:\n", answer.system);
  for (const std::string& statement : answer.undo) print("-- {}\n", statement);
}

}  // namespace

int setup(const SetupOptions& options, const GlobalOptions& global) {
  const auto wish = wish_of(options);
  if (!wish) return fail(kExitUsage, wish.error());
  const auto loaded = load_effective_plan(options.plan, {});
  if (!loaded) return fail(kExitUsage, loaded.error());
  if (const Status built_in = require_built_in(*loaded); !built_in) return fail(kExitUsage, built_in.error());
  const InterruptGuard interrupt;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  bool any_failed = false;
  for (const SystemPlan& system : loaded->plan.systems) {
    const SystemEntry* entry = find_system(built_in_systems(), system.name);
    LAB_CHECK(entry != nullptr, "a plan with only built-in systems");
    const Answer answer = set_up(loaded->plan, system, *entry, *wish, interrupt.token());
    any_failed = any_failed || answer.failed;
    all.push_back({{"system", answer.system},
                   {"outcome", answer.outcome},
                   {"failed", answer.failed},
                   {"apply", answer.apply},
                   {"undo", answer.undo}});
    if (!global.json) print_text(answer, *wish);
  }
  if (global.json) print("{}\n", all.dump(2));
  return any_failed ? kExitPreflight : kExitOk;
}

}  // namespace lab::cli
