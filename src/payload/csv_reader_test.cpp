// Tables in text: rows and fields as RFC 4180 says, however the bytes come in.
// SPDX-License-Identifier: Apache-2.0
#include "payload/csv_reader.hpp"

#include <gtest/gtest.h>

namespace lab {
namespace {

using Rows = std::vector<std::pair<std::uint64_t, std::vector<std::string>>>;

Rows rows_of(std::string_view text, char delimiter, std::size_t piece) {
  Rows rows;
  CsvReader reader("t.csv", delimiter, [&rows](const CsvRow& row) {
    rows.emplace_back(row.line, row.fields);
    return ok();
  });
  for (std::size_t at = 0; at < text.size(); at += piece) EXPECT_TRUE(reader.take(text.substr(at, piece)));
  EXPECT_TRUE(reader.finish());
  return rows;
}

TEST(CsvReader, GivesTheSameRowsHoweverItsBytesAreCut) {
  struct Case {
    const char* what;
    const char* text;
    char delimiter;
    Rows rows;
  };
  const std::vector<Case> cases = {
      {"plain", "a,b\nc,d\n", ',', {{1, {"a", "b"}}, {2, {"c", "d"}}}},
      {"no last line end", "a,b\nc,d", ',', {{1, {"a", "b"}}, {2, {"c", "d"}}}},
      {"all sorts of line ends", "a\r\nb\rc\n", ',', {{1, {"a"}}, {2, {"b"}}, {3, {"c"}}}},
      {"empty fields", ";x;\n;;\n", ';', {{1, {"", "x", ""}}, {2, {"", "", ""}}}},
      {"quotes",
       "\"a,\"\"b\"\"\",\"two\nlines\"\nc,\"\"\n",
       ',',
       {{1, {"a,\"b\"", "two\nlines"}}, {3, {"c", ""}}}},
      {"a quote inside", "5\" pipe,x\n", ',', {{1, {"5\" pipe", "x"}}}},
      {"empty lines are no rows", "\n\na\n\nb\n", ',', {{3, {"a"}}, {5, {"b"}}}},
      {"an empty quoted field is one", "\"\"\n", ',', {{1, {""}}}},
      {"runs of blanks", "  1   2\t 3 \n4 5 6\n", ' ', {{1, {"1", "2", "3"}}, {2, {"4", "5", "6"}}}},
  };
  for (const Case& c : cases)
    for (const std::size_t piece : {1U, 2U, 3U, 100U}) {
      SCOPED_TRACE(c.what);
      EXPECT_EQ(rows_of(c.text, c.delimiter, piece), c.rows) << piece;
    }
}

TEST(CsvReader, NamesTheLineOfAQuoteThatDoesNotEnd) {
  CsvReader open("t.csv", ',', [](const CsvRow&) { return ok(); });
  ASSERT_TRUE(open.take("a\n\"b\nc\n"));
  const Status ended = open.finish();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().detail, "t.csv:2: a quote that does not end");
  CsvReader endless("t.csv", ',', [](const CsvRow&) { return ok(); });
  const Status taken = endless.take("\"" + std::string(2U << 20U, 'x'));
  ASSERT_FALSE(taken) << "memory is bounded";
  EXPECT_EQ(taken.error().code, ErrorCode::kCorruption);
}

TEST(CsvReader, EndsWithTheErrorOfItsSink) {
  CsvReader reader("t.csv", ',',
                   [](const CsvRow&) -> Status { return Error{ErrorCode::kIo, "sink", "full"}; });
  EXPECT_EQ(reader.take("a\nb\n").error().code, ErrorCode::kIo);
}

TEST(FirstRows, AreAtMostAsManyAsAskedAndSurviveACutQuote) {
  EXPECT_EQ(first_rows("a\nb\nc\n", ',', 2).size(), 2U);
  EXPECT_EQ(first_rows("a\n\"b", ',', 9).size(), 1U);
}

TEST(AsUtf8, TakesOtherTextForWindows1252) {
  EXPECT_EQ(as_utf8("Empfänger"), "Empfänger");
  EXPECT_EQ(as_utf8("Empf\xE4nger \x80"), "Empfänger €");
}

TEST(CsvField, IsQuotedWhereItHasTo) {
  EXPECT_EQ(csv_field("plain text"), "plain text");
  EXPECT_EQ(csv_field("a,\"b\""), "\"a,\"\"b\"\"\"");
  EXPECT_EQ(csv_field("a\nb"), "\"a\nb\"");
}

TEST(CsvField, IsShownWithoutControlsAndCutBetweenTwoLetters) {
  EXPECT_EQ(shown_field(1, " Betrag ", "12\x1b[2J"), "column 2 'Betrag' holds '12\\x1b[2J'");
  EXPECT_EQ(shown_field(0, "", "\xE4"), "column 1 holds 'ä'") << "Windows-1252";
  EXPECT_EQ(shown_text(std::string(60, 'x')), "'" + std::string(60, 'x') + "'");
  EXPECT_EQ(shown_text(std::string(61, 'x')), "'" + std::string(60, 'x') + "...' (61 bytes)");
  EXPECT_EQ(shown_text(std::string(59, 'x') + "ä"), "'" + std::string(59, 'x') + "...' (61 bytes)");
}

}  // namespace
}  // namespace lab
