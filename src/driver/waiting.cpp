// poll(2) in slices, since a stop token wakes no system call.
// SPDX-License-Identifier: Apache-2.0
#include "driver/waiting.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace lab {
namespace {

constexpr Millis kSlice{50};

}  // namespace

Status wait_socket(int socket, SocketFor what, const CallContext& call, const char* operation) {
  pollfd waited{.fd = socket, .events = 0, .revents = 0};
  if (what != SocketFor::kWrite) waited.events = static_cast<short>(waited.events | POLLIN);
  if (what != SocketFor::kRead) waited.events = static_cast<short>(waited.events | POLLOUT);
  while (true) {
    LAB_TRY(allowed(call, operation));
    const auto left = std::chrono::ceil<Millis>(call.deadline - Clock::now());
    const int ready = ::poll(&waited, 1, static_cast<int>(std::clamp(left, Millis{1}, kSlice).count()));
    if (ready > 0 && (waited.revents & POLLNVAL) != 0)
      return Error{ErrorCode::kIo, operation, "the socket is closed"};
    if (ready > 0) return ok();
    if (ready < 0 && errno != EINTR) return errno_error(operation, "poll", errno);
  }
}

}  // namespace lab
