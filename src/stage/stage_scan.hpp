// After a stage, when its sizes are read: what in the system's files is redundant, and where the copies are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "core/time.hpp"
#include "driver/observer.hpp"
#include "model/plan.hpp"
#include "model/record.hpp"
#include "stage/chain_state.hpp"

namespace lab {

struct StageScanInput {
  const ScanPlan& plan;
  Observer& observer;
  const ChainState& state;  // As the stage has left it: what the files should hold.
  std::function<void(double share)>
      on_progress{};  // Of the bytes to read; called often, by one thread at a time.
};

/// Whether the plan wants the files scanned after a stage of this kind.
bool scans_after(const ScanPlan& plan, StageKind kind);

/// Errors: kInvalidArgument naming the key of the plan whose value cannot do for the chunkers.
Status check_scan(const ScanPlan& plan);

/// Scans the files below the observer's folders: all of them, and by part. A file that the observer gives no
/// part is "mixed". The census looks for the contents that the system holds, and for those of the
/// dataset that it should not hold any more. Never fails: what went wrong, the plan's limit included, is the
/// reason why figures are missing.
StageScan scan_stage(const StageScanInput& input, const CallContext& call);

}  // namespace lab
