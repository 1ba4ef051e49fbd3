// The command of a plan's [hooks] restart: how a server forgets what it has cached.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/process.hpp"
#include "model/plan.hpp"

namespace lab {

/// The command for one system: `{system}` in any of its words is the system's name.
Command restart_command(const HooksPlan& hooks, const std::string& system);

/// Runs it within its limit and returns it as text, for the record. Errors: kRefused (there is none, or it
/// ended with an error: the last of its output), kTimeout, kCancelled, kNotFound (no such program).
Result<std::string> run_restart_hook(const HooksPlan& hooks, const std::string& system,
                                     const CallContext& call);

}  // namespace lab
