// Bounds of calls, sleeping that a stop ends, and the spelling of wall time.
// SPDX-License-Identifier: Apache-2.0
#include "core/time.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace lab {
namespace {

using namespace std::chrono_literals;

// Durations are differences of it: wall time, which may be set back, is recorded and never subtracted.
TEST(TimeClock, NeverGoesBack) { EXPECT_TRUE(Clock::is_steady); }

TEST(Time, ACallIsAllowedUntilItsDeadlineOrAStop) {
  EXPECT_TRUE(allowed({}, "test"));
  const Status late = allowed({.deadline = Clock::now() - 1s}, "test.put");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  EXPECT_EQ(late.error().operation, "test.put");
  std::stop_source stop;
  stop.request_stop();
  const Status stopped = allowed({.deadline = Clock::now() - 1s, .stop = stop.get_token()}, "test");
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled) << "a stop comes before a deadline";
}

TEST(Time, AStopEndsASleepThatWouldLastForever) {
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(5ms);
    stop.request_stop();
  });
  EXPECT_FALSE(sleep_until(stop.get_token(), Clock::time_point::max()));
}

TEST(Time, ASleepLastsUntilItsEnd) {
  const auto wake = Clock::now() + 5ms;
  EXPECT_TRUE(real_time().sleep_until({}, wake));
  EXPECT_GE(Clock::now(), wake);
}

TEST(Time, AScriptedClockJumpsAndNeverGoesBack) {
  ScriptedTime time;
  const auto start = time.now();
  EXPECT_TRUE(time.sleep_until({}, start + 10s));
  EXPECT_EQ(time.now(), start + 10s);
  EXPECT_TRUE(time.sleep_until({}, start));
  EXPECT_EQ(time.now(), start + 10s);
  time.advance(1s);
  EXPECT_EQ(time.now(), start + 11s);
}

TEST(Time, WallTimeIsWrittenInUtc) {
  EXPECT_EQ(format_utc(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_utc(1'769'860'800'123), "2026-01-31T12:00:00.123Z");
  EXPECT_EQ(format_utc_compact(1'769'860'800'123), "20260131T120000Z");
  EXPECT_GT(wall_time_ms(), 1'700'000'000'000);
}

}  // namespace
}  // namespace lab
