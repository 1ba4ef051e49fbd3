// SPDX-License-Identifier: Apache-2.0
#include "probe/exposition.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace lab {
namespace {

using Labels = std::map<std::string, std::string>;

TEST(Exposition, ALineIsReadAsItsFormatSays) {
  struct Case {
    const char* what;
    const char* line;
    const char* name;
    Labels labels;
    double value;
    std::optional<std::int64_t> timestamp_ms;
  };
  for (const Case& c :
       {Case{"plain", "up 1", "up", {}, 1, {}},
        Case{"colons in a name", "job:up:sum 3", "job:up:sum", {}, 3, {}},
        Case{"labels", R"(m{a="b",c="d"} 2)", "m", {{"a", "b"}, {"c", "d"}}, 2, {}},
        Case{"a comma at the end", R"(m{a="b",} 2)", "m", {{"a", "b"}}, 2, {}},
        Case{"no label in braces", "m{} 2", "m", {}, 2, {}},
        Case{"blanks where they may be",
             "\t m { a = \"b\" , c=\"d\" }\t 2 ",
             "m",
             {{"a", "b"}, {"c", "d"}},
             2,
             {}},
        Case{"escapes", R"(m{a="q\"b\\n\n"} 2)", "m", {{"a", "q\"b\\n\n"}}, 2, {}},
        Case{"braces and a comma in a value", R"(m{a="}, {"} 2)", "m", {{"a", "}, {"}}, 2, {}},
        Case{"UTF-8", "m{a=\"\xC3\xA9\"} 2", "m", {{"a", "\xC3\xA9"}}, 2, {}},
        Case{"an exponent", "m 1.1917312e+08", "m", {}, 119'173'120, {}},
        Case{"a small exponent", "m 5E-1", "m", {}, 0.5, {}}, Case{"signs", "m -1.5", "m", {}, -1.5, {}},
        Case{"a plus", "m +2", "m", {}, 2, {}}, Case{"infinite", "m +Inf", "m", {}, HUGE_VAL, {}},
        Case{"infinite below", "m -Inf", "m", {}, -HUGE_VAL, {}},
        Case{"a timestamp", "m 2 1764122400123", "m", {}, 2, 1'764'122'400'123},
        Case{"a timestamp before 1970", "m 2 -5", "m", {}, 2, -5},
        Case{"a bucket of a histogram", R"(h_bucket{le="+Inf"} 9)", "h_bucket", {{"le", "+Inf"}}, 9, {}},
        Case{"a quantile of a summary",
             R"(s{quantile="0.99"} 0.25)",
             "s",
             {{"quantile", "0.99"}},
             0.25,
             {}}}) {
    SCOPED_TRACE(c.what);
    const auto samples = parse_exposition(std::string(c.line) + "\n", ExpositionFormat::kText);
    ASSERT_TRUE(samples) << samples.error().text();
    ASSERT_EQ(samples->size(), 1U);
    EXPECT_EQ((*samples)[0].name, c.name);
    EXPECT_EQ((*samples)[0].labels, c.labels);
    EXPECT_EQ((*samples)[0].value, c.value);
    EXPECT_EQ((*samples)[0].timestamp_ms, c.timestamp_ms);
  }
  const auto nan = parse_exposition("m NaN\n", ExpositionFormat::kText);
  ASSERT_TRUE(nan);
  EXPECT_TRUE(std::isnan((*nan)[0].value));
}

