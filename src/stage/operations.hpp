// What each stage does to the system, timed, and what it measured while doing so.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/histogram.hpp"
#include "stage/stage.hpp"

namespace lab {

struct OperationsOutcome {
  std::optional<Clock::time_point>
      began{};          // When the first objects were ready, where a stage needs objects.
  Histogram latency{};  // Nanoseconds of each acknowledged operation.
  std::uint64_t objects = 0;
  Bytes bytes{};
  std::uint64_t errors = 0;
  double client_wait_seconds = 0;
  std::string maintenance{};
};

/// What a load needs: a driver whose namespace is empty, and whom it tells.
struct Load {
  Driver& driver;
  ChainState& state;
  StageProgress& progress;  // Of what was acknowledged.
  /// Sees each object, in order, before it is sent; an error ends the load.
  std::function<Status(const MadeObject&)> look{};
};

/// Sends the whole dataset by the system's best bulk path. Errors: as of run_operations.
Status bulk_load(const Load& load, const CallContext& call, OperationsOutcome& outcome);

/// Runs the operations of the stage and tells the chain's state what was acknowledged. On an error the
/// outcome so far is in `outcome` and the state is no longer to be trusted.
Status run_operations(const StageInput& input, const CallContext& call, OperationsOutcome& outcome);

}  // namespace lab
