// SIGINT and SIGTERM as a stop request.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>

namespace lab::cli {

/// While it lives, the first SIGINT, SIGTERM or SIGHUP requests a stop; a second SIGINT ends the process at
/// once. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  std::stop_token token() const;

  /// 130 or 143 once a signal has come, else 0.
  static int exit_code();
};

}  // namespace lab::cli