TEST(Exposition, CommentsAndEmptyLinesAreNoSamplesAndLinesMayEndWithCarriageReturns) {
  const auto samples =
      parse_exposition("# HELP m what\n# TYPE m gauge\n\n#anything {\nm 1\r\nn 2\n", ExpositionFormat::kText);
  ASSERT_TRUE(samples) << samples.error().text();
  EXPECT_EQ(samples->size(), 2U);
  const auto none = parse_exposition("", ExpositionFormat::kText);
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

TEST(Exposition, ABrokenLineIsAnErrorWithItsNumber) {
  for (const char* line : {"m",
                           "m ",
                           "m x",
                           "m 1 2 3",
                           "m 1 2.5",
                           "m 1 x",
                           "m 1x",
                           "m 0x10",
                           "m 1e999",
                           "m --1",
                           "m nan(1)",
                           "m 1_0",
                           "1m 1",
                           "m-n 1",
                           "{a=\"b\"} 1",
                           "m{a=\"b\" 1",
                           "m{a=b} 1",
                           "m{a=\"b} 1",
                           "m{a} 1",
                           "m{=\"b\"} 1",
                           "m{a=\"b\"c=\"d\"} 1",
                           "m{a=\"b\",a=\"c\"} 1",
                           "m{a=\"\\x\"} 1",
                           "m{a=\"b\\",
                           "m{a:b=\"c\"} 1",
                           "m{,a=\"b\"} 1",
                           "m{a=\"\xFF\"} 1",
                           "<html>",
                           "m 1 2 # {id=\"x\"} 1"}) {
    SCOPED_TRACE(line);
    const auto samples =
        parse_exposition("good 1\n# c\n" + std::string(line) + "\nmore 2\n", ExpositionFormat::kText);
    ASSERT_FALSE(samples);
    EXPECT_EQ(samples.error().code, ErrorCode::kCorruption);
    EXPECT_TRUE(samples.error().detail.starts_with("line 3: ")) << samples.error().text();
  }
}

TEST(Exposition, AnAnswerThatWasCutAnywhereIsAnErrorOrAnAnswerOfWholeLines) {
  const std::string text = "# HELP m w\nm{a=\"b\"} 1024\nn 2\n";
  const std::string open = "m{a=\"b\"} 1024 1.5\nn 2\n# EOF\n";
  for (std::size_t end = 1; end < text.size(); ++end) {
    SCOPED_TRACE(end);
    EXPECT_EQ(parse_exposition(text.substr(0, end), ExpositionFormat::kText).has_value(),
              text[end - 1] == '\n');
  }
  for (std::size_t end = 0; end + 1 < open.size(); ++end) {
    SCOPED_TRACE(end);
    EXPECT_EQ(parse_exposition(open.substr(0, end), ExpositionFormat::kOpenMetrics).has_value(),
              end + 1 == open.size());
  }
}

TEST(Exposition, OpenMetricsHasSecondsExemplarsAndAnEnd) {
  const auto samples = parse_exposition(
      "# TYPE f counter\n# UNIT f bytes\nf_total{a=\"b\"} 5 1764122400.123 # {trace=\"x\"} 1 2\n"
      "g_total 6 # {} 1\ng 7 1e3\n# EOF\n",
      ExpositionFormat::kOpenMetrics);
  ASSERT_TRUE(samples) << samples.error().text();
  ASSERT_EQ(samples->size(), 3U);
  EXPECT_EQ((*samples)[0].timestamp_ms, 1'764'122'400'123);
  EXPECT_EQ((*samples)[0].value, 5);
  EXPECT_EQ((*samples)[1].timestamp_ms, std::nullopt);
  EXPECT_EQ((*samples)[2].timestamp_ms, 1'000'000);
  EXPECT_FALSE(parse_exposition("m 1\n# EOF\nn 2\n", ExpositionFormat::kOpenMetrics));
  EXPECT_FALSE(parse_exposition("m 1\n\n# EOF\n", ExpositionFormat::kOpenMetrics));
  EXPECT_FALSE(parse_exposition("m 1 NaN\n# EOF\n", ExpositionFormat::kOpenMetrics));
  EXPECT_EQ(exposition_format("application/openmetrics-text; version=1.0.0; charset=utf-8"),
            ExpositionFormat::kOpenMetrics);
  EXPECT_EQ(exposition_format("text/plain; version=0.0.4"), ExpositionFormat::kText);
}

TEST(Exposition, OnlyWholeNumbersFromZeroOnAreBytes) {
  for (const double good : {0.0, 1.0, 1.1917312e+08, 9007199254740992.0}) {
    const auto bytes = whole_bytes(good, "m");
    ASSERT_TRUE(bytes);
    EXPECT_EQ(static_cast<double>(*bytes), good);
  }
  for (const double bad : {-1.0, 0.5, std::nan(""), HUGE_VAL, -HUGE_VAL, 9007199254740994.0, 1e300}) {
    SCOPED_TRACE(bad);
    const auto bytes = whole_bytes(bad, "m{a}");
    ASSERT_FALSE(bytes);
    EXPECT_TRUE(bytes.error().detail.starts_with("m{a} is ")) << bytes.error().text();
  }
}

}  // namespace
}  // namespace lab
