// What must be right before the first write: payloads, sizes, folders, systems, free space.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "driver/system.hpp"
#include "model/cell.hpp"
#include "model/plan.hpp"
#include "runner/estimate.hpp"

namespace lab {

struct Check {
  std::string name{};  // "sqlite", "payload structured_json", "disk"
  bool passed = false;
  std::string detail{};  // What was found, or what is wrong and what to do.
  bool warning = false;  // Passed, but a reader should know.
};

/// The nearest folder that exists at or above `path`, absolute.
std::filesystem::path existing_above(std::filesystem::path path);

/// Every payload of the plan can be made as asked: sizes large enough, real files enough. Errors: the first
/// one's.
Status check_payloads(const Plan& plan, const std::vector<Block>& blocks);

/// Quantum rule: q + noise above 1 % of the unique bytes at the highest grade is too small for a verdict;
/// names the size needed. `quantum` by system.
std::vector<Check> check_quantum(const Plan& plan, const std::vector<Block>& blocks,
                                 const Registry& registry);

/// What a server says of itself, for each variant of `system`; writes nothing. A lock that another run holds
/// is a check that did not pass. The details may repeat what the server was sent: log_redacted is the
/// caller's.
std::vector<Check> examine_system(const Plan& plan, const SystemPlan& system, const SystemEntry& entry,
                                  const std::filesystem::path& directory, const std::stop_token& stop = {});

/// All checks; writes nothing.
std::vector<Check> preflight(const Plan& plan, const Registry& registry,
                             const std::filesystem::path& directory);

}  // namespace lab
