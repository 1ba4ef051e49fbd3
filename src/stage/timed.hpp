// One operation, measured. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/time.hpp"
#include "stage/operations.hpp"

namespace lab {

/// Calls `operation` and records its latency in ns if it was acknowledged. What that adds to an operation is
/// measured by bench/measure_operation.cpp.
template <class Operation>
Status timed(OperationsOutcome& outcome, Operation&& operation) {
  const auto sent = Clock::now();
  Status status = operation();
  if (!status) {
    outcome.errors += 1;
    return status;
  }
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - sent);
  outcome.latency.record(static_cast<std::uint64_t>(took.count()));
  return status;
}

}  // namespace lab
