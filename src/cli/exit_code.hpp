// The program's exit codes: a contract with scripts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

namespace lab::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailedCells = 1;    // Some cell failed for good, or a system was not reached.
inline constexpr int kExitUsage = 2;          // Command line, plan, or a directory that does not fit.
inline constexpr int kExitPreflight = 3;      // A check before the first write, or a lock.
inline constexpr int kExitNotWritten = 4;     // Results or journal could not be written.
inline constexpr int kExitThreshold = 5;      // compare: a threshold is broken.
inline constexpr int kExitStopAfter = 6;      // Stopped by --stop-after; can be resumed.
inline constexpr int kExitInterrupted = 130;  // SIGINT; can be resumed.
inline constexpr int kExitTerminated = 143;   // SIGTERM; can be resumed.

/// "deduplab: " and the error on stderr; returns `code`.
int fail(int code, const Error& error);

/// 3 for a lock, 4 for a full or failing disk, 2 for everything the user can put right in the command.
int exit_code_of(const Error& error);

}  // namespace lab::cli
