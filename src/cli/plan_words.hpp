// The words that a plan may hold, from what is linked in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.hpp"
#include "model/plan_load.hpp"

namespace lab::cli {

/// Systems, variants, options and payload kinds: built in, or known to the experiment.
const Vocabulary& vocabulary();

PlanOverrides overrides_of(const PlanFlags& flags);

/// The plan with the flags applied. Errors: load_plan's and apply's.
Result<LoadedPlan> load_effective_plan(const std::filesystem::path& file, const PlanOverrides& overrides);

/// Where a run or a drill of the plan goes if nothing else is said: "PARENT/NAME-20260131T120000Z". A name
/// may hold what would lead out of the folder; letters, digits, '.', '_' and '-' stay of it.
std::filesystem::path usual_directory(const std::string& parent, const std::string& plan_name);

/// An error when the plan asks for something that is known but not built in.
Status require_built_in(const LoadedPlan& loaded);

}  // namespace lab::cli
