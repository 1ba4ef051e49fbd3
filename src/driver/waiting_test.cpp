// SPDX-License-Identifier: Apache-2.0
#include "driver/waiting.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace lab {
namespace {

class Waiting : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair_.data()), 0); }
  void TearDown() override {
    for (const int end : pair_) ::close(end);
  }
  static CallContext within(Millis limit) { return {Clock::now() + limit, {}}; }
  std::array<int, 2> pair_{};
};

TEST_F(Waiting, ReturnsWhenTheSocketIsReady) {
  EXPECT_TRUE(wait_socket(pair_[0], SocketFor::kWrite, within(Millis{5'000}), "test"));
  ASSERT_EQ(::write(pair_[1], "x", 1), 1);
  EXPECT_TRUE(wait_socket(pair_[0], SocketFor::kRead, within(Millis{5'000}), "test"));
}

TEST_F(Waiting, EndsAtTheDeadline) {
  const Status waited = wait_socket(pair_[0], SocketFor::kRead, within(Millis{30}), "test");
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, ErrorCode::kTimeout);
}

TEST_F(Waiting, WithoutADeadlineEndsSoonAfterAStop) {
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(Millis{20});
    stop.request_stop();
  });
  const Status waited =
      wait_socket(pair_[0], SocketFor::kRead, {Clock::time_point::max(), stop.get_token()}, "test");
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, ErrorCode::kCancelled);
}

TEST_F(Waiting, AClosedDescriptorIsAnErrorAndNotReady) {
  const int gone = ::dup(pair_[0]);
  ::close(gone);
  const Status waited = wait_socket(gone, SocketFor::kRead, within(Millis{5'000}), "test");
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, ErrorCode::kIo);
}

TEST(PollUntil, AsksUntilTheAnswerIsYes) {
  int asked = 0;
  EXPECT_TRUE(poll_until({}, Millis{1}, "test", [&]() -> Result<bool> { return ++asked == 3; }));
  EXPECT_EQ(asked, 3);
}

TEST(PollUntil, ReturnsAnErrorAndTheDeadline) {
  const auto fails = [](ErrorCode code) {
    return [code]() -> Result<bool> {
      if (code == ErrorCode::kTimeout) return false;
      return Error{code, "asked", "no"};
    };
  };
  const CallContext soon{Clock::now() + Millis{20}, {}};
  EXPECT_EQ(poll_until(soon, Millis{1}, "test", fails(ErrorCode::kRefused)).error().code,
            ErrorCode::kRefused);
  EXPECT_EQ(poll_until(soon, Millis{1}, "test", fails(ErrorCode::kTimeout)).error().code,
            ErrorCode::kTimeout);
}

}  // namespace
}  // namespace lab
