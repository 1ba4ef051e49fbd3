// SPDX-License-Identifier: Apache-2.0
#include "runner/sampler.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "probe/testing/fake_observer.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

std::vector<double> values_of(const SamplerResult& result, const std::string& metric) {
  std::vector<double> values;
  for (const Sample& sample : result.samples)
    if (sample.metric == metric) values.push_back(sample.value);
  return values;
}

TEST(Sampler, TakesOneSampleAtOnceAndOneAtTheEnd) {
  StageProgress progress;
  Sampler sampler(std::make_unique<FakeObserver>(), Millis{60'000}, progress, std::nullopt);
  progress.bytes = 5;
  const SamplerResult result = sampler.stop();
  EXPECT_EQ(result.rounds, 2U);
  EXPECT_EQ(values_of(result, "acked_bytes").back(), 5);
}

TEST(Sampler, AProbeThatFailsGivesNoSampleAndNoPeak) {
  StageProgress progress;
  auto observer = std::make_unique<FakeObserver>();
  observer->roots = {"/does/not/exist"};
  Sampler sampler(std::move(observer), Millis{1}, progress, std::nullopt);
  const SamplerResult result = sampler.stop();
  EXPECT_TRUE(values_of(result, "files").empty());
  EXPECT_TRUE(result.peak_bytes.empty());
}

TEST(Sampler, TellsTheStageWhenMaxBytesIsOnDisk) {
  std::string name = (fs::temp_directory_path() / "sampler_XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  std::ofstream(fs::path(name) / "data") << std::string(100'000, 'x') << std::flush;
  StageProgress progress;
  auto observer = std::make_unique<FakeObserver>();
  observer->roots = {name};
  Sampler sampler(std::move(observer), Millis{1}, progress, Bytes{-1});
  const SamplerResult result = sampler.stop();
  EXPECT_TRUE(progress.over_limit);
  EXPECT_EQ(result.peak_bytes.at("apparent"), 100'000);
  fs::remove_all(name);
}

TEST(Sampler, KeepsTheLargestSizeWhereverInTheStageItWas) {
  std::string name = (fs::temp_directory_path() / "sampler_XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const std::vector<std::size_t> sizes{1'000, 90'000, 500};  // Of the file in each round; then the last.
  const auto take = [&](std::size_t round) {
    std::ofstream(fs::path(name) / "data")
        << std::string(sizes[std::min(round, sizes.size() - 1)], 'x') << std::flush;
  };
  take(0);
  std::atomic<std::size_t> rounds{0};
  StageProgress progress;
  auto observer = std::make_unique<FakeObserver>();
  observer->roots = {name};
  observer->counters = [&] {  // Asked at the end of a round.
    take(rounds + 1);
    rounds += 1;
    return std::vector<Counter>{};
  };
  Sampler sampler(std::move(observer), Millis{1}, progress, std::nullopt);
  const auto limit = Clock::now() + std::chrono::seconds(60);
  while (rounds < 4 && Clock::now() < limit) std::this_thread::sleep_for(Millis{1});
  const SamplerResult result = sampler.stop();
  const std::vector<double> seen = values_of(result, "apparent");
  ASSERT_GE(seen.size(), 4U);
  EXPECT_EQ(seen.front(), 1'000);
  EXPECT_EQ(seen.back(), 500);
  EXPECT_EQ(result.peak_bytes.at("apparent"), 90'000);
  fs::remove_all(name);
}

/// By a clock of the test: ten rounds a second.
TEST(KeptSamples, OfADayAreAsManyAsOfAnHourEvenlySpacedAndWithBothEnds) {
  constexpr std::int64_t kRounds = 24 * 60 * 60 * 10;
  KeptSamples kept;
  for (std::int64_t round = 0; round < kRounds; ++round) {
    kept.begin_round(round + 1 == kRounds);
    for (const char* metric : {"acked_bytes", "files"})
      kept.add(metric, static_cast<double>(round), "bytes", round * 100);
  }
  const std::vector<Sample> samples = kept.take();
  EXPECT_LE(samples.size(), 2 * (KeptSamples::kRoundsMax + 1));
  EXPECT_GE(samples.size(), KeptSamples::kRoundsMax)
      << "no fewer than half of the rounds that there is room for";
  EXPECT_EQ(samples.front().timestamp_ms, 0);
  EXPECT_EQ(samples.back().value, static_cast<double>(kRounds - 1));
  const std::int64_t step = samples[2].timestamp_ms - samples[0].timestamp_ms;
  for (std::size_t at = 2; at + 2 < samples.size(); at += 2) {
    ASSERT_EQ(samples[at].timestamp_ms - samples[at - 2].timestamp_ms, step);
    ASSERT_EQ(samples[at].metric, "acked_bytes");
    ASSERT_EQ(samples[at + 1].metric, "files");
    ASSERT_EQ(samples[at + 1].value, samples[at].value) << "rounds are kept whole";
  }
}

TEST(KeptSamples, OfAShortStageAreAll) {
  KeptSamples kept;
  for (std::size_t round = 0; round < KeptSamples::kRoundsMax; ++round) {
    kept.begin_round(false);
    kept.add("files", 1, "bytes", static_cast<std::int64_t>(round));
  }
  EXPECT_EQ(kept.take().size(), KeptSamples::kRoundsMax);
}

TEST(SecondsTo95, IsTheFirstSampleAtWhichNearlyAllWasFree) {
  const std::vector<Sample> samples{{1000, "files", 100, "bytes"},
                                    {1500, "apparent", 0, "bytes"},
                                    {2000, "files", 40, "bytes"},
                                    {3000, "files", 5, "bytes"},
                                    {4000, "files", 0, "bytes"}};
  EXPECT_EQ(seconds_to_95(samples, "files", 1000, 100, 0), 2.0);
  EXPECT_EQ(seconds_to_95(samples, "files", 1000, 100, 100), std::nullopt);  // Nothing was freed.
  EXPECT_EQ(seconds_to_95({}, "files", 1000, 100, 0), std::nullopt);
}

}  // namespace
}  // namespace lab
