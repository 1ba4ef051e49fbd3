// What setup prints for an administrator, and what it refuses before it asks a server.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>

#include "drivers/postgres/postgres.hpp"

namespace lab {
namespace {

std::unique_ptr<Admin> admin_of(const std::string& url = "postgresql://root@127.0.0.1:1/db") {
  auto admin = postgresql_system().admin({.containers = 2, .url = url, .password = "admins"});
  EXPECT_TRUE(admin) << admin.error().text();
  return std::move(*admin);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(PostgresAdmin, WhatIsPrintedRefusesARoleOfOthersAsAWhole) {
  const auto admin = admin_of();
  for (auto all : {admin->apply_statements(), admin->undo_statements()}) {
    if (all.front().starts_with("-- ")) all.erase(all.begin());
    ASSERT_GE(all.size(), 4U);
    EXPECT_EQ(all.front(), "BEGIN;") << "psql goes on after an error; a failed transaction does not";
    EXPECT_EQ(all.back(), "COMMIT;");
    EXPECT_TRUE(has(all[1], "<> 'made by deduplab setup'"))
        << "the first thing that is looked at: " << all[1];
    EXPECT_TRUE(has(all[1], "RAISE EXCEPTION 'role % was not made by deduplab setup'")) << all[1];
    EXPECT_TRUE(has(all[1], "IF session_user = 'dedup_lab' THEN RAISE")) << all[1];
    for (const std::string& sql : all) EXPECT_FALSE(has(sql, "admins")) << sql;
  }
}

TEST(PostgresAdmin, NeverWorksOnTheUserOfTheUrl) {
  const CallContext call{Clock::now() + Millis{20'000}, {}};
  const auto admin = admin_of("postgresql://dedup_lab@127.0.0.1:1/db");
  ::setenv("DEDUP_PG_LAB_PASSWORD", "the labs own", 1);
  EXPECT_EQ(admin->apply(call).error().code, ErrorCode::kRefused);
  EXPECT_EQ(admin->undo(call).error().code, ErrorCode::kRefused);
  ::unsetenv("DEDUP_PG_LAB_PASSWORD");
}

TEST(PostgresAdmin, TheLabsRoleHasAPasswordOfItsOwnOrIsNotMade) {
  const CallContext call{Clock::now() + Millis{20'000}, {}};
  ::unsetenv("DEDUP_PG_LAB_PASSWORD");
  const Status missing = admin_of()->apply(call);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kInvalidArgument) << missing.error().text();
  EXPECT_TRUE(has(missing.error().detail, "DEDUP_PG_LAB_PASSWORD")) << missing.error().detail;
  const auto printed = admin_of()->apply_statements();
  EXPECT_TRUE(printed.at(0).starts_with("-- Save the lines below")) << printed.at(0);
  EXPECT_TRUE(has(printed.at(0), "envsubst '${DEDUP_PG_LAB_PASSWORD}' | psql")) << printed.at(0);
  EXPECT_TRUE(has(printed.at(3), "PASSWORD '${DEDUP_PG_LAB_PASSWORD}'")) << printed.at(3);
}

}  // namespace
}  // namespace lab
