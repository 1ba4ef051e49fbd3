// What changed between two runs, with intervals, and thresholds that a script may set.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/analysis.hpp"

namespace lab::report {

/// One figure of one matrix point in both runs.
struct Difference {
  std::string point{};   // "sqlite/default random_binary U90 bulk_insert"
  std::string metric{};  // "eta", "edr", "stored_bytes", "duration_seconds"
  std::string probe{};
  std::optional<double> before{}, after{};
  std::optional<double> change{};       // After minus before; for ratios after / before - 1.
  std::optional<double> low{}, high{};  // 95 % interval of the change.
  std::string no_interval{};            // Why there is a change without one.
  bool only_in_first = false, only_in_second = false;
};

/// "eta<0.01,change.edr<-0.05": comparison fails if any condition holds at any matrix point (probe `files`).
/// `metric op value`, several by commas, ops < <= > >=. A bare metric is the second run's figure;
/// "change.<metric>" is the change. Metrics: eta, edr, stored_bytes, duration_seconds.
struct Threshold {
  std::string metric{};
  bool of_change = false;
  std::string op{};
  double value = 0;
};
Result<std::vector<Threshold>> parse_thresholds(std::string_view text);

struct Comparison {
  std::vector<Difference> differences{};
  std::vector<std::string> broken{};  // One sentence a broken threshold.
};
Comparison compare(const RunData& first, const Analysis& first_analysis, const RunData& second,
                   const Analysis& second_analysis, const std::vector<Threshold>& thresholds);

std::string comparison_text(const Comparison& comparison);
std::string comparison_json(const Comparison& comparison);

}  // namespace lab::report
