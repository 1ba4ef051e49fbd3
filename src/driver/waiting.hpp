// Waiting inside a driver's call, bounded by its deadline and its stop: for a socket, or for an operation
// that a system only starts. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/time.hpp"

namespace lab {

/// What a socket is waited for.
enum class SocketFor : std::uint8_t { kRead, kWrite, kBoth };

/// Returns when `socket` is ready (or has an error, which the next read or write then reports). Errors:
/// kTimeout, kCancelled within 50 ms of the stop, kIo for a descriptor that cannot be waited for.
Status wait_socket(int socket, SocketFor what, const CallContext& call, const char* operation);

/// Asks `done` every `interval` until it says true. Errors: its own, kTimeout, kCancelled.
template <class Done>
Status poll_until(const CallContext& call, Millis interval, const char* operation, Done&& done) {
  while (true) {
    LAB_TRY(allowed(call, operation));
    const Result<bool> answer = done();
    if (!answer) return answer.error();
    if (*answer) return ok();
    sleep_until(call.stop, std::min(call.deadline, Clock::now() + interval));
  }
}

}  // namespace lab
