// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/sqlstate.hpp"

#include <gtest/gtest.h>

namespace lab::pgwire {

TEST(SqlState, SaysWhatItMeansToUs) {
  EXPECT_EQ(code_of_state("57P01"), ErrorCode::kConnectionLost);
  EXPECT_EQ(code_of_state("57P03"), ErrorCode::kConnectionLost);
  EXPECT_EQ(code_of_state("08006"), ErrorCode::kConnectionLost);
  EXPECT_EQ(code_of_state("57014"), ErrorCode::kCancelled);
  EXPECT_EQ(code_of_state("53100"), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of_state("42501"), ErrorCode::kRefused);
  EXPECT_EQ(code_of_state("28P01"), ErrorCode::kRefused);
  EXPECT_EQ(code_of_state("23505"), ErrorCode::kRefused);
  EXPECT_EQ(code_of_state("3D000"), ErrorCode::kNotFound);
  EXPECT_EQ(code_of_state("42601"), ErrorCode::kInternal);
  EXPECT_EQ(code_of_state(""), ErrorCode::kInternal);
}

TEST(SqlState, OnlyWhatMayPassByItselfIsRetried) {
  for (const char* state : {"57P01", "08006", "40001", "40P01", "53300"})
    EXPECT_TRUE(is_retryable(state)) << state;
  for (const char* state : {"23505", "53100", "28P01", "42501", ""})
    EXPECT_FALSE(is_retryable(state)) << state;
}

TEST(SqlState, IsReadFromTheWordsOfAFailedLogin) {
  EXPECT_EQ(state_in("connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password "
                     "authentication failed for user \"lab\"\nLOCATION:  auth_failed, auth.c:326\n"),
            "28P01");
  EXPECT_EQ(
      state_in(
          "connection to server at \"::1\", port 1 failed: Connection refused\n\tIs the server running?"),
      "");
  EXPECT_EQ(state_in("FATAL:  database \"12345: x\" does not exist"), "");
}

TEST(SqlState, AMessageBecomesOneLineWithoutTheServersSourceFile) {
  EXPECT_EQ(one_line("FATAL:  28P01: no\nLOCATION:  auth_failed, auth.c:326\n"), "FATAL:  28P01: no");
  EXPECT_EQ(one_line("a\n\tb\n"), "a; b");
}

}  // namespace lab::pgwire
