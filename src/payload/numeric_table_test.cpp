// Tables of measurements: which numbers are taken, and what is no number.
// SPDX-License-Identifier: Apache-2.0
#include "payload/numeric_table.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace lab {
namespace {

Result<std::string> bytes_of_table(std::string_view text) {
  std::string out;
  NumericTable table("n.csv", [&out](std::string_view bytes) {
    out += bytes;
    return ok();
  });
  for (std::size_t at = 0; at < text.size(); at += 5) LAB_TRY(table.take(text.substr(at, 5)));
  LAB_TRY(table.finish());
  return out;
}

std::string bytes_of_numbers(const std::vector<double>& numbers) {
  std::string bytes;
  for (const double number : numbers) bytes += number_bytes(number);
  return bytes;
}

TEST(NumericTable, GivesTheNumbersOfItsColumnsRowByRow) {
  const double missing = std::nan("");
  struct Case {
    const char* what;
    const char* text;
    std::vector<double> numbers;
  };
  for (const Case& c : {
           Case{"a header and a column of words", "name,x,y\na,1,2.5\nb,-3e2,4\n", {1, 2.5, -300, 4}},
           Case{"no header", "1;2\n3;4\n", {1, 2, 3, 4}},
           Case{"decimal commas", "x;y\n1,5;2\n", {1.5, 2}},
           Case{"two columns with decimal commas between blanks", "1,5 2,5\n3,5 4,5\n", {1.5, 2.5, 3.5, 4.5}},
           Case{"the same below a header", "a b\n1,5 2,5\n", {1.5, 2.5}},
           Case{"words between commas, with blanks in them", "name,x\nNew York,1.5\nLa Paz,2\n", {1.5, 2}},
           Case{"blanks", "  1.0  2.0\n 3.0 4.0\n", {1, 2, 3, 4}},
           Case{"missing values", "a,b\n1,2\n?,NA\n,nan\n", {1, 2, missing, missing, missing, missing}},
           Case{"a first row that lacks a value",
                "a,b,c,d\n1,,NA,\n2,5,x,\n,6,7,\n",
                {1, missing, 2, 5, missing, 6}},
           Case{"comments", "# of 3 columns 1 2\n1 2\n# 5 6\n3 4\n", {1, 2, 3, 4}},
           Case{"a short row", "1,2\n3\n", {1, 2, 3, missing}},
           Case{"a column of dates with their times, which are no numbers",
                "Datum;Wert\n31.12.2023 14:05;1,5\n01.01.2024 00:00;2\n",
                {1.5, 2}},
           Case{"nothing", "", {}},
       }) {
    SCOPED_TRACE(c.what);
    const auto bytes = bytes_of_table(c.text);
    ASSERT_TRUE(bytes) << bytes.error().text();
    EXPECT_EQ(*bytes, bytes_of_numbers(c.numbers));
  }
}

TEST(NumericTable, NamesLineAndColumnOfWhatIsNoNumber) {
  const auto bytes = bytes_of_table("a,b\n1,2\n3,four\n");
  ASSERT_FALSE(bytes);
  EXPECT_EQ(
      bytes.error().detail,
      "n.csv:3: column 2 'b' holds 'four', which is not a number such as 1234.5 or 1e-3, nor a missing one");
  const auto date = bytes_of_table("Zeit;Wert\n1,5;2\n31.12.2023 14:05;3\n");
  ASSERT_FALSE(date);
  EXPECT_EQ(date.error().detail,
            "n.csv:3: column 1 'Zeit' holds '31.12.2023 14:05', which is not a number such as 1234.5, 1234,5 "
            "or 1e-3, nor a missing one");
  const auto more = bytes_of_table("a,b\n1,2\n3,4,5\n");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().detail, "n.csv:3: 3 fields, and the first row has 2: column 3 holds '5'");
  EXPECT_TRUE(bytes_of_table("a,b,c\n1,2\n3,4,\n5,6,7\n")) << "the header has as many";
  const auto words = bytes_of_table("only\nwords\n");
  ASSERT_FALSE(words);
  EXPECT_NE(words.error().detail.find("n.csv: no number"), std::string::npos);
  EXPECT_FALSE(bytes_of_table("a\n\"1,234\"\n\"5,678\"\n")) << "nobody knows what these commas are";
}

TEST(NumberBytes, AreLittleEndianAndOneForAllThatIsMissing) {
  EXPECT_EQ(number_bytes(1.0), std::string("\0\0\0\0\0\0\xF0\x3F", 8));
  EXPECT_EQ(number_bytes(-std::nan("1")), number_bytes(std::nan("")));
}

TEST(TableNumber, IsAWholePlainNumber) {
  EXPECT_EQ(table_number("+1.5", false), 1.5);
  EXPECT_EQ(table_number("1,5", true), 1.5);
  for (const char* text : {"1,5", "", "1 2", "inf", "nan", "0x10", "1.5x"})
    EXPECT_EQ(table_number(text, false), std::nullopt) << text;
}

}  // namespace
}  // namespace lab
