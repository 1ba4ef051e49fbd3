// Latency histogram: log-linear buckets after HdrHistogram, three significant digits, constant memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace lab {

/// The least count that carries quantile q in (0, 1): the smallest n with q^n <= 0.05, so that with 95 % of
/// confidence the largest of n values lies above the true quantile (p90: 29, p95: 59, p99: 299, p99.9:
/// 2,995). The median and what lies below it need one value.
std::uint64_t observations_needed(double q);

/// Counts of values from 1 to 3.6e12 (ns: one hour), each bucket at most 0.1 % wide. Larger values are
/// counted in the last bucket and the true maximum is kept beside; 0 counts as 1. Not thread-safe.
class Histogram {
 public:
  Histogram();
  void record(std::uint64_t value);
  void merge(const Histogram& other);

  std::uint64_t count() const noexcept { return count_; }
  /// Nothing when empty.
  std::optional<std::uint64_t> min() const;
  std::optional<std::uint64_t> max() const;
  std::optional<double> mean() const;

  /// The value at quantile q in (0, 1): the highest value equivalent to the bucket that holds the
  /// ceil(q * count)-th smallest. Nothing when the count cannot carry it: see
  /// observations_needed.
  std::optional<std::uint64_t> quantile(double q) const;

  /// HdrHistogram V2 encoding, compressed with zlib and base64: what every HdrHistogram reader decodes.
  std::string encode() const;

  /// Counts and quantiles are those of the encoded one; min, max and mean only to a bucket's width, since the
  /// format does not carry them. Errors: kCorruption, also for another range or precision than ours.
  static Result<Histogram> decode(std::string_view text);

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ = 0;
  std::uint64_t max_ = 0;
  long double sum_ = 0;
};

}  // namespace lab
