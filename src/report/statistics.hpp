// The formulas of the answer: dedup ratios, duplicate-removal efficiency, their intervals, and the verdict
// rule. Pure functions of plain numbers; docs/method.md explains each and names its source.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "model/verdict.hpp"

namespace lab::report {

/// Fixed before any measurement, so that no result can choose its own limits.
inline constexpr double kEquivalenceMargin = 0.02;   // delta: an eta this near to 0 is no deduplication.
inline constexpr double kFullAbove = 0.95;           // An eta above it is full deduplication.
inline constexpr std::uint64_t kPairsRequired = 5;   // Fewer complete valid pairs carry no verdict.
inline constexpr double kNoiseMultiple = 3;          // A size below this many noise floors is no number.
inline constexpr double kSystematicQuantile = 1.96;  // Two-sided 95 % of the normal distribution.

/// Why a figure of a probe has no interval, and a pair no eta, where its idle control was not watched: none
/// is not 0, and an interval without it would be too narrow.
inline constexpr std::string_view kNoNoiseFloor = "noise floor not measured";

/// What one stage left behind, as one probe saw it.
struct StoredSize {
  std::int64_t logical_bytes = 0;  // L
  std::int64_t stored_bytes = 0;   // B: after minus empty.
  double copies = 1;               // Of the application, measured.
  bool all_copies = true;          // Whether B counts all of them or one.
  double storage_copies = 1;       // Of the storage, measured; B counts one of them.
};

/// Effective deduplication ratio per copy.
/// Shape:  L / (B / n) where B counts all copies, L / B where it counts one.
/// Unit:   none; 1 = nothing saved, 10 = a tenth of the bytes are kept.
/// Domain: L > 0, B > 0, n finite and at least 1. Errors: kInvalidArgument, saying which.
Result<double> effective_dedup_ratio(const StoredSize& size);

/// The same over all copies, the storage's too: L / (B * s), or L / (B * s * n) where B counts one copy.
/// Domain and errors as above, and s finite and at least 1.
Result<double> cluster_dedup_ratio(const StoredSize& size);

/// Three independent systematic parts of one size, in bytes, each at least 0.
struct SizeUncertainty {
  double quantum =
      0;  // Allocation step: a uniform error of this width, so its deviation is quantum / sqrt(12).
  double noise = 0;    // Drift of the idle system.
  double residue = 0;  // Between the last two settle readings.
};

/// u_sys(B) = sqrt(quantum^2 / 12 + noise^2 + residue^2), bytes. Source: JCGM 100:2008 (GUM) 4.3.7, 5.1.2.
double systematic_uncertainty(const SizeUncertainty& parts);

/// One grade of a pair.
struct PairSide {
  std::int64_t logical_bytes = 0;  // L
  std::int64_t unique_bytes = 0;   // U
  std::int64_t stored_bytes = 0;   // B
  double uncertainty = 0;          // u_sys(B), bytes.
};

struct PairEfficiency {
  double eta = 0;
  double uncertainty = 0;  // u of eta that comes from u_sys of both sizes.
};

/// Duplicate-removal efficiency of the pair (U0, Ug).
/// Shape:  R = (B(Ug)/L(Ug)) / (B(U0)/L(U0)), d = 1 - U/L, eta = (1 - R) / (d(Ug) - R * d(U0)).
///         uncertainty = |d eta / d R| * R * sqrt((u(Bg)/Bg)^2 + (u(B0)/B0)^2); with d(U0) = 0 the first
///         factor is 1 / d(Ug).
/// Unit:   none; 0 = every duplicate is paid in full, 1 = duplicates are free.
/// Domain: 0 < U <= L and B > 0 on both sides, u >= 0, d(Ug) > R * d(U0). Errors: kInvalidArgument, saying
/// which.
Result<PairEfficiency> duplicate_removal_efficiency(const PairSide& original, const PairSide& graded);

/// t with P(|T| <= t) = 0.95 for Student's distribution, i.e. its 0.975 quantile, to about 1e-9.
/// Domain: degrees >= 1, fractions too (Welch); above 1e6 the value at 1e6 is given. A smaller one is a bug.
double student_t_quantile_975(double degrees);

/// A mean with its 95 % interval.
struct Estimate {
  double mean = 0;
  std::optional<double> low{}, high{};  // Absent with one value, or where the systematic part is not known.
  std::string no_interval{};            // Why they are absent; empty where they are not.
  std::uint64_t n = 0;
  double statistical = 0;  // h = t(0.975, n-1) * s / sqrt(n); 0 with one value. On the log scale for a ratio.
  double systematic = 0;   // 1.96 u; not divided by sqrt(n), since every repetition shares it.
};

/// u of several repetitions, which all share it: their mean, not known where it is not of one of them.
class SharedUncertainty {
 public:
  void add(const std::optional<double>& uncertainty);
  /// Precondition: one was added.
  std::optional<double> mean() const;

 private:
  std::optional<double> sum_ = 0;
  double count_ = 0;
};

/// mean +- sqrt(h^2 + (1.96 u)^2); without an interval where u is not known. Domain: at least one value, all
/// finite, u finite and >= 0. Errors: kInvalidArgument.
Result<Estimate> estimate(std::span<const double> values, std::optional<double> uncertainty);

/// The same for positive ratios: geometric mean, interval on the log scale, u relative. Domain: values > 0.
Result<Estimate> estimate_ratio(std::span<const double> values, std::optional<double> relative_uncertainty);

/// Second minus first mean of two independent samples with its 95 % interval: Welch's t with the degrees of
/// freedom of Satterthwaite, the systematic parts of both added in quadrature. `statistical`, `systematic` as
/// in Estimate, n of the smaller sample. Without an interval where a sample has one value or its systematic
/// part is not known. Errors: kInvalidArgument as for estimate.
struct WelchSample {
  std::span<const double> values{};
  std::optional<double> uncertainty = 0;
};
Result<Estimate> welch_difference(const WelchSample& first, const WelchSample& second);

/// A verdict word with its reason in words.
struct Judgement {
  VerdictWord word = VerdictWord::kInconclusive;
  std::string reason{};
};

/// By equivalence, from the interval alone: inside (-delta, delta) none; above 0.95 full; between the two
/// partial; else inconclusive with what it crosses. Fewer than 5 values: too_few_repetitions.
/// Source: two one-sided tests, Schuirmann 1987.
Judgement judge(const Estimate& eta);

}  // namespace lab::report
