// What a drill does: systems, stages and faults, and the plans that are made of the user's one for it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "drill/fault.hpp"
#include "driver/system.hpp"
#include "model/plan.hpp"

namespace lab::drill {

/// One fault in one stage of one system.
struct DrillCell {
  std::string system{};
  StageKind stage = StageKind::kBulkInsert;
  const Fault* fault = nullptr;

  std::string name() const;  // "redis/bulk_insert/kill", also its folder.
};

/// What is wanted of the matrix; empty lists mean all.
struct Wanted {
  std::vector<std::string> systems{};
  std::vector<std::string> stages{};
  std::vector<std::string> faults{};
  std::optional<std::uint64_t> sample{};  // So many cells, chosen by the seed.
  std::uint64_t seed = 1;
};

/// All cells in the order of the plan, of its servers alone. Errors: kInvalidArgument for a word that the
/// plan or the drill does not know, with the nearest one, and where nothing is left.
Result<std::vector<DrillCell>> matrix(const Plan& plan, const Registry& registry, const Wanted& wanted);

/// The first chain of the plan with this stage.
Chain chain_with(const Plan& plan, StageKind stage);

/// The user's plan for one system and one chain: its first variant, payload, size, order, placement, mode,
/// and two of its grades; no step longer than `limit`, no coming to rest longer than that or 30 s, at most 3
/// retries.
Plan plan_of_cell(const Plan& plan, const std::string& system, const Chain& chain, Millis limit,
                  int repetitions);

}  // namespace lab::drill
