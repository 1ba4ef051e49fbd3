// Lines through points: exact ones are found, and a line that does not exist is refused.
// SPDX-License-Identifier: Apache-2.0
#include "report/regression.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lab::report {
namespace {

TEST(Regression, FindsTheLineOfPointsThatLieOnOne) {
  const std::vector<FitPoint> points{{0, 10, 0}, {200, 50, 0}, {360, 82, 0}};
  EXPECT_NEAR(fit_slope(points)->value, 0.2, 1e-12);
  EXPECT_NEAR(fit_value(points, 0)->value, 10, 1e-12);
  EXPECT_NEAR(fit_value(points, 400)->value, 90, 1e-12);
}

TEST(Regression, CarriesTheUncertaintyOfEachPoint) {
  // Through two points the line's value at one of them is that point, and beyond them the error grows.
  const std::vector<FitPoint> points{{0, 1, 3}, {10, 2, 4}};
  EXPECT_NEAR(fit_value(points, 0)->uncertainty.value(), 3, 1e-12);
  EXPECT_NEAR(fit_value(points, 10)->uncertainty.value(), 4, 1e-12);
  EXPECT_NEAR(fit_slope(points)->uncertainty.value(), 0.5, 1e-12);
  EXPECT_NEAR(fit_value(points, 20)->uncertainty.value(), std::hypot(3.0, 8.0), 1e-12);
}

TEST(Regression, OfAPointWhoseUncertaintyIsNotKnownHasNone) {
  const std::vector<FitPoint> points{{0, 1, 3}, {10, 2, std::nullopt}};
  EXPECT_NEAR(fit_value(points, 20)->value, 3, 1e-12);
  EXPECT_FALSE(fit_value(points, 0)->uncertainty);
  EXPECT_FALSE(fit_slope(points)->uncertainty);
}

TEST(Regression, RefusesWhatHasNoLine) {
  EXPECT_FALSE(fit_slope(std::vector<FitPoint>{}));
  EXPECT_FALSE(fit_slope(std::vector<FitPoint>{{1, 1, 0}}));
  EXPECT_FALSE(fit_slope(std::vector<FitPoint>{{1, 1, 0}, {1, 2, 0}}));
  EXPECT_FALSE(fit_value(std::vector<FitPoint>{{1, 1, 0}, {2, std::nan(""), 0}}, 1));
  EXPECT_FALSE(fit_value(std::vector<FitPoint>{{1, 1, 0}, {2, 2, -1}}, 1));
}

}  // namespace
}  // namespace lab::report
