// SPDX-License-Identifier: Apache-2.0
#include "driver/lab_user.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace lab {
namespace {

constexpr const char* kVariable = "DEDUP_TEST_LAB_PASSWORD";

TEST(LabUser, WhatIsPrintedSaysFirstWhichWordToReplaceAndHow) {
  EXPECT_EQ(placeholder(kVariable), "${DEDUP_TEST_LAB_PASSWORD}");
  EXPECT_EQ(
      how_to_give(kVariable, kLabUsersPassword, "psql"),
      "-- Save the lines below as FILE and export DEDUP_TEST_LAB_PASSWORD, the password that the user is "
      "to have, which takes the place of ${DEDUP_TEST_LAB_PASSWORD}: grep -v '^--' FILE | envsubst "
      "'${DEDUP_TEST_LAB_PASSWORD}' | psql");
  EXPECT_EQ(how_to_give("", "", "sh"),
            "-- Save the lines below as FILE; there is no word to replace: grep -v '^--' FILE | sh");
}

TEST(LabUser, HasAPasswordOfItsOwnOrIsNotMade) {
  ::unsetenv(kVariable);
  const auto missing = lab_user_password(kVariable, "dedup_lab", "admins", "test");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(missing.error().detail.find(kVariable), std::string::npos) << missing.error().detail;

  ::setenv(kVariable, "", 1);
  EXPECT_FALSE(lab_user_password(kVariable, "dedup_lab", "", "test"));

  ::setenv(kVariable, "admins", 1);
  const auto same = lab_user_password(kVariable, "dedup_lab", "admins", "test");
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(same.error().detail.find("admins"), std::string::npos) << "an error holds no password";

  ::setenv(kVariable, "the labs", 1);
  const auto own = lab_user_password(kVariable, "dedup_lab", "admins", "test");
  ASSERT_TRUE(own);
  EXPECT_EQ(*own, "the labs");
  ::unsetenv(kVariable);
}

TEST(LabUser, IsNeverTheOneThatSetupIsLoggedInAs) {
  EXPECT_TRUE(check_not_self("dedup_lab", "admin", "test"));
  EXPECT_TRUE(check_not_self("dedup_lab", "", "test"));
  const Status self = check_not_self("dedup_lab", "dedup_lab", "test");
  ASSERT_FALSE(self);
  EXPECT_EQ(self.error().code, ErrorCode::kRefused);
}

}  // namespace
}  // namespace lab
