// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/reply.hpp"

#include <gtest/gtest.h>

namespace lab::clickhouse {
namespace {

TEST(Reply, RowsAreTakenApartAndTheirEscapesUndone) {
  EXPECT_EQ(parse_rows(""), Rows{});
  EXPECT_EQ(parse_rows("1\ta\n2\tb\\tc\\n\\\\\\'\n"), (Rows{{"1", "a"}, {"2", "b\tc\n\\'"}}));
  EXPECT_EQ(parse_rows("\n"), (Rows{{""}})) << "a row with one empty value";
  EXPECT_EQ(parse_rows("\t\n"), (Rows{{"", ""}}));
}

TEST(Reply, ExceptionsOfOldAndNewServersGiveTheirCode) {
  const std::string old_words =
      "Code: 193, e.displayText() = DB::Exception: Wrong password for user lab, e.what() = DB::Exception\n";
  const Error old_error = exception_error(old_words, "op");
  EXPECT_EQ(old_error.code, ErrorCode::kRefused);
  EXPECT_EQ(old_error.operation, "op");
  EXPECT_EQ(old_error.detail, "Code: 193, e.displayText() = DB::Exception: Wrong password for user lab");
  const Error new_error = exception_error(
      "Code: 252. DB::Exception: Too many parts (300). (TOO_MANY_PARTS) (version 24.8.4.13)\n", "op");
  EXPECT_EQ(new_error.code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(new_error.retryable);
  EXPECT_EQ(exception_error("Code: 81. DB::Exception: Database x does not exist.", "op").code,
            ErrorCode::kNotFound);
}

TEST(Reply, TextThatIsNoExceptionIsNotTakenForOne) {
  EXPECT_EQ(exception_code("Code: 7"), std::nullopt);
  EXPECT_EQ(exception_code("DB::Exception Code: x DB::"), std::nullopt);
  EXPECT_EQ(exception_code("row Code: 395, e.displayText() = DB::Exception: Value"), 395);
  EXPECT_EQ(exception_error("<html>", "op").code, ErrorCode::kInternal);
}

TEST(Reply, LongWordsAreShortened) {
  const std::string words = "Code: 62. DB::Exception: " + std::string(100'000, 'x');
  EXPECT_LT(exception_error(words, "op").detail.size(), 1'000U);
}

TEST(Reply, LiteralsAndNamesCannotEndEarly) {
  EXPECT_EQ(literal("a'b\\c"), "'a\\'b\\\\c'");
  EXPECT_EQ(identifier("dedup-lab"), "`dedup-lab`");
  EXPECT_EQ(identifier("a`b\\"), "`a\\`b\\\\`");
}

}  // namespace
}  // namespace lab::clickhouse
