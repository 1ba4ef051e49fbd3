// The fault matrix over the servers of a plan: `deduplab drill`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "drill/cell.hpp"

namespace lab::drill {

/// The server of our own testbed that the plan means. Errors: kRefused in plain words for every other one,
/// since a drill kills it; kNotFound where the testbed has no such system.
Result<Target> find_target(const DrillSetting& setting, const SystemPlan& system);

/// Does all cells, those of a system next to each other; what an earlier call has done in `out` is taken from
/// there. `told` hears of each outcome. Starts no cell after `end`. Errors: those of the reference runs, of
/// the neighbour's data and of writing; kCancelled. What was done till then is in `out`.
Result<std::vector<Outcome>> run_drill(const DrillSetting& setting, const std::vector<DrillCell>& cells,
                                       Clock::time_point end,
                                       const std::function<void(const Outcome&)>& told);

}  // namespace lab::drill
