// Grades, size laws, popularity and seeds: the spellings and numbers that datasets hang on.
// SPDX-License-Identifier: Apache-2.0
#include "model/dataset.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace lab {
namespace {

TEST(DatasetModel, AGradeIsUAndAnIntegerBelowAHundred) {
  for (int grade = 0; grade <= 99; ++grade) {
    const auto parsed = parse_grade(grade_name(grade));
    ASSERT_TRUE(parsed) << grade;
    EXPECT_EQ(*parsed, grade);
  }
  for (const char* text :
       {"", "U", "50", "u50", "U100", "U101", "U0.5", "U-1", "U+1", "U05", "U00", "U5x", " U50"}) {
    SCOPED_TRACE(text);
    const auto parsed = parse_grade(text);
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().detail.find("'" + std::string(text) + "' is not a grade"), std::string::npos);
  }
}

TEST(DatasetModel, DistinctObjectsAreCountedInIntegers) {
  struct Case {
    std::uint64_t objects;
    int grade;
    std::uint64_t distinct;
  };
  const Case cases[] = {
      {500, 90, 50}, {500, 0, 500}, {40, 99, 1}, {3, 50, 2},
      {100, 95, 5},  {1, 99, 1},    {7, 33, 5},  {18'446'744'073'709'551'615ULL, 50, 1ULL << 63U}};
  for (const Case& one : cases) {
    SCOPED_TRACE(testing::Message() << one.objects << " at U" << one.grade);
    EXPECT_EQ(distinct_objects(one.objects, one.grade), one.distinct);
  }
}

TEST(DatasetModel, ASizeLawIsReadBackFromItsText) {
  struct Case {
    const char* text;
    const char* canonical;
    std::int64_t mean;
  };
  const Case cases[] = {
      {"128 KiB", "128 KiB", 131'072},
      {"131072", "128 KiB", 131'072},
      {"1", "1", 1},
      {"uniform:4 KiB:1 MiB", "uniform:4 KiB:1 MiB", 526'336},
      {"uniform:1:2", "uniform:1:2", 2},
      {"uniform:8:8", "uniform:8:8", 8},
      {"lognormal:64 KiB:0.50", "lognormal:64 KiB:0.5", 74'262},  // Median times exp(0.125).
      {"lognormal:65536:1.5", "lognormal:64 KiB:1.5",
       201'811},  // By a numeric integral; the cut takes 47 bytes.
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.text);
    const auto law = parse_size_law(one.text);
    ASSERT_TRUE(law) << law.error().detail;
    EXPECT_EQ(to_string(*law), one.canonical);
    EXPECT_NEAR(static_cast<double>(law->mean().count), static_cast<double>(one.mean),
                static_cast<double>(one.mean) * 1e-4);
    EXPECT_EQ(*parse_size_law(to_string(*law)), *law);
  }
}

TEST(DatasetModel, ARecordIsALawThatSetsNoSize) {
  const auto law = parse_size_law("record");
  ASSERT_TRUE(law);
  EXPECT_FALSE(law->sets_size());
  EXPECT_TRUE(law->varies());
  EXPECT_EQ(to_string(*law), "record");
  EXPECT_TRUE(parse_size_law("1")->sets_size());
}

TEST(DatasetModel, WhatIsNoSizeLawIsRefusedWithItsSpellings) {
  for (const char* text : {"",
                           "0",
                           "4 KB0",
                           "-1",
                           "2 TiB",
                           "uniform",
                           "uniform:4 KiB",
                           "uniform:2:1",
                           "uniform:0:4",
                           "uniform:1:2:3",
                           "unifrom:1:2",
                           "lognormal:64 KiB",
                           "lognormal:64 KiB:0",
                           "lognormal:64 KiB:-1",
                           "lognormal:64 KiB:6",
                           "lognormal:64 KiB:nan",
                           "lognormal:64 KiB:1e0",
                           "lognormal:64 KiB:0.001",
                           "lognormal:x:1",
                           "fixed:1:2",
                           "records",
                           "record:4 KiB"}) {
    SCOPED_TRACE(text);
    const auto law = parse_size_law(text);
    ASSERT_FALSE(law);
    EXPECT_EQ(law.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(law.error().detail.find("\"uniform:4 KiB:1 MiB\""), std::string::npos);
    EXPECT_NE(law.error().detail.find("\"record\""), std::string::npos);
  }
}

TEST(DatasetModel, PopularityIsReadBackFromItsText) {
  for (const char* text : {"even", "zipf:1.2", "zipf:0.01", "zipf:10"}) {
    SCOPED_TRACE(text);
    const auto popularity = parse_popularity(text);
    ASSERT_TRUE(popularity);
    EXPECT_EQ(to_string(*popularity), text);
  }
  for (const char* text :
       {"", "Even", "zipf", "zipf:", "zipf:0", "zipf:11", "zipf:x", "zipf:1.2.3", "zipf:inf"})
    EXPECT_FALSE(parse_popularity(text)) << text;
}

TEST(DatasetModel, OrdersAndPlacementsAreReadBackAndSlipsAreNamed) {
  for (const Order order : {Order::kShuffled, Order::kAdjacent, Order::kDistant, Order::kAlternate})
    EXPECT_EQ(*parse_order(to_string(order)), order);
  for (const Placement placement : {Placement::kWithin, Placement::kAcross})
    EXPECT_EQ(*parse_placement(to_string(placement)), placement);
  EXPECT_NE(parse_order("shufled").error().detail.find("did you mean 'shuffled'?"), std::string::npos);
  EXPECT_NE(parse_placement("accross").error().detail.find("did you mean 'across'?"), std::string::npos);
}

TEST(DatasetModel, TheSeedOfADatasetIsTheLeadingPartOfASha256) {
  // Computed apart, in Python: int.from_bytes(sha256(b"v1/42/random_binary/1").digest()[:8], "big").
  EXPECT_EQ(dataset_seed_of(42, "random_binary", 1), 2'636'832'694'580'966'950ULL);
  EXPECT_EQ(dataset_seed_of(1, "directory:/data/mail", 3), 17'723'070'129'223'244'553ULL);
}

TEST(DatasetModel, AnIdIsWrittenAsAUuid) {
  ObjectId id{};
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::byte>(i * 17);
  EXPECT_EQ(format_uuid(id), "00112233-4455-6677-8899-aabbccddeeff");
}

TEST(Compressible, IsAShareWithAtMostThreeDecimals) {
  for (const auto& [text, thousandths] :
       {std::pair{"0.2", 200}, {"0.25", 250}, {"0.333", 333}, {"0.99", 990}, {"0.5", 500}}) {
    const auto parsed = parse_compressible(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, thousandths);
    EXPECT_EQ(compressible_name(thousandths), text);
  }
  EXPECT_EQ(*parse_compressible("0.500"), 500);
  for (const char* text :
       {"", "0", "1", "2", "0.", ".5", "0.199", "0.991", "0.5000", "0.-5", "-0.5", "0.5x", "5e-1"})
    EXPECT_FALSE(parse_compressible(text)) << text;
}

}  // namespace
}  // namespace lab
