// SPDX-License-Identifier: Apache-2.0
#include "runner/restart_hook.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"

namespace lab {
namespace {

constexpr std::string_view kPlaceholder = "{system}";
constexpr Bytes kOutputMax{4 << 10};  // Of its output in an error, which becomes part of a record.

}  // namespace

Command restart_command(const HooksPlan& hooks, const std::string& system) {
  Command command;
  for (std::string word : hooks.restart) {
    for (std::size_t at = 0; (at = word.find(kPlaceholder, at)) != std::string::npos; at += system.size())
      word.replace(at, kPlaceholder.size(), system);
    command.argv.push_back(std::move(word));
  }
  return command;
}

Result<std::string> run_restart_hook(const HooksPlan& hooks, const std::string& system,
                                     const CallContext& call) {
  if (hooks.restart.empty())
    return Error{ErrorCode::kRefused, "hooks.restart",
                 "the cache of a server is emptied by a restart, and the plan has no [hooks] restart"};
  const Command command = restart_command(hooks, system);
  const CallContext bounded{std::min(call.deadline, Clock::now() + hooks.restart_limit), call.stop};
  const auto ended = run_command(bounded, command, {.output = kOutputMax});
  if (!ended) {
    Error error = ended.error();
    error.operation = "hooks.restart";
    return error;
  }
  if (ended->exit_code != 0) {
    const std::string said(trim(ended->output));
    return Error{ErrorCode::kRefused, "hooks.restart",
                 fmt::format("{} ended with exit code {}{}", to_text(command), ended->exit_code,
                             said.empty() ? " and no output" : ": " + said)};
  }
  return to_text(command);
}

}  // namespace lab
