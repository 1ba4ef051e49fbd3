// Each resample is drawn by the project's own generator, so that an interval can be made again from its seed.
// SPDX-License-Identifier: Apache-2.0
#include "report/resampling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/random.hpp"

namespace lab::report {

double sorted_quantile(std::span<const double> sorted, double q) {
  LAB_CHECK(!sorted.empty() && q >= 0 && q <= 1, "a quantile of a sample lies between its ends");
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::optional<double> median_of(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted_quantile(sorted, 0.5);
}

Result<BootstrapInterval> bootstrap_median(std::span<const double> values, std::uint64_t seed) {
  if (values.size() < kRunsForBootstrap)
    return Error{ErrorCode::kInvalidArgument, "bootstrap",
                 fmt::format("n too small: {} {}, an interval of latencies needs {}", values.size(),
                             values.size() == 1 ? "run" : "runs", kRunsForBootstrap)};
  if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
    return Error{ErrorCode::kInvalidArgument, "bootstrap", "a value is not finite"};
  Random random(seed);
  std::vector<double> medians;
  medians.reserve(kResamples);
  std::vector<double> drawn(values.size());
  for (int resample = 0; resample < kResamples; ++resample) {
    for (double& value : drawn) value = values[random.below(values.size())];
    std::sort(drawn.begin(), drawn.end());
    medians.push_back(sorted_quantile(drawn, 0.5));
  }
  std::sort(medians.begin(), medians.end());
  return BootstrapInterval{*median_of(values), sorted_quantile(medians, 0.025),
                           sorted_quantile(medians, 0.975)};
}

std::optional<double> cliffs_delta(std::span<const double> first, std::span<const double> second) {
  if (first.empty() || second.empty()) return std::nullopt;
  std::int64_t balance = 0;
  for (const double a : first)
    for (const double b : second) balance += b > a ? 1 : b < a ? -1 : 0;
  return static_cast<double>(balance) /
         (static_cast<double>(first.size()) * static_cast<double>(second.size()));
}

}  // namespace lab::report
