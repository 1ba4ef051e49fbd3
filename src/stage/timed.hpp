// One operation, measured. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/time.hpp"
#include "stage/operations.hpp"

namespace lab {

/// Calls `operation` and records its latency in ns if it was acknowledged, without the seconds that `waited`
/// tells after it: those it has waited for us. What that adds to an operation is measured by
/// bench/measure_operation.cpp.
template <class Operation, class Waited>
Status timed(OperationsOutcome& outcome, Operation&& operation, Waited&& waited) {
  const auto sent = Clock::now();
  Status status = operation();
  if (!status) {
    outcome.errors += 1;
    return status;
  }
  const auto took = Clock::now() - sent - std::chrono::duration<double>(waited());
  outcome.latency.record(static_cast<std::uint64_t>(std::chrono::duration<double, std::nano>(took).count()));
  return status;
}

/// The same for an operation that never waits for us.
template <class Operation>
Status timed(OperationsOutcome& outcome, Operation&& operation) {
  return timed(outcome, operation, [] { return 0.0; });
}

}  // namespace lab
