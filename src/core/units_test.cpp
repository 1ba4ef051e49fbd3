// Sizes and durations: one spelling, read back exactly, everything else refused.
// SPDX-License-Identifier: Apache-2.0
#include "core/units.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace lab {
namespace {

TEST(Units, SizesAreReadToTheByte) {
  struct Case {
    const char* text;
    std::int64_t bytes;
  };
  const Case cases[] = {{"0", 0},
                        {"4096", 4096},
                        {"128 KiB", 131'072},
                        {"128KiB", 131'072},
                        {"1 MiB", 1'048'576},
                        {"5 GiB", 5'368'709'120},
                        {"2 TiB", 2'199'023'255'552},
                        {"4194304 TiB", 1LL << 62}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.text);
    const auto bytes = parse_bytes(one.text);
    ASSERT_TRUE(bytes) << bytes.error().detail;
    EXPECT_EQ(bytes->count, one.bytes);
  }
}

TEST(Units, WhatIsNoSizeIsRefusedAndQuoted) {
  for (const char* text :
       {"", " ", "KiB", "4 KB", "4 kib", "4 KB0", "1.5 MiB", "-1", "+1", "4 KiB ", " 4 KiB", "0x10", "1e3",
        "9223372036854775808", "4611686018427387905", "4194305 TiB", "4 Ki B"}) {
    SCOPED_TRACE(text);
    const auto bytes = parse_bytes(text);
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(bytes.error().detail.find("'" + std::string(text) + "'"), std::string::npos);
  }
}

TEST(Units, TheExactSpellingOfASizeIsReadBack) {
  EXPECT_EQ(format_bytes_exact(128_KiB), "128 KiB");
  EXPECT_EQ(format_bytes_exact(Bytes{1000}), "1000");
  EXPECT_EQ(format_bytes_exact(Bytes{0}), "0");
  EXPECT_EQ(format_bytes_exact(1_GiB + 1_MiB), "1025 MiB");
  Random random(5);
  for (int i = 0; i < 1000; ++i) {
    const Bytes bytes{static_cast<std::int64_t>(random.next() >> (2 + random.below(60)))};
    const auto back = parse_bytes(format_bytes_exact(bytes));
    ASSERT_TRUE(back) << bytes.count;
    EXPECT_EQ(*back, bytes);
  }
}

TEST(Units, SizesForTheEyeHaveThreeDigitsAndASign) {
  EXPECT_EQ(format_bytes(Bytes{999}), "999 B");
  EXPECT_EQ(format_bytes(Bytes{6'553'600}), "6.25 MiB");
  EXPECT_EQ(format_bytes(128_KiB), "128 KiB");
  EXPECT_EQ(format_bytes(Bytes{10'235}), "10.0 KiB");
  EXPECT_EQ(format_bytes(Bytes{-12'897'484}), "-12.3 MiB");
  EXPECT_EQ(format_bytes(Bytes{-1'572'864}), "-1.50 MiB");
}

TEST(Units, DurationsAreReadExactly) {
  struct Case {
    const char* text;
    std::int64_t ms;
  };
  const Case cases[] = {{"500ms", 500},        {"2s", 2'000},   {"1m30s", 90'000},
                        {"5h30m", 19'800'000}, {"0ms", 0},      {"2d", 172'800'000},
                        {"1h1ms", 3'600'001},  {"90s", 90'000}, {"36500d", 3'153'600'000'000}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.text);
    const auto duration = parse_duration(one.text);
    ASSERT_TRUE(duration) << duration.error().detail;
    EXPECT_EQ(duration->count(), one.ms);
  }
}

TEST(Units, WhatIsNoDurationIsRefused) {
  for (const char* text : {"", "5", "s", "5 s", "1.5s", "-5s", "5s1h", "5s5s", "5sec", "5S",
                           "99999999999999999999s", "36501d", "36500d1ms", "5s "}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_duration(text));
  }
}

TEST(Units, TheSpellingOfADurationIsReadBack) {
  EXPECT_EQ(format_duration(Millis{19'800'000}), "5h30m");
  EXPECT_EQ(format_duration(Millis{0}), "0ms");
  Random random(6);
  for (int i = 0; i < 1000; ++i) {
    const Millis duration{static_cast<std::int64_t>(random.next() >> (24 + random.below(40)))};
    const auto back = parse_duration(format_duration(duration));
    ASSERT_TRUE(back) << duration.count();
    EXPECT_EQ(*back, duration);
  }
}

TEST(Units, ADifferenceOfSizesMayBeNegative) {
  EXPECT_EQ(4_KiB - 1_MiB, Bytes{-1'044'480});
  EXPECT_LT(4_KiB - 1_MiB, Bytes{0});
}

}  // namespace
}  // namespace lab
