// SPDX-License-Identifier: Apache-2.0
// The gate keeps one alone and many together; the watch ends long calls.
#include "driver/gate.hpp"

#include <gtest/gtest.h>

namespace lab {
namespace {

using namespace std::chrono_literals;

TEST(Gate, LetsManyInTogether) {
  Gate gate;
  const auto first = gate.enter_shared({}, "test");
  EXPECT_TRUE(gate.enter_shared({}, "test"));
}

TEST(Gate, KeepsOneAloneUntilItLeaves) {
  Gate gate;
  const CallContext soon{Clock::now() + 20ms, {}};
  {
    const auto alone = gate.enter_alone({}, "test");
    ASSERT_TRUE(alone);
    EXPECT_EQ(gate.enter_shared(soon, "test").error().code, ErrorCode::kTimeout);
    EXPECT_EQ(gate.enter_alone({Clock::now() + 1ms, {}}, "test").error().code, ErrorCode::kTimeout);
  }
  const auto shared = gate.enter_shared({}, "test");
  ASSERT_TRUE(shared);
  EXPECT_EQ(gate.enter_alone({Clock::now() + 1ms, {}}, "test").error().code, ErrorCode::kTimeout);
}

TEST(Gate, GivesUpWaitingWhenAStopIsRequested) {
  Gate gate;
  const auto alone = gate.enter_alone({}, "test");
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(gate.enter_shared({Clock::time_point::max(), stop.get_token()}, "test").error().code,
            ErrorCode::kCancelled);
}

TEST(Gate, ProtectsPlainData) {
  Gate gate;
  int value = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&] {
        for (int turn = 0; turn < 500; ++turn) {
          const auto pass = gate.enter_alone({}, "test");
          ++value;
        }
      });
  }
  EXPECT_EQ(value, 2'000);
}

TEST(CallWatch, EndsACallAtItsDeadline) {
  std::atomic<bool> ended{false};
  const CallWatch watch({Clock::now() + 5ms, {}}, [&] { ended = true; });
  const auto limit = Clock::now() + 30s;
  while (!ended && Clock::now() < limit) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(ended);
}

TEST(CallWatch, EndsACallOnceWhenAStopIsRequested) {
  std::stop_source stop;
  int ended = 0;
  const CallWatch watch({Clock::now() + 1h, stop.get_token()}, [&] { ++ended; });
  EXPECT_EQ(ended, 0);
  stop.request_stop();
  EXPECT_EQ(ended, 1);
}

TEST(CallWatch, IsSilentWhenTheCallIsOverInTime) {
  std::stop_source stop;
  int ended = 0;
  {
    const CallWatch watch({Clock::now() + 1h, stop.get_token()}, [&] { ++ended; });
  }
  stop.request_stop();
  EXPECT_EQ(ended, 0);
}

}  // namespace
}  // namespace lab
