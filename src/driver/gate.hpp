// A door for many or for one, and a watch over a long call: how engines that cannot wait with a deadline are
// held. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "core/time.hpp"

namespace lab {

/// Many may be inside together, or one alone. Waiting obeys the call. The same thread may enter shared twice.
class Gate {
 public:
  /// Leaves the gate when it is destroyed.
  class Pass {
   public:
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)), alone_(other.alone_) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass();

   private:
    friend class Gate;
    Pass(Gate* gate, bool alone) : gate_(gate), alone_(alone) {}
    Gate* gate_;
    bool alone_;
  };

  /// Errors: kTimeout, kCancelled.
  Result<Pass> enter_shared(const CallContext& call, const char* operation);
  Result<Pass> enter_alone(const CallContext& call, const char* operation);

 private:
  Result<Pass> enter(const CallContext& call, const char* operation, bool alone);
  void leave(bool alone);

  std::mutex mutex_{};
  std::condition_variable_any changed_{};
  int inside_ = 0;
  bool taken_alone_ = false;
};

/// Calls `on_end` once, from another thread or at once, when the call's deadline passes or its stop is
/// requested while this object lives. After its destruction `on_end` does not run and is not running.
class CallWatch {
 public:
  CallWatch(const CallContext& call, std::function<void()> on_end);
  CallWatch(const CallWatch&) = delete;
  CallWatch& operator=(const CallWatch&) = delete;

 private:
  void fire();

  std::function<void()> on_end_;
  std::atomic<bool> fired_{false};
  std::stop_callback<std::function<void()>> on_stop_;
  std::optional<std::jthread> timer_{};  // Only where there is a deadline. Last: joined first.
};

}  // namespace lab
