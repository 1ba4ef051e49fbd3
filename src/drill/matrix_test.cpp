// Which cells a drill has, and what becomes of the user's plan in them.
// SPDX-License-Identifier: Apache-2.0
#include "drill/matrix.hpp"

#include <gtest/gtest.h>

#include <set>

namespace lab::drill {
namespace {

Registry registry() {
  Registry all;
  for (const char* name : {"sqlite", "redis", "kafka"}) {
    SystemEntry entry;
    entry.name = name;
    entry.embedded = entry.name == "sqlite";
    all.push_back(entry);
  }
  return all;
}

Plan some_plan() {
  Plan plan;
  plan.systems = {{.name = "sqlite"}, {.name = "redis", .variants = {"string", "hash"}}, {.name = "kafka"}};
  plan.stages.chains = {{StageKind::kBulkInsert, StageKind::kUpdate},
                        {StageKind::kBulkInsert, StageKind::kDeleteDrop}};
  plan.dataset.grades = {0, 50, 90};
  plan.dataset.payloads = {"random_binary", "structured_json"};
  return plan;
}

std::vector<std::string> names_of(const Wanted& wanted) {
  const auto cells = matrix(some_plan(), registry(), wanted);
  EXPECT_TRUE(cells) << cells.error().text();
  std::vector<std::string> names;
  if (cells)
    for (const DrillCell& cell : *cells) names.push_back(cell.name());
  return names;
}

TEST(DrillMatrix, IsEachFaultInEachStageOfEachServerOnce) {
  const auto names = names_of({});
  EXPECT_EQ(names.size(), std::size_t{2} * 3 * faults().size());
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
  EXPECT_EQ(names.front(), "redis/bulk_insert/kill");
  for (const std::string& name : names) EXPECT_FALSE(name.starts_with("sqlite")) << "it is no server";
}

TEST(DrillMatrix, WordsChooseFromIt) {
  EXPECT_EQ(names_of({.systems = {"kafka"}, .stages = {"delete_drop"}, .faults = {"cut", "kill"}}),
            (std::vector<std::string>{"kafka/delete_drop/kill", "kafka/delete_drop/cut"}));
}

TEST(DrillMatrix, AWordThatItDoesNotHaveIsNamedWithTheNearestOne) {
  struct Case {
    const char* what = "";
    Wanted wanted{};
    const char* nearest = "";
  };
  for (const Case& c : {Case{"system", {.systems = {"redsi"}}, "redis"},
                        Case{"no server", {.systems = {"sqlite"}}, "one of redis, kafka"},
                        Case{"stage", {.stages = {"updat"}}, "update"},
                        Case{"a stage of other plans", {.stages = {"maintenance"}}, "bulk_insert, update"},
                        Case{"fault", {.faults = {"kil"}}, "kill"}}) {
    SCOPED_TRACE(c.what);
    const auto cells = matrix(some_plan(), registry(), c.wanted);
    ASSERT_FALSE(cells);
    EXPECT_EQ(cells.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(cells.error().detail.find(c.nearest), std::string::npos) << cells.error().detail;
  }
}

TEST(DrillMatrix, APlanWithoutServersHasNone) {
  Plan plan = some_plan();
  plan.systems.resize(1);
  EXPECT_FALSE(matrix(plan, registry(), {}));
}

TEST(DrillMatrix, ASampleIsOfTheSeedAlone) {
  const auto first = names_of({.sample = 5, .seed = 7});
  EXPECT_EQ(first.size(), 5U);
  EXPECT_EQ(std::set(first.begin(), first.end()).size(), 5U);
  EXPECT_EQ(names_of({.sample = 5, .seed = 7}), first);
  EXPECT_NE(names_of({.sample = 5, .seed = 8}), first);
  EXPECT_EQ(names_of({.sample = 10'000, .seed = 7}), names_of({}));
}

TEST(DrillMatrix, ACellsPlanIsOneSystemAndChainWithBoundedSteps) {
  const Plan plan = some_plan();
  const Chain chain = chain_with(plan, StageKind::kDeleteDrop);
  EXPECT_EQ(chain, plan.stages.chains[1]);
  const Plan mine = plan_of_cell(plan, "redis", chain, Millis{10'000}, 3);
  ASSERT_EQ(mine.systems.size(), 1U);
  EXPECT_EQ(mine.systems[0].name, "redis");
  EXPECT_EQ(mine.systems[0].variants, std::vector<std::string>{"string"});
  EXPECT_EQ(mine.dataset.grades, (std::vector{0, 50}));
  EXPECT_EQ(mine.dataset.payloads, std::vector<std::string>{"random_binary"});
  EXPECT_EQ(mine.stages.chains, std::vector<Chain>(1, chain));
  EXPECT_EQ(mine.repetitions, 3);
  EXPECT_EQ(mine.stages.limit, Millis{10'000});
  EXPECT_EQ(mine.stages.step_limit, Millis{10'000});
  EXPECT_EQ(mine.seed, plan.seed);
}

TEST(DrillMatrix, AShortStepLeavesASystemTheTimeToComeToRest) {
  Plan plan = some_plan();
  plan.settle.limit = Millis{120'000};
  const Chain chain = chain_with(plan, StageKind::kDeleteDrop);
  EXPECT_EQ(plan_of_cell(plan, "redis", chain, Millis{10'000}, 1).settle.limit, Millis{30'000});
  EXPECT_EQ(plan_of_cell(plan, "redis", chain, Millis{60'000}, 1).settle.limit, Millis{60'000});
  plan.settle.limit = Millis{5'000};
  EXPECT_EQ(plan_of_cell(plan, "redis", chain, Millis{10'000}, 1).settle.limit, Millis{5'000})
      << "the plan's own limit is not exceeded";
}

}  // namespace
}  // namespace lab::drill
