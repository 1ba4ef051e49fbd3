// Closed formulas, and the two places where numbers need care: the t quantile and an interval of few values.
// SPDX-License-Identifier: Apache-2.0
#include "report/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lab::report {
namespace {

Error out_of_domain(const char* operation, std::string why) {
  return {ErrorCode::kInvalidArgument, operation, std::move(why)};
}

Status check_size(const StoredSize& size) {
  if (size.logical_bytes <= 0) return out_of_domain("edr", "logical bytes are not positive");
  if (size.stored_bytes <= 0) return out_of_domain("edr", "stored bytes are not positive");
  if (!std::isfinite(size.copies) || size.copies < 1)
    return out_of_domain("edr", "the number of copies is not known");
  return ok();
}

Status check_side(const PairSide& side, const char* name) {
  if (side.logical_bytes <= 0) return out_of_domain("eta", fmt::format("{}: no logical bytes", name));
  if (side.unique_bytes <= 0 || side.unique_bytes > side.logical_bytes)
    return out_of_domain("eta", fmt::format("{}: unique bytes are not within (0, logical bytes]", name));
  if (side.stored_bytes <= 0)
    return out_of_domain("eta", fmt::format("{}: stored bytes are not positive", name));
  if (!std::isfinite(side.uncertainty) || side.uncertainty < 0)
    return out_of_domain("eta", fmt::format("{}: no uncertainty", name));
  return ok();
}

double duplicate_share(const PairSide& side) {
  return 1 - static_cast<double>(side.unique_bytes) / static_cast<double>(side.logical_bytes);
}

double cost_per_byte(const PairSide& side) {
  return static_cast<double>(side.stored_bytes) / static_cast<double>(side.logical_bytes);
}

double relative(const PairSide& side) { return side.uncertainty / static_cast<double>(side.stored_bytes); }

/// Continued fraction of the incomplete beta function by Lentz's method (Numerical Recipes, 6.4;
/// DLMF 8.17.22).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr int kTermsMax = 100'000;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m <= kTermsMax; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < 1e-15) break;
  }
  return fraction;
}

/// I_x(a, b), for 0 < x < 1. The fraction converges fast on one side of the mean, so the other is mirrored.
double incomplete_beta(double a, double b, double x) {
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/// P(|T| > t) (Abramowitz and Stegun 26.7.1, 26.5.27).
double two_sided_tail(double t, double degrees) {
  return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Squared standard deviation of the sample (n - 1). Precondition: two values or more.
double variance_of(std::span<const double> values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size() - 1);
}

Status check_sample(std::span<const double> values, const std::optional<double>& uncertainty) {
  if (values.empty()) return out_of_domain("interval", "no value");
  const bool finite =
      std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  if (!finite) return out_of_domain("interval", "a value is not finite");
  if (uncertainty && (!std::isfinite(*uncertainty) || *uncertainty < 0))
    return out_of_domain("interval", "no uncertainty");
  return ok();
}

/// Nothing, with the reason, for one repetition and where the systematic part is not known.
void set_interval(bool is_systematic_known, Estimate& result) {
  if (result.n < 2 || !is_systematic_known) {
    result.no_interval = is_systematic_known ? "one repetition" : kNoNoiseFloor;
    return;
  }
  const double half = std::hypot(result.statistical, result.systematic);
  result.low = result.mean - half;
  result.high = result.mean + half;
}

/// Which limits an inconclusive interval meets, and what would make it narrower.
std::string why_inconclusive(const Estimate& eta) {
  const double low = *eta.low;
  const double high = *eta.high;
  if (high <= -kEquivalenceMargin)
    return "the 95 % interval lies below -0.02: a copy costs more than a distinct object";
  std::vector<std::string> limits;
  for (const double limit : {-kEquivalenceMargin, kEquivalenceMargin, kFullAbove})
    if (low <= limit && high >= limit) limits.push_back(fmt::format("{:.2f}", limit));
  const bool systematic = eta.systematic > eta.statistical;
  return fmt::format("the 95 % interval crosses {}; {}", fmt::join(limits, " and "),
                     systematic
                         ? "it is wide by noise and allocation steps: more bytes a cell make it narrower"
                         : "it is wide by the spread of repetitions: more of them make it narrower");
}

}  // namespace

Result<double> effective_dedup_ratio(const StoredSize& size) {
  LAB_TRY(check_size(size));
  const double ratio = static_cast<double>(size.logical_bytes) / static_cast<double>(size.stored_bytes);
  return size.all_copies ? ratio * size.copies : ratio;
}

Result<double> cluster_dedup_ratio(const StoredSize& size) {
  LAB_TRY(check_size(size));
  if (!std::isfinite(size.storage_copies) || size.storage_copies < 1)
    return out_of_domain("edr", "the number of the storage's copies is not known");
  const double ratio = static_cast<double>(size.logical_bytes) / static_cast<double>(size.stored_bytes);
  return (size.all_copies ? ratio : ratio / size.copies) / size.storage_copies;
}

