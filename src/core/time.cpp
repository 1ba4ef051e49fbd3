// The machine's clocks, and the scripted clock of tests.
// SPDX-License-Identifier: Apache-2.0
#include "core/time.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <mutex>

namespace lab {
namespace {

class RealTime final : public TimeSource {
 public:
  Clock::time_point now() override { return Clock::now(); }
  bool sleep_until(const std::stop_token& stop, Clock::time_point wake) override {
    return lab::sleep_until(stop, wake);
  }
};

std::tm utc_of(std::int64_t wall_ms) {
  const std::time_t seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return parts;
}

}  // namespace

CallContext within(const CallContext& call, Millis limit) {
  return {std::min(call.deadline, Clock::now() + limit), call.stop};
}

Status allowed(const CallContext& call, const char* operation) {
  if (call.stop.stop_requested()) return Error{ErrorCode::kCancelled, operation, "a stop was requested"};
  if (Clock::now() >= call.deadline) return Error{ErrorCode::kTimeout, operation, "the deadline has passed"};
  return ok();
}

bool sleep_until(const std::stop_token& stop, Clock::time_point wake) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_until(lock, stop, wake, [] { return false; });
  return !stop.stop_requested();
}

TimeSource& real_time() {
  static RealTime time;
  return time;
}

bool ScriptedTime::sleep_until(const std::stop_token& stop, Clock::time_point wake) {
  if (stop.stop_requested()) return false;
  now_ = std::max(now_, wake);
  return true;
}

std::int64_t wall_time_ms() {
  return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string format_utc(std::int64_t wall_ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", utc_of(wall_ms), wall_ms % 1000);
}

std::string format_utc_compact(std::int64_t wall_ms) {
  return fmt::format("{:%Y%m%dT%H%M%SZ}", utc_of(wall_ms));
}

}  // namespace lab
