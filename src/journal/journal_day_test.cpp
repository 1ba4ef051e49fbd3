// A day of looking ten times a second: what the journal holds of it, and what reading a part of it takes.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "journal/test_support.hpp"

namespace lab {
namespace {

using namespace journal_test;  // NOLINT: a test file.

constexpr std::uint64_t kStages = 144;  // Of ten minutes.
constexpr std::size_t kRounds = 6'000;
constexpr std::size_t kMetrics = 8;
constexpr std::uintmax_t kMost = 200'000'000;  // Bytes.

/// The last written sample of a stage tells the stage.
double value_of(std::uint64_t stage, std::size_t round) {
  return static_cast<double>(stage) * 1e6 + static_cast<double>(round);
}

std::vector<Sample> ten_minutes(std::uint64_t stage) {
  std::vector<Sample> samples;
  samples.reserve(kRounds * kMetrics);
  for (std::size_t round = 0; round < kRounds; ++round)
    for (std::size_t metric = 0; metric < kMetrics; ++metric)
      samples.push_back({.timestamp_ms = static_cast<std::int64_t>((stage * kRounds + round) * 100),
                         .metric = "metric" + std::to_string(metric),
                         .value = value_of(stage, round),
                         .unit = "bytes"});
  return samples;
}

TEST(Journal, HoldsADayOfSamplesInLessThan200MbAndGivesBackThoseOfOneStage) {
  const TempDirectory directory;
  auto journal = Journal::create(directory.path(), some_run());
  ASSERT_TRUE(journal) << journal.error().text();
  for (std::uint64_t stage = 0; stage < kStages; ++stage) {
    const auto attempt = (*journal)->begin_attempt("block", cell_name(stage));
    ASSERT_TRUE(attempt);
    ASSERT_TRUE((*journal)->add_stage(*attempt, some_record(stage), ten_minutes(stage)));
    ASSERT_TRUE((*journal)->finish_attempt(*attempt));
  }
  ASSERT_TRUE((*journal)->close());

  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(directory.path())) bytes += entry.file_size();
  EXPECT_LT(bytes, kMost);
  const auto reader = JournalReader::open(directory.path());
  ASSERT_TRUE(reader) << reader.error().text();
  const auto stages = all_stages(**reader);
  ASSERT_TRUE(stages);
  ASSERT_EQ(stages->size(), kStages);
  const auto samples = (*reader)->samples((*stages)[100].id);
  ASSERT_TRUE(samples);
  ASSERT_EQ(samples->size(), kRounds * kMetrics);
  EXPECT_EQ(samples->front().value, value_of(100, 0));
  EXPECT_EQ(samples->back().value, value_of(100, kRounds - 1));
  RecordProperty("journal_bytes", std::to_string(bytes));
}

}  // namespace
}  // namespace lab
