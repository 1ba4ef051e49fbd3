// Time as a seam: what the program asks of clocks and sleeping, with a real and a scripted answer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "core/result.hpp"
#include "core/units.hpp"

namespace lab {

using Clock = std::chrono::steady_clock;  // For durations. Wall time is recorded, never subtracted.

/// Bounds every call that can wait: a driver returns kTimeout or kCancelled, it never hangs.
struct CallContext {
  Clock::time_point deadline = Clock::time_point::max();
  std::stop_token stop{};
};

/// The same call, over after `limit` at the latest.
CallContext within(const CallContext& call, Millis limit);

/// kCancelled after a stop request, kTimeout after the deadline, else ok: a driver's first line.
Status allowed(const CallContext& call, const char* operation);

/// Sleeps until `wake` and returns true; returns false at once when a stop is requested.
bool sleep_until(const std::stop_token& stop, Clock::time_point wake);

/// The clock of everything that polls or backs off, so that tests need not wait.
class TimeSource {
 public:
  virtual ~TimeSource() = default;
  virtual Clock::time_point now() = 0;
  /// False at once when a stop is requested, true when `wake` has come.
  virtual bool sleep_until(const std::stop_token& stop, Clock::time_point wake) = 0;
};

/// The machine's own clock.
TimeSource& real_time();

/// A clock that jumps to `wake` instead of sleeping. Not thread-safe.
class ScriptedTime final : public TimeSource {
 public:
  Clock::time_point now() override { return now_; }
  bool sleep_until(const std::stop_token& stop, Clock::time_point wake) override;
  void advance(Clock::duration by) { now_ += by; }

 private:
  Clock::time_point now_ = Clock::now();
};

/// Milliseconds since 1970-01-01 UTC.
std::int64_t wall_time_ms();

/// "2026-01-31T12:00:00.123Z".
std::string format_utc(std::int64_t wall_ms);

/// "20260131T120000Z", for names of files and runs.
std::string format_utc_compact(std::int64_t wall_ms);

}  // namespace lab
