// A straight line through the grades of one block, with what the uncertainty of each size does to it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "core/result.hpp"

namespace lab::report {

struct FitPoint {
  double x = 0;
  double y = 0;
  std::optional<double> uncertainty = 0;  // Systematic, of y; at least 0. Nothing where it is not known.
};

/// A figure read off the line: a linear combination of the y, so its uncertainty is sqrt(sum (c_i * u_i)^2),
/// and not known where that of a point is not.
struct FitValue {
  double value = 0;
  std::optional<double> uncertainty = 0;
};

/// Ordinary least squares with an intercept, every point with the same weight.
/// Shape:  slope = sum((x - mean x)(y - mean y)) / Sxx, Sxx = sum((x - mean x)^2);
///         at(x0) = mean y + slope * (x0 - mean x).
/// Domain: two different x at least, all finite. Errors: kInvalidArgument.
/// Source: Draper and Smith, Applied Regression Analysis, ch. 1; GUM 5.1.2 for the uncertainties.
Result<FitValue> fit_slope(std::span<const FitPoint> points);

/// The line's value at `x0`, within the points or beyond them. Domain and errors as above.
Result<FitValue> fit_value(std::span<const FitPoint> points, double x0);

}  // namespace lab::report
