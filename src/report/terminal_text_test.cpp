// Widths and line breaks.
// SPDX-License-Identifier: Apache-2.0
#include "report/terminal_text.hpp"

#include <gtest/gtest.h>

namespace lab::report {
namespace {

TEST(TerminalText, CountsColumnsNotBytes) {
  struct Case {
    const char* text;
    std::size_t width;
  };
  for (const Case& c : {Case{"", 0}, Case{"abc", 3}, Case{"é", 1}, Case{"e\u0301", 1}, Case{"漢字", 4},
                        Case{"directory:/données", 18}, Case{"\U0001F600", 2}, Case{"…", 1}}) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(display_width(c.text), c.width);
  }
}

TEST(TerminalText, ShortensTheMiddle) {
  EXPECT_EQ(shorten_middle("abcdefghij", 10), "abcdefghij");
  EXPECT_EQ(shorten_middle("abcdefghij", 9), "abcd…ghij");
  EXPECT_EQ(shorten_middle("abcdefghij", 4), "ab…j");
  EXPECT_EQ(shorten_middle("abcdefghij", 1), "…");
  EXPECT_EQ(shorten_middle("abcdefghij", 0), "");
  EXPECT_EQ(shorten_middle("漢字漢字漢字", 7), "漢…字");
}

TEST(TerminalText, Pads) {
  EXPECT_EQ(pad_right("é", 3), "é  ");
  EXPECT_EQ(pad_left("é", 3), "  é");
  EXPECT_EQ(pad_left("abcd", 3), "abcd");
}

TEST(TerminalText, WrapsWithinTheWidth) {
  const auto lines = wrap("one two three anextremelylongword x", 10, 2);
  const std::vector<std::string> want{"one two", "  three", "  anextrem", "  elylongw", "  ord x"};
  EXPECT_EQ(lines, want);
  EXPECT_EQ(wrap("", 10, 2), std::vector<std::string>{""});
  for (const std::string& line : wrap(std::string(50, 'w') + " 漢字漢字漢字漢字", 7, 2))
    EXPECT_LE(display_width(line), 7U);
}

}  // namespace
}  // namespace lab::report
