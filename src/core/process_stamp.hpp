// Telling a process from every other one that had or will have its number.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace lab {

/// What /proc/<pid>/stat says of a process.
struct ProcessStat {
  char state = '?';       // Z and X: it has ended and nobody has collected it.
  pid_t parent = 0;       // Field 4.
  pid_t session = 0;      // Field 6.
  std::string started{};  // Field 22: clock ticks from boot to its start.

  bool ended() const noexcept { return state == 'Z' || state == 'X'; }
};

/// Nothing for text that is none. The name in field 2 may hold anything.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// Nothing where there is no such process. `process` is a number, or "self".
std::optional<ProcessStat> process_stat(std::string_view process);

/// The boot that this is, or empty where the kernel does not say.
std::string boot_id();

/// A process of the local machine, for good: numbers are used again, a start time within a boot is not.
struct ProcessStamp {
  pid_t pid = 0;
  std::string started{};
  std::string boot{};
  friend bool operator==(const ProcessStamp&, const ProcessStamp&) = default;
};

/// Errors: kNotFound where no such process runs.
Result<ProcessStamp> stamp_of(pid_t pid);

/// True while that very process runs.
bool runs(const ProcessStamp& stamp);

}  // namespace lab
