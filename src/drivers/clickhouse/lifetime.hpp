// Whether a server is still the process that it was, told from its uptime.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "core/time.hpp"

namespace lab::clickhouse {

/// ClickHouse tells no start time, only whole seconds of uptime. "now minus uptime" moves by a second from
/// one question to the next, and by hours when a clock is set. So the first answer is kept, and the uptime of
/// each later one is held against our own steady clock: a process that goes on ages as we do, one that was
/// started again is younger. Shared by the connections of a session; thread-safe.
class Lifetime {
 public:
  /// An answer: the uptime that was told to a question sent at `asked`, and received at `answered`, with the
  /// start that the server computed from it. Errors: none; a restart begins a new generation.
  void see(std::int64_t uptime_seconds, std::string started, Clock::time_point asked,
           Clock::time_point answered);

  /// Grows with each restart seen; 0 before the first answer.
  std::uint64_t generation() const;

  /// The start as it was told first: stable as long as the server lives.
  std::string started_at() const;

 private:
  mutable std::mutex mutex_{};
  std::uint64_t generation_ = 0;
  std::int64_t uptime_ = 0;
  Clock::time_point seen_{};
  std::string started_{};
};

}  // namespace lab::clickhouse
