// A percentile that one repetition cannot carry is blank for the group: a median of the longer ones would be
// of other conditions. SPDX-License-Identifier: Apache-2.0
#include "report/latency.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "core/random.hpp"
#include "report/analysis.hpp"
#include "report/figures.hpp"
#include "report/resampling.hpp"

namespace lab::report {
namespace {

constexpr std::array<const char*, 5> kPercentiles{"p50", "p90", "p95", "p99", "p99.9"};
constexpr std::uint64_t kBootstrapPurpose = 0x6C61'7465'6E63'79;  // "latency": a stream of its own.

/// One value a repetition, and how many repetitions should have one.
struct RunValues {
  std::vector<double> values{};
  std::uint64_t runs = 0;
};

RunValues values_of(const RunData& run, const Group& group, const char* percentile) {
  RunValues all;
  for (const std::size_t row : group.rows) {
    const StageRecord& record = run.stages[row].record;
    if (!counts(record) || record.latency.count == 0) continue;
    all.runs += 1;
    const auto found = record.latency.values_us.find(percentile);
    if (found != record.latency.values_us.end()) all.values.push_back(found->second);
  }
  return all;
}

LatencyFigure figure_of(const RunValues& own, const RunValues& original, std::uint64_t seed) {
  LatencyFigure figure{.n = own.runs};
  if (own.values.size() < own.runs) {
    figure.missing = fmt::format("n too small: {} of {} repetitions have too few operations for it",
                                 own.runs - own.values.size(), own.runs);
    return figure;
  }
  figure.median_us = median_of(own.values);
  const auto interval = bootstrap_median(own.values, seed);
  if (!interval) {
    figure.missing = interval.error().detail;
    return figure;
  }
  figure.low = interval->low;
  figure.high = interval->high;
  if (original.values.size() == original.runs && original.runs >= kRunsForBootstrap)
    figure.cliffs_delta = cliffs_delta(original.values, own.values);
  return figure;
}

}  // namespace

std::uint64_t bootstrap_seed(const RunData& run) { return derive_seed(run.info.seed, kBootstrapPurpose); }

std::map<std::string, LatencyFigure> compute_latencies(const RunData& run, const Group& group,
                                                       const Group* original, std::uint64_t seed) {
  std::map<std::string, LatencyFigure> figures;
  for (const char* percentile : kPercentiles) {
    const RunValues own = values_of(run, group, percentile);
    if (own.runs == 0) return figures;
    const RunValues other = original == nullptr ? RunValues{} : values_of(run, *original, percentile);
    figures[percentile] = figure_of(own, other, seed);
  }
  return figures;
}

}  // namespace lab::report
