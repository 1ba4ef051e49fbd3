// Before the first write: the rungs that a plan adds have a figure, and settling waits long enough for it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "runner/preflight.hpp"

namespace lab {

/// Passwords and tokens of the probes are there. The volume that the plan names is read once; of what
/// monitoring tells besides, only what is required must answer. A probe whose figures come later than
/// `[settle] limit` can never be at rest: an error where it is required, else a warning. Systems without a
/// volume have no check.
void check_probes(const Plan& plan, const SystemPlan& system, std::vector<Check>& checks);

}  // namespace lab
