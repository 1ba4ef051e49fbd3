// Bounded retry: attempts, deadline and stop are the three bounds, and the last cause is kept.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "core/random.hpp"
#include "core/time.hpp"

namespace lab {

struct RetryPolicy {
  int attempts_max = 5;
  Millis delay_first{1'000};
  Millis delay_max{30'000};
  int jitter_percent = 20;  // Each delay is drawn from delay * (1 +- jitter).

  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

/// Calls `attempt` until it succeeds, fails for good, or meets one of the bounds. Returns the last error
/// itself, so the journal keeps the cause, not "gave up".
template <class Attempt>
Status retry(const CallContext& call, const RetryPolicy& policy, TimeSource& time, Random& random,
             Attempt&& attempt) {
  Millis delay = policy.delay_first;
  for (int number = 1;; ++number) {
    Status status = attempt();
    if (status || !status.error().retryable || number >= policy.attempts_max) return status;
    const auto spread = static_cast<std::int64_t>(random.below(201)) - 100;  // -100 .. 100
    const Millis jitter{delay.count() * policy.jitter_percent * spread / 10'000};
    const auto wake = time.now() + delay + jitter;
    if (wake >= call.deadline || !time.sleep_until(call.stop, wake)) return status;
    delay = std::min(delay * 2, policy.delay_max);
  }
}

}  // namespace lab
