// The commands of a plan's [hooks], run without a shell and within their limits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/process.hpp"
#include "model/plan.hpp"
#include "stage/stage.hpp"

namespace lab {

/// The command of [hooks] restart for one system: `{system}` in any of its words is the system's name.
Command restart_command(const HooksPlan& hooks, const std::string& system);

/// Runs it: how a server forgets what it has cached. Returns it as text, for the record. Errors: kRefused
/// (there is none, or it ended with an error: the last of its output), kTimeout, kCancelled, kNotFound (no
/// such program).
Result<std::string> run_restart_hook(const HooksPlan& hooks, const std::string& system,
                                     const CallContext& call);

/// The command of [hooks] after_operations: `{system}`, `{stage}` and `{directory}`, the folder of the
/// system's files, in any of its words. Errors: kRefused where a word has `{directory}` and it is not known.
Result<Command> after_operations_command(const HooksPlan& hooks, const std::string& system,
                                         const std::string& stage,
                                         const std::optional<std::filesystem::path>& directory);

/// What a stage of this system does between its operations and its sizes; nothing where the plan has no such
/// hook, and for the controls that the program adds: they are to be measured as they are.
Result<std::optional<StageHook>> after_operations_hook(const Plan& plan, const SystemPlan& system,
                                                       const std::string& stage,
                                                       const std::optional<std::filesystem::path>& directory);

}  // namespace lab
