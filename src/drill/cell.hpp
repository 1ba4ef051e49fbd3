// One fault in one stage: the run in a child process, the fault, the resume, and what is left of it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "drill/judge.hpp"
#include "drill/matrix.hpp"
#include "drill/neighbour.hpp"
#include "drill/outcome.hpp"

namespace lab::drill {

/// A server that a drill may kill: one of our own testbed.
struct Target {
  const SystemEntry& entry;
  const testbed::Recipe& recipe;
  testbed::ServerStatus server{};
  SystemConfig config{};
};

struct DrillSetting {
  const Plan& plan;
  const Registry& registry;
  testbed::Testbed& bed;
  std::filesystem::path program{};  // This program.
  std::filesystem::path out{};
  std::uint64_t seed = 1;
  CallContext call{};
};

/// Runs the plan without a fault, five repetitions, unless that is done; what it gives. Errors: kRefused
/// where it does not end with 0.
Result<Reference> run_reference(const DrillSetting& setting, const Target& target, const Chain& chain);

/// Does it. The server runs afterwards. Errors: kCancelled alone; everything else is an outcome.
Result<Outcome> drill_cell(const DrillSetting& setting, const Target& target, const DrillCell& cell,
                           const Reference& reference, const Neighbour& neighbour);

}  // namespace lab::drill
