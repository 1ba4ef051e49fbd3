// Waiting with a condition variable that knows stop tokens.
// SPDX-License-Identifier: Apache-2.0
#include "driver/gate.hpp"

namespace lab {

Gate::Pass::~Pass() {
  if (gate_ != nullptr) gate_->leave(alone_);
}

Result<Gate::Pass> Gate::enter_shared(const CallContext& call, const char* operation) {
  return enter(call, operation, false);
}

Result<Gate::Pass> Gate::enter_alone(const CallContext& call, const char* operation) {
  return enter(call, operation, true);
}

Result<Gate::Pass> Gate::enter(const CallContext& call, const char* operation, bool alone) {
  LAB_TRY(allowed(call, operation));
  std::unique_lock lock(mutex_);
  const auto open = [&] { return !taken_alone_ && (!alone || inside_ == 0); };
  if (!changed_.wait_until(lock, call.stop, call.deadline, open)) {
    LAB_TRY(allowed(call, operation));
    return Error{ErrorCode::kTimeout, operation, "the deadline has passed"};
  }
  if (alone)
    taken_alone_ = true;
  else
    ++inside_;
  return Pass(this, alone);
}

void Gate::leave(bool alone) {
  {
    const std::lock_guard lock(mutex_);
    if (alone)
      taken_alone_ = false;
    else
      --inside_;
  }
  changed_.notify_all();
}

CallWatch::CallWatch(const CallContext& call, std::function<void()> on_end)
    : on_end_(std::move(on_end)), on_stop_(call.stop, [this] { fire(); }) {
  if (call.deadline == Clock::time_point::max()) return;
  timer_.emplace([this, deadline = call.deadline](const std::stop_token& over) {
    if (sleep_until(over, deadline)) fire();
  });
}

void CallWatch::fire() {
  if (!fired_.exchange(true)) on_end_();
}

}  // namespace lab
