// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/lifetime.hpp"

#include <chrono>
#include <utility>

namespace lab::clickhouse {
namespace {

// Whole seconds on both sides, and clocks that differ by up to 0.1 %. No server that was measured lives and
// starts again within it.
constexpr double kSlackSeconds = 2;
constexpr double kDrift = 0.001;

}  // namespace

void Lifetime::see(std::int64_t uptime_seconds, std::string started, Clock::time_point asked,
                   Clock::time_point answered) {
  const std::lock_guard lock(mutex_);
  const double elapsed = std::chrono::duration<double>(asked - seen_).count();
  const double youngest = static_cast<double>(uptime_) + elapsed * (1 - kDrift) - kSlackSeconds;
  const bool same = generation_ > 0 && static_cast<double>(uptime_seconds) >= youngest;
  if (!same) {
    ++generation_;
    started_ = std::move(started);
  }
  // An answer to an older question than the last one seen, on another connection, tells nothing new.
  if (same && answered <= seen_) return;
  uptime_ = uptime_seconds;
  seen_ = answered;
}

std::uint64_t Lifetime::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

std::string Lifetime::started_at() const {
  const std::lock_guard lock(mutex_);
  return started_;
}

}  // namespace lab::clickhouse
