// When two plans are one plan, and how many cells a union has.
// SPDX-License-Identifier: Apache-2.0
#include "report/plan_shape.hpp"

#include <gtest/gtest.h>

namespace lab::report {
namespace {

constexpr const char* kPlan = R"(
[run]
seed = 42
[dataset]
grades = ["U0", "U90"]
objects = 40
[systems.sqlite]
variants = ["page_4096", "page_65536"]
probes = ["files"]
[systems.files]
)";

PlanShape shape_of(const std::string& text) {
  const auto shape = read_plan_shape(text);
  EXPECT_TRUE(shape) << shape.error().text();
  return shape ? *shape : PlanShape{};
}

TEST(PlanShape, HoldsEveryKeyButTheSystems) {
  const PlanShape shape = shape_of(kPlan);
  EXPECT_EQ(shape.settings.size(), 3U);
  EXPECT_EQ(shape.settings.at("run.seed"), "42");
  EXPECT_EQ(shape.settings.at("dataset.objects"), "40");
  EXPECT_EQ(shape.variants.at("sqlite"), (std::vector<std::string>{"page_4096", "page_65536"}));
  EXPECT_EQ(shape.variants.at("files"), std::vector<std::string>{"default"});
  EXPECT_EQ(shape.systems.at("sqlite").size(), 1U);
}

TEST(PlanShape, IgnoresLayoutAndSystems) {
  const std::string other =
      "dataset = {objects = 40, grades = ['U0', 'U90']}\nrun = {seed = 42}\n[systems.lmdb]\n";
  EXPECT_EQ(first_difference(shape_of(kPlan).settings, shape_of(other).settings), std::nullopt);
}

TEST(PlanShape, NamesTheKeyThatDiffers) {
  const Settings plan = shape_of(kPlan).settings;
  Settings changed = plan;
  changed["dataset.objects"] = "400";
  EXPECT_EQ(first_difference(plan, changed), "dataset.objects is 40 and 400");
  changed = plan;
  changed.erase("run.seed");
  EXPECT_EQ(first_difference(plan, changed), "run.seed is 42 and not set");
  EXPECT_EQ(first_difference(changed, plan), "run.seed is not set and 42");
}

TEST(PlanShape, RefusesWhatIsNoToml) {
  const auto shape = read_plan_shape("[run\nseed = 42");
  ASSERT_FALSE(shape);
  EXPECT_EQ(shape.error().code, ErrorCode::kInvalidArgument);
}

TEST(PlanShape, CountsTheCellsOfAUnionOnce) {
  const PlanShape both = shape_of(kPlan);
  const PlanShape one = shape_of("[systems.sqlite]\nvariants = ['page_4096']\n");
  const PlanShape other = shape_of("[systems.lmdb]\n");
  EXPECT_EQ(planned_cells_of_union({{&both, 30}}), 30U);
  EXPECT_EQ(planned_cells_of_union({{&both, 30}, {&both, 30}}), 30U);
  EXPECT_EQ(planned_cells_of_union({{&both, 30}, {&one, 10}}), 30U);
  EXPECT_EQ(planned_cells_of_union({{&both, 30}, {&one, 10}, {&other, 10}}), 40U);
  EXPECT_EQ(planned_cells_of_union({{&both, 31}}), std::nullopt);
  EXPECT_EQ(planned_cells_of_union({{&both, 30}, {&other, 11}}), std::nullopt);
  EXPECT_EQ(planned_cells_of_union({}), std::nullopt);
}

}  // namespace
}  // namespace lab::report
