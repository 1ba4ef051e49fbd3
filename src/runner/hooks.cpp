// SPDX-License-Identifier: Apache-2.0
#include "runner/hooks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "core/log.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

constexpr Bytes kOutputMax{4 << 10};  // Of its output in an error, which becomes part of a record.

using Words = std::vector<std::pair<std::string_view, std::string>>;  // "{system}" -> what stands for it.

Command filled(const std::vector<std::string>& argv, const Words& words) {
  Command command{.secrets = true};  // The plan's author may have it log in somewhere.
  for (std::string word : argv) {
    for (const auto& [name, value] : words)
      for (std::size_t at = 0; (at = word.find(name, at)) != std::string::npos; at += value.size())
        word.replace(at, name.size(), value);
    command.argv.push_back(std::move(word));
  }
  return command;
}

Status run_hook(const std::string& operation, const Command& command, Millis limit, bool leaves_running,
                const CallContext& call) {
  const CallContext bounded = within(call, limit);
  const auto ended = run_command(bounded, command, {.output = kOutputMax, .leaves_running = leaves_running});
  if (!ended) {
    Error error = ended.error();
    error.operation = operation;
    error.detail = log_redacted(error.detail);
    return error;
  }
  if (ended->exit_code == 0) return ok();
  const std::string said = log_redacted(trim(ended->output));
  return Error{ErrorCode::kRefused, operation,
               fmt::format("{} ended with exit code {}{}", to_text(command), ended->exit_code,
                           said.empty() ? " and no output" : ": " + said)};
}

}  // namespace

Command restart_command(const HooksPlan& hooks, const std::string& system) {
  return filled(hooks.restart, {{"{system}", system}});
}

Result<std::string> run_restart_hook(const HooksPlan& hooks, const std::string& system,
                                     const CallContext& call) {
  if (hooks.restart.empty())
    return Error{ErrorCode::kRefused, "hooks.restart",
                 "the cache of a server is emptied by a restart, and the plan has no [hooks] restart"};
  const Command command = restart_command(hooks, system);
  LAB_TRY(run_hook("hooks.restart", command, hooks.restart_limit, true, call));
  return to_text(command);
}

Result<Command> after_operations_command(const HooksPlan& hooks, const std::string& system,
                                         const std::string& stage,
                                         const std::optional<std::filesystem::path>& directory) {
  constexpr std::string_view kDirectory = "{directory}";
  const bool wanted =
      std::any_of(hooks.after_operations.begin(), hooks.after_operations.end(),
                  [&](const std::string& word) { return word.find(kDirectory) != word.npos; });
  if (wanted && !directory)
    return Error{ErrorCode::kRefused, "hooks.after_operations",
                 "it names {directory}, and the folder of the system's files is not known: give 'directory'"};
  return filled(hooks.after_operations, {{"{system}", system},
                                         {"{stage}", stage},
                                         {kDirectory, directory ? directory->string() : std::string()}});
}

Result<std::optional<StageHook>> after_operations_hook(
    const Plan& plan, const SystemPlan& system, const std::string& stage,
    const std::optional<std::filesystem::path>& directory) {
  if (plan.hooks.after_operations.empty() || system.control) return std::optional<StageHook>{};
  auto command = after_operations_command(plan.hooks, system.name, stage, directory);
  if (!command) return std::move(command).error();
  StageHook hook{.command = to_text(*command)};
  hook.run = [command = std::move(*command),
              limit = plan.hooks.after_operations_limit](const CallContext& call) {
    return run_hook("hooks.after_operations", command, limit, false, call);
  };
  return std::optional(std::move(hook));
}

}  // namespace lab
