// One system as flags of the command line name it, in the place of a plan.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.hpp"
#include "model/plan.hpp"

namespace lab::cli {

struct NamedSystem {
  const SystemEntry& entry;
  Plan plan{};  // Of this system alone, with its one variant.

  const SystemPlan& system() const { return plan.systems.front(); }
};

/// `flag` is the one that named the system: "--into". What its driver has against the address and the options
/// is found here too; nothing is connected to. Errors: kInvalidArgument that begins with the flag and has the
/// nearest word; they never repeat an address.
Result<NamedSystem> named_system(const SystemFlags& flags, const std::string& flag);

/// The first of the flags that stands although no system is named; empty where none does.
std::string first_flag_of(const SystemFlags& flags);

/// What removes all of ours from there, to be pasted into a shell.
std::string clean_command(const SystemPlan& system);

}  // namespace lab::cli
