// Statistics without a law of distribution, for latencies: the median, its bootstrap interval, Cliff's delta.
// Pure functions; docs/method.md explains each and names its source.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/result.hpp"

namespace lab::report {

inline constexpr std::uint64_t kRunsForBootstrap = 10;  // Fewer runs have too few different resamples.
inline constexpr int kResamples = 2'000;

/// Middle value; the mean of the two middle ones of an even number. Nothing for no value.
std::optional<double> median_of(std::span<const double> values);

/// The value below which the share `q` of the sorted values lies, linear between neighbours (Hyndman and Fan
/// 1996, type 7: what NumPy gives). Precondition: at least one value, sorted; q in [0, 1].
double sorted_quantile(std::span<const double> sorted, double q);

struct BootstrapInterval {
  double median = 0;
  double low = 0;
  double high = 0;
};

/// Percentile bootstrap of the median over runs, 95 %: `kResamples` times as many runs are drawn with
/// replacement by Random(seed), in order; the interval goes from the 2.5 % to the 97.5 % quantile of their
/// medians. The same seed gives the same interval. Domain: at least 10 values, all finite. Errors:
/// kInvalidArgument, for too few with "n too small: 4 runs, an interval of latencies needs 10".
/// Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13.
Result<BootstrapInterval> bootstrap_median(std::span<const double> values, std::uint64_t seed);

/// P(second > first) - P(second < first) over all pairs of values: -1 ... 1, 0 where neither tends to be
/// larger. Nothing where one of the two is empty. Source: Cliff, Psychological Bulletin 1993.
std::optional<double> cliffs_delta(std::span<const double> first, std::span<const double> second);

}  // namespace lab::report
