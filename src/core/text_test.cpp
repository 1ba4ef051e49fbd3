// Text helpers: nearest words, splitting, percent-encoding, UTF-8.
// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"

#include <gtest/gtest.h>

#include "core/plain_text.hpp"

namespace lab {
namespace {

const std::vector<std::string> kSystems{"postgresql", "sqlite", "rocksdb", "lmdb", "redis"};

TEST(Text, ASlipFindsTheWordThatWasMeant) {
  struct Case {
    const char* typed;
    const char* meant;
  };
  const Case cases[] = {{"sqlit", "sqlite"},          {"SQLite", "sqlite"}, {"rocksbd", "rocksdb"},
                        {"postgres", "postgresql"},   {"imdb", "lmdb"},     {"rediss", "redis"},
                        {"postgre_sql", "postgresql"}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.typed);
    EXPECT_EQ(nearest_word(one.typed, kSystems), one.meant);
  }
}

TEST(Text, AWordFarFromEveryOtherHasNoNearest) {
  const std::vector<std::string> keys{"scope", "step"};
  EXPECT_EQ(nearest_word("stpe", keys), "step") << "two letters in the wrong order are one slip";
  EXPECT_EQ(nearest_word("mongodb-atlas", kSystems), std::nullopt);
  EXPECT_EQ(nearest_word("sqlite", {}), std::nullopt);
}

TEST(Text, ASuggestionNamesTheNearestWordOrAllOfThem) {
  EXPECT_EQ(suggestion("sqlit", kSystems), "; did you mean 'sqlite'?");
  EXPECT_EQ(suggestion("mongodb-atlas", kSystems), "; one of postgresql, sqlite, rocksdb, lmdb, redis");
  EXPECT_EQ(suggestion("x", {}), "");
}

TEST(Text, SplittingAndJoiningKeepEmptyParts) {
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), std::vector<std::string>{""});
  EXPECT_EQ(join(split("a,,b,", ','), ","), "a,,b,");
  EXPECT_EQ(join({}, ","), "");
}

TEST(Text, TrimmingTakesWhiteSpaceFromBothEnds) {
  EXPECT_EQ(trim(" \t\n a b \r\n"), "a b");
  EXPECT_EQ(trim("   "), "");
}

TEST(Text, LowerCaseIsOfAsciiAlone) { EXPECT_EQ(to_lower("aZ-\xC3\x84 9A"), "az-\xC3\x84 9a"); }

TEST(Text, PercentEncodingLeavesOnlyUnreservedBytes) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a b;c=d%/:\n\xC3\xA9"), "a%20b%3Bc%3Dd%25%2F%3A%0A%C3%A9");
}

TEST(Text, BytesThatAreNoUtf8BecomeTheReplacementCharacter) {
  struct Case {
    const char* what;
    std::string bytes;
    std::string text;
  };
  const std::string mark = "\xEF\xBF\xBD";
  const Case cases[] = {
      {"plain", "abc", "abc"},
      {"two, three and four bytes", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
       "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
      {"a lone continuation", "a\x80z", "a" + mark + "z"},
      {"cut off at the end", "a\xE2\x82", "a" + mark + mark},
      {"an overlong slash", "\xC0\xAF", mark + mark},
      {"a surrogate", "\xED\xA0\x80", mark + mark + mark},
      {"above U+10FFFF", "\xF4\x90\x80\x80", mark + mark + mark + mark},
      {"a NUL stays", std::string("a\0b", 3), std::string("a\0b", 3)},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    EXPECT_EQ(to_valid_utf8(one.bytes), one.text);
  }
}

TEST(PlainText, HasNoControlCharacter) {
  EXPECT_EQ(without_controls("na\xC3\xAFve, \"as it is\""), "na\xC3\xAFve, \"as it is\"");
  EXPECT_EQ(without_controls(std::string_view("a\nb\x1b[2J\x7f\0z", 10)), "a\\nb\\x1b[2J\\x7f\\x00z");
}

TEST(PlainText, IsOneWordForAShell) {
  EXPECT_EQ(shell_word("/data/run-1"), "/data/run-1");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("it's; rm"), "'it'\\''s; rm'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace lab
