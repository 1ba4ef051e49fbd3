// What setup prints for an administrator, and what it refuses before it asks a server.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "core/text.hpp"
#include "drivers/clickhouse/parts.hpp"

namespace lab::clickhouse {
namespace {

constexpr const char* kVariable = "DEDUP_CLICKHOUSE_LAB_PASSWORD";

std::unique_ptr<Admin> admin_of(const std::string& user = "root") {
  auto admin =
      make_admin({.containers = 3, .url = "clickhouse://" + user + "@127.0.0.1:1", .password = "admins"});
  EXPECT_TRUE(admin) << admin.error().text();
  return std::move(*admin);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(ClickhouseAdmin, WhatIsPrintedFailsFirstWhereTheUserIsAnothers) {
  const auto admin = admin_of();
  for (const auto& all : {admin->apply_statements(), admin->undo_statements()}) {
    const auto first =
        std::find_if(all.begin(), all.end(), [](const std::string& sql) { return !sql.starts_with("--"); });
    ASSERT_NE(first, all.end());
    EXPECT_TRUE(first->starts_with("SELECT throwIf(count() > 0, ")) << *first;
    EXPECT_TRUE(has(*first, "FROM system.users WHERE name = 'dedup_lab'")) << *first;
    EXPECT_TRUE(has(*first, "deduplab_made_this_user")) << *first;
  }
}

TEST(ClickhouseAdmin, WhatIsPrintedBeginsWithTheWordToReplace) {
  const auto all = admin_of()->apply_statements();
  EXPECT_TRUE(all.at(0).starts_with("-- Save the lines below")) << all.at(0);
  EXPECT_TRUE(has(all.at(0), "envsubst '${DEDUP_CLICKHOUSE_LAB_PASSWORD}' | clickhouse-client")) << all.at(0);
  EXPECT_TRUE(has(join(all, "\n"), "BY '${DEDUP_CLICKHOUSE_LAB_PASSWORD}'"));
}

TEST(ClickhouseAdmin, GivesRightsToTheDatabasesOfThePlan) {
  const std::string all = join(admin_of()->apply_statements(), "\n");
  for (const char* database : {"ON `dedup_lab`.*", "ON `dedup_lab_1`.*", "ON `dedup_lab_2`.*"})
    EXPECT_TRUE(has(all, database)) << database << " in " << all;
  EXPECT_FALSE(has(all, "dedup_lab_3")) << all;
}

TEST(ClickhouseAdmin, NeverWorksOnTheUserOfTheUrl) {
  const CallContext call{Clock::now() + Millis{20'000}, {}};
  ::setenv(kVariable, "the labs own", 1);
  EXPECT_EQ(admin_of("dedup_lab")->apply(call).error().code, ErrorCode::kRefused);
  EXPECT_EQ(admin_of("dedup_lab")->undo(call).error().code, ErrorCode::kRefused);
  ::unsetenv(kVariable);
}

TEST(ClickhouseAdmin, TheLabsUserHasAPasswordOfItsOwnOrIsNotMade) {
  const CallContext call{Clock::now() + Millis{20'000}, {}};
  ::unsetenv(kVariable);
  const Status missing = admin_of()->apply(call);
  ASSERT_FALSE(missing);
  EXPECT_TRUE(has(missing.error().detail, kVariable)) << missing.error().detail;
  ::setenv(kVariable, "admins", 1);
  const Status same = admin_of()->apply(call);
  ::unsetenv(kVariable);
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().code, ErrorCode::kInvalidArgument) << same.error().text();
}

}  // namespace
}  // namespace lab::clickhouse
