// Latency over runs: the median of each percentile, its bootstrap interval, and how far a grade lies from U0.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

namespace lab::report {

struct Group;
struct RunData;

/// One percentile of the acknowledged operations, over the valid repetitions of one group. A run is one
/// repetition: operations inside a run are not independent, so it is runs that are resampled.
struct LatencyFigure {
  std::uint64_t n = 0;                   // Repetitions that measured single operations.
  std::optional<double> median_us{};     // Absent where some repetition has too few operations for it.
  std::optional<double> low{}, high{};   // 95 %, microseconds; absent with fewer than 10 repetitions.
  std::optional<double> cliffs_delta{};  // Against U0 of the same point; above 0: slower. From 10 each on.
  std::string missing{};                 // Why one of them is absent.
};

/// By percentile: p50, p90, p95, p99, p99.9. Empty for a stage without single operations. `original` is the
/// U0 group of the same point, or null.
std::map<std::string, LatencyFigure> compute_latencies(const RunData& run, const Group& group,
                                                       const Group* original, std::uint64_t seed);

/// The seed of every bootstrap of a run.
std::uint64_t bootstrap_seed(const RunData& run);

}  // namespace lab::report
