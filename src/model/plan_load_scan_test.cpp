// The [scan] table: what it asks for, what it refuses, and that a plan without it stays what it was.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "model/plan_load.hpp"
#include "model/plan_test_support.hpp"

namespace lab {
namespace {

constexpr std::string_view kHead =
    "[dataset]\npayloads = ['random_binary']\nobjects = 8\n[systems.files]\n"
    "[stages]\nchains = [['bulk_insert'], ['perfile_insert', 'maintenance']]\n";  // 6 lines.

Result<LoadedPlan> with_scan(std::string_view keys) {
  return parse_plan(std::string(kHead) + std::string(keys), "p.toml", test_words());
}

TEST(PlanScan, EveryKeyIsRead) {
  const auto loaded = with_scan(
      "[scan]\nchunkers = ['fixed:512', 'fixed:128 KiB', 'cdc:8192']\nstages = ['maintenance']\n"
      "census = false\nmemory = '1 GiB'\nthreads = 3\nlimit = '90s'\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_TRUE(loaded->not_built_in.empty());
  const ScanPlan expected{.chunkers = {{ChunkerSpec::Kind::kFixed, 512},
                                       {ChunkerSpec::Kind::kFixed, 131'072},
                                       {ChunkerSpec::Kind::kCdc, 8192}},
                          .stages = {StageKind::kMaintenance},
                          .census = false,
                          .memory = 1_GiB,
                          .threads = 3,
                          .limit = Millis{90'000}};
  EXPECT_EQ(loaded->plan.scan, expected);
}

TEST(PlanScan, WithoutChunkersThereIsNoScanAndThePlanIsTheSame) {
  const auto none = with_scan("");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->plan.scan.chunkers.empty());
  for (const char* keys : {"[scan]\n", "[scan]\nchunkers = []\n",
                           "[scan]\nchunkers = []\nmemory = '1 GiB'\ncensus = false\nthreads = 2\n"}) {
    SCOPED_TRACE(keys);
    const auto off = with_scan(keys);
    ASSERT_TRUE(off) << off.error().detail;
    EXPECT_EQ(off->plan, none->plan);
    EXPECT_EQ(plan_hash(off->plan), plan_hash(none->plan));
  }
  EXPECT_EQ(save_plan(none->plan).find("scan"), std::string::npos);
}

TEST(PlanScan, EveryKeyOfAScanCountsInThePlansHash) {
  const auto first = with_scan("[scan]\nchunkers = ['fixed:4096']\n");
  ASSERT_TRUE(first);
  for (const char* more :
       {"stages = ['bulk_insert']", "census = false", "memory = '1 GiB'", "threads = 2", "limit = '1m'"}) {
    const auto second = with_scan(std::string("[scan]\nchunkers = ['fixed:4096']\n") + more + "\n");
    ASSERT_TRUE(second) << second.error().detail;
    EXPECT_NE(plan_hash(first->plan), plan_hash(second->plan)) << more;
  }
}

TEST(PlanScan, WhatIsWrongIsNamedWithItsLineAndTheNearestWord) {
  struct Case {
    const char* keys;
    const char* error;
  };
  for (const Case& c : {
           Case{"chunker = ['fixed:4096']\n",
                "p.toml:8: key 'scan.chunker': unknown key; did you mean 'chunkers'?"},
           Case{"memory = '1 GiB'\n", "key 'scan.chunkers': missing: name them"},
           Case{"chunkers = ['fixt:4096']\n",
                "p.toml:8: key 'scan.chunkers': unknown chunker 'fixt:4096'; did you mean 'fixed'?"},
           Case{"chunkers = ['cdc:5000']\n", "'cdc:5000': the average is a power of two"},
           Case{"chunkers = ['fixed:4096', 'fixed:4 KiB']\n", "'fixed:4 KiB' stands twice in the list"},
           Case{"chunkers = 'fixed:4096'\n", "must be a list, is a string"},
           Case{"chunkers = ['fixed:4096']\nstages = ['bulk_inser']\n", "did you mean 'bulk_insert'?"},
           Case{"chunkers = ['fixed:4096']\nstages = ['update']\n",
                "p.toml:9: key 'scan.stages': no chain of the plan has the stage 'update'; they have "
                "bulk_insert, "
                "maintenance, perfile_insert"},
           Case{"chunkers = ['fixed:4096']\nthreads = 0\n", "must be from 1 to 64, is 0"},
           Case{"chunkers = ['fixed:4096']\nmemory = '1000'\n", "must be at least 1048576 bytes"},
           Case{"chunkers = ['fixed:4096']\nlimit = '0s'\n", "key 'scan.limit'"},
           Case{"chunkers = ['fixed:4096']\ncensus = 'yes'\n", "key 'scan.census'"},
       }) {
    SCOPED_TRACE(c.keys);
    const auto loaded = with_scan(std::string("[scan]\n") + c.keys);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(loaded.error().detail.find(c.error), std::string::npos) << loaded.error().detail;
  }
}

}  // namespace
}  // namespace lab
