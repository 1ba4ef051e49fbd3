// What setup prints for an administrator, and what it refuses before it asks a server.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/admin.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/text.hpp"
#include "drivers/mariadb/mariadb.hpp"

namespace lab::mariadb {
namespace {

Result<std::unique_ptr<Admin>> admin_of(std::map<std::string, std::string> options = {},
                                        const std::string& url = "mariadb://root@127.0.0.1:1/") {
  return mariadb_system().admin(
      {.containers = 3, .url = url, .password = "admins", .options = std::move(options)});
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(MariadbAdmin, NeverWorksOnTheUserOfTheUrl) {
  for (const auto& refused : {admin_of({{"lab_user", "root"}}), admin_of({}, "mariadb://dedup_lab@db/")}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused) << refused.error().text();
  }
  const auto admin = admin_of();
  ASSERT_TRUE(admin) << admin.error().text();
  for (const auto& all : {(*admin)->apply_statements(), (*admin)->undo_statements()})
    EXPECT_FALSE(has(join(all, " "), "'root'")) << join(all, " ");
}

TEST(MariadbAdmin, GivesRightsToTheDatabasesOfThePlanAndToNoOthers) {
  const std::string all = join((*admin_of())->apply_statements(), "\n");
  for (const char* database : {"`dedup\\_lab`.*", "`dedup\\_lab\\_1`.*", "`dedup\\_lab\\_2`.*"})
    EXPECT_TRUE(has(all, database)) << database << " in " << all;
  EXPECT_FALSE(has(all, "%`")) << "a pattern is also the database of somebody else: " << all;
  EXPECT_FALSE(has(all, "_3`")) << all;
}

TEST(MariadbAdmin, APrintedCreationFailsWhereTheUserIsThereAndComesFirst) {
  const auto all = (*admin_of())->apply_statements();
  EXPECT_TRUE(has(all.at(0), "envsubst '${DEDUP_MARIADB_LAB_PASSWORD}' | mariadb")) << all.at(0);
  EXPECT_TRUE(all.at(1).starts_with("-- ")) << all.at(1);
  EXPECT_EQ(all.at(2), "CREATE USER 'dedup_lab'@'%' IDENTIFIED BY '${DEDUP_MARIADB_LAB_PASSWORD}';");
  EXPECT_FALSE(has(join(all, " "), "IF NOT EXISTS"));
  EXPECT_TRUE(has(all.back(), "made\\_this\\_user")) << "the mark comes last: " << all.back();
}

TEST(MariadbAdmin, APrintedUndoDropsNothingWithoutTheMark) {
  const auto all = (*admin_of())->undo_statements();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(has(all[0], "TABLE_SCHEMA = 'deduplab")) << all[0];
  EXPECT_TRUE(all[1].starts_with("EXECUTE IMMEDIATE IF(@deduplab_made > 0, 'DROP USER")) << all[1];
}

TEST(MariadbAdmin, TheLabsUserHasAPasswordOfItsOwnOrIsNotMade) {
  constexpr const char* kVariable = "DEDUP_MARIADB_LAB_PASSWORD";
  const CallContext call{Clock::now() + Millis{20'000}, {}};
  ::unsetenv(kVariable);
  const Status missing = (*admin_of())->apply(call);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kInvalidArgument) << missing.error().text();
  EXPECT_TRUE(has(missing.error().detail, kVariable)) << missing.error().detail;
  ::setenv(kVariable, "admins", 1);
  const Status same = (*admin_of())->apply(call);
  ::unsetenv(kVariable);
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().code, ErrorCode::kInvalidArgument) << same.error().text();
  EXPECT_TRUE(has(join((*admin_of())->apply_statements(), " "), kVariable));
}

}  // namespace
}  // namespace lab::mariadb
