// What a plan's text says, key by key, as far as uniting directories of one plan needs it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"

namespace lab::report {

using Settings = std::map<std::string, std::string>;  // "dataset.grades" -> the value as TOML text.

struct PlanShape {
  Settings settings{};                                         // Everything but [systems.*].
  std::map<std::string, Settings> systems{};                   // By name, without the variants.
  std::map<std::string, std::vector<std::string>> variants{};  // By system; "default" where none is named.
  std::vector<std::string> payloads{};                         // As the plan orders them.
  std::optional<Millis> sample_interval{};                     // Absent where the text does not say it.
};

/// Errors: kInvalidArgument when the text is no TOML.
Result<PlanShape> read_plan_shape(std::string_view toml_text);

/// The first key in which two plans differ, with both values: "dataset.objects is 40 and 400"; systems are
/// not compared. Nothing when they are the same.
std::optional<std::string> first_difference(const Settings& a, const Settings& b);

/// Cells of the union of several runs of one plan. Cells are a product, so each run's number is proportional
/// to its variants; a variant that several runs name counts once. Nothing where the numbers do not fit that.
struct PlannedRun {
  const PlanShape* shape = nullptr;
  std::uint64_t cells = 0;
};
std::optional<std::uint64_t> planned_cells_of_union(const std::vector<PlannedRun>& runs);

}  // namespace lab::report
