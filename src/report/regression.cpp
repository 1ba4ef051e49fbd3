// Both figures of the line are sums of c_i * y_i, so one place computes value and uncertainty.
// SPDX-License-Identifier: Apache-2.0
#include "report/regression.hpp"

#include <algorithm>
#include <cmath>

namespace lab::report {
namespace {

struct Spread {
  double mean_x = 0;
  double sum_of_squares = 0;  // Sxx
};

Result<Spread> spread_of(std::span<const FitPoint> points) {
  const auto refuse = [](const char* why) { return Error{ErrorCode::kInvalidArgument, "regression", why}; };
  if (points.size() < 2) return refuse("a line needs two points");
  Spread spread;
  for (const FitPoint& point : points) {
    if (!std::isfinite(point.x) || !std::isfinite(point.y)) return refuse("a point is not finite");
    if (point.uncertainty && (!std::isfinite(*point.uncertainty) || *point.uncertainty < 0))
      return refuse("no uncertainty");
    spread.mean_x += point.x / static_cast<double>(points.size());
  }
  for (const FitPoint& point : points) spread.sum_of_squares += std::pow(point.x - spread.mean_x, 2);
  if (spread.sum_of_squares <= 0) return refuse("all points have one x");
  return spread;
}

template <class Coefficient>
FitValue combine(std::span<const FitPoint> points, Coefficient coefficient) {
  FitValue result;
  double variance = 0;
  bool is_known = true;
  for (const FitPoint& point : points) {
    const double c = coefficient(point);
    result.value += c * point.y;
    is_known = is_known && point.uncertainty;
    if (point.uncertainty) variance += std::pow(c * *point.uncertainty, 2);
  }
  result.uncertainty = is_known ? std::optional(std::sqrt(variance)) : std::nullopt;
  return result;
}

}  // namespace

Result<FitValue> fit_slope(std::span<const FitPoint> points) {
  const auto spread = spread_of(points);
  if (!spread) return spread.error();
  return combine(points,
                 [&](const FitPoint& point) { return (point.x - spread->mean_x) / spread->sum_of_squares; });
}

Result<FitValue> fit_value(std::span<const FitPoint> points, double x0) {
  const auto spread = spread_of(points);
  if (!spread) return spread.error();
  return combine(points, [&](const FitPoint& point) {
    return 1 / static_cast<double>(points.size()) +
           (point.x - spread->mean_x) * (x0 - spread->mean_x) / spread->sum_of_squares;
  });
}

}  // namespace lab::report
