// Before the first write: the rungs that a plan adds have a figure, and settling waits long enough for it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "runner/preflight.hpp"

namespace lab {

/// `files` is the folder of the system's files, or where it will be made; absent where that is not known.
/// What reads files knows where they are; programs of required commands can be run; the file system of the
/// files is the one that a required probe reads. Passwords and tokens of the probes are there. The volume
/// that the plan names is read once; of what monitoring tells besides, only what is required must answer.
/// Required commands and exporters are asked once too: they may need what the run has not made yet, so that
/// no answer is a warning. A probe whose figures come later than `[settle] limit` can never be at rest: an
/// error where it is required, else a warning.
void check_probes(const Plan& plan, const SystemPlan& system, const SystemEntry& entry,
                  const std::optional<std::filesystem::path>& files, std::vector<Check>& checks);

/// How old the figures of the probes that the plan names for a system may be: each stage rests for longer. 0
/// where none lags, and of those that can never answer.
Millis longest_lag(const Plan& plan, const SystemPlan& system);

}  // namespace lab
