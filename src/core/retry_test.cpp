// Retry and its three bounds, on a scripted clock.
// SPDX-License-Identifier: Apache-2.0
#include "core/retry.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace lab {
namespace {

using namespace std::chrono_literals;

Error lost(bool retryable = true) { return {ErrorCode::kConnectionLost, "test.connect", "gone", retryable}; }

/// Attempts that fail `failures` times; the times at which they were made.
class Retry : public testing::Test {
 protected:
  Status run(int failures, const Error& error = lost()) {
    return retry(call_, policy_, time_, random_, [&]() -> Status {
      at_.push_back(time_.now());
      if (static_cast<int>(at_.size()) > failures) return ok();
      return error;
    });
  }

  ScriptedTime time_{};
  Random random_{1};
  std::stop_source stop_{};
  CallContext call_{.stop = stop_.get_token()};
  RetryPolicy policy_{.jitter_percent = 0};
  std::vector<Clock::time_point> at_{};
};

TEST_F(Retry, ASuccessIsNotRepeated) {
  EXPECT_TRUE(run(0));
  EXPECT_EQ(at_.size(), 1U);
}

TEST_F(Retry, WaitsDoubleUpToTheirCap) {
  policy_.attempts_max = 8;
  EXPECT_TRUE(run(7));
  std::vector<std::int64_t> waits_s;
  for (std::size_t i = 1; i < at_.size(); ++i) waits_s.push_back((at_[i] - at_[i - 1]) / 1s);
  EXPECT_EQ(waits_s, (std::vector<std::int64_t>{1, 2, 4, 8, 16, 30, 30}));
}

TEST_F(Retry, EndsAfterTheLastAttemptWithTheCauseItself) {
  const Status status = run(100);
  ASSERT_FALSE(status);
  EXPECT_EQ(at_.size(), 5U);
  EXPECT_EQ(status.error().operation, "test.connect");
  EXPECT_EQ(status.error().detail, "gone");
}

TEST_F(Retry, WhatCannotHealIsNotTriedAgain) {
  EXPECT_FALSE(run(100, lost(false)));
  EXPECT_EQ(at_.size(), 1U);
}

TEST_F(Retry, NeverSleepsPastTheDeadline) {
  call_.deadline = time_.now() + 5s;
  EXPECT_FALSE(run(100));
  EXPECT_EQ(at_.size(), 3U);  // At 0, 1 and 3 s; the next would be at 7 s.
  EXPECT_LE(time_.now(), call_.deadline);
}

TEST_F(Retry, AStopEndsTheWaiting) {
  stop_.request_stop();
  EXPECT_FALSE(run(100));
  EXPECT_EQ(at_.size(), 1U);
}

TEST_F(Retry, JitterStaysWithinItsShare) {
  policy_ = {
      .attempts_max = 200, .delay_first = Millis{1'000}, .delay_max = Millis{1'000}, .jitter_percent = 20};
  EXPECT_TRUE(run(199));
  Millis least{10'000};
  Millis most{0};
  for (std::size_t i = 1; i < at_.size(); ++i) {
    const auto wait = std::chrono::duration_cast<Millis>(at_[i] - at_[i - 1]);
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_GE(least, Millis{800});
  EXPECT_LE(most, Millis{1'200});
  EXPECT_GT(most - least, Millis{200}) << "the draws spread";
}

}  // namespace
}  // namespace lab