double systematic_uncertainty(const SizeUncertainty& parts) {
  return std::sqrt(parts.quantum * parts.quantum / 12 + parts.noise * parts.noise +
                   parts.residue * parts.residue);
}

Result<PairEfficiency> duplicate_removal_efficiency(const PairSide& original, const PairSide& graded) {
  LAB_TRY(check_side(original, "U0"));
  LAB_TRY(check_side(graded, "Ug"));
  const double cost_ratio = cost_per_byte(graded) / cost_per_byte(original);
  const double share = duplicate_share(graded);
  const double share_before = duplicate_share(original);
  const double removable = share - cost_ratio * share_before;
  if (removable <= 0) return out_of_domain("eta", "Ug has no larger share of duplicates than U0");
  const double slope = (share - share_before) / (removable * removable);
  return PairEfficiency{
      .eta = (1 - cost_ratio) / removable,
      .uncertainty = std::abs(slope) * cost_ratio * std::hypot(relative(graded), relative(original)),
  };
}

double student_t_quantile_975(double degrees) {
  LAB_CHECK(degrees >= 1, "a t quantile needs at least one degree of freedom");
  const double capped = std::min(degrees, 1e6);
  // Between the quantile of the normal distribution and that of one degree of freedom; the tail falls with t.
  double low = 1.9;
  double high = 12.8;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (two_sided_tail(middle, capped) > 0.05 ? low : high) = middle;
  }
  return (low + high) / 2;
}

void SharedUncertainty::add(const std::optional<double>& uncertainty) {
  count_ += 1;
  sum_ = sum_ && uncertainty ? std::optional(*sum_ + *uncertainty) : std::nullopt;
}

std::optional<double> SharedUncertainty::mean() const {
  if (!sum_) return std::nullopt;
  return *sum_ / count_;
}

Result<Estimate> estimate(std::span<const double> values, std::optional<double> uncertainty) {
  LAB_TRY(check_sample(values, uncertainty));
  Estimate result{.mean = mean_of(values), .n = values.size()};
  if (uncertainty) result.systematic = kSystematicQuantile * *uncertainty;
  const auto n = static_cast<double>(values.size());
  if (values.size() >= 2)
    result.statistical = student_t_quantile_975(n - 1) * std::sqrt(variance_of(values) / n);
  set_interval(uncertainty.has_value(), result);
  return result;
}

Result<Estimate> estimate_ratio(std::span<const double> values, std::optional<double> relative_uncertainty) {
  std::vector<double> logs;
  for (const double value : values) {
    if (!(value > 0)) return out_of_domain("interval", "a ratio is not positive");
    logs.push_back(std::log(value));
  }
  auto result = estimate(logs, relative_uncertainty);
  if (!result) return result;
  result->mean = std::exp(result->mean);
  if (result->low) result->low = std::exp(*result->low);
  if (result->high) result->high = std::exp(*result->high);
  return result;
}

Result<Estimate> welch_difference(const WelchSample& first, const WelchSample& second) {
  LAB_TRY(check_sample(first.values, first.uncertainty));
  LAB_TRY(check_sample(second.values, second.uncertainty));
  Estimate result{.mean = mean_of(second.values) - mean_of(first.values),
                  .n = std::min(first.values.size(), second.values.size())};
  const bool is_known = first.uncertainty && second.uncertainty;
  if (is_known) result.systematic = kSystematicQuantile * std::hypot(*first.uncertainty, *second.uncertainty);
  if (result.n < 2) {
    set_interval(is_known, result);
    return result;
  }
  const auto n1 = static_cast<double>(first.values.size());
  const auto n2 = static_cast<double>(second.values.size());
  const double v1 = variance_of(first.values) / n1;
  const double v2 = variance_of(second.values) / n2;
  if (v1 + v2 > 0) {
    // At least min(n1, n2) - 1 by construction; the maximum holds that against rounding.
    const double degrees = (v1 + v2) * (v1 + v2) / (v1 * v1 / (n1 - 1) + v2 * v2 / (n2 - 1));
    result.statistical = student_t_quantile_975(std::max(degrees, 1.0)) * std::sqrt(v1 + v2);
  }
  set_interval(is_known, result);
  return result;
}

Judgement judge(const Estimate& eta) {
  if (eta.n < kPairsRequired)
    return {VerdictWord::kTooFewRepetitions,
            fmt::format("{} complete valid pairs; a verdict needs {}", eta.n, kPairsRequired)};
  if (!eta.low || !eta.high) return {VerdictWord::kInconclusive, "there is no interval"};
  if (*eta.low > -kEquivalenceMargin && *eta.high < kEquivalenceMargin)
    return {VerdictWord::kNone, "the 95 % interval lies within +-0.02"};
  if (*eta.low > kFullAbove) return {VerdictWord::kFull, "the 95 % interval lies above 0.95"};
  if (*eta.low >= kEquivalenceMargin && *eta.high <= kFullAbove)
    return {VerdictWord::kPartial, "the 95 % interval lies between 0.02 and 0.95"};
  return {VerdictWord::kInconclusive, why_inconclusive(eta)};
}

}  // namespace lab::report
