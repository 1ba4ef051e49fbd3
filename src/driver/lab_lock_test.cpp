// SPDX-License-Identifier: Apache-2.0
#include "driver/lab_lock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

namespace lab {
namespace {

/// What a server would keep.
struct Server {
  std::mutex mutex{};
  std::optional<LockState> lock{};
  int writes = 0;
  bool race = false;  // Somebody else always writes first.
};

class FakeStore final : public LockStore {
 public:
  explicit FakeStore(Server& server) : server_(server) {}
  Result<std::optional<LockState>> read(const CallContext&) override {
    const std::lock_guard guard(server_.mutex);
    return server_.lock;
  }
  Result<bool> write(const CallContext&, const std::optional<std::string>& expected,
                     const std::string& run_id) override {
    const std::lock_guard guard(server_.mutex);
    const auto now = server_.lock ? std::optional<std::string>(server_.lock->run_id) : std::nullopt;
    if (server_.race || now != expected) return false;
    server_.lock = {run_id, Millis{0}};
    server_.writes += 1;
    return true;
  }

 private:
  Server& server_;
};

Result<std::unique_ptr<LabLock>> take(Server& server, const std::string& run,
                                      Millis heartbeat = LabLock::kHeartbeat) {
  return LabLock::take(std::make_unique<FakeStore>(server), run, {}, heartbeat);
}

TEST(LabLock, IsHeldWhileItLivesAndFreeAfterwards) {
  Server server;
  {
    const auto mine = take(server, "a");
    ASSERT_TRUE(mine) << mine.error().text();
    EXPECT_EQ(server.lock->run_id, "a");
  }
  EXPECT_EQ(server.lock->run_id, "");
  EXPECT_TRUE(take(server, "b"));
}

TEST(LabLock, AnotherRunIsToldTheHolder) {
  Server server{.lock = LockState{"first", Millis{29'000}}};
  const auto second = take(server, "second");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInUse);
  EXPECT_NE(second.error().detail.find("first"), std::string::npos);
  EXPECT_EQ(server.lock->run_id, "first");
}

TEST(LabLock, TheSameRunTakesItBackAtOnceAndAnyoneWhenItExpired) {
  Server same{.lock = LockState{"first", Millis{0}}};
  EXPECT_TRUE(take(same, "first"));
  Server expired{.lock = LockState{"first", Millis{31'000}}};
  EXPECT_TRUE(take(expired, "second"));
}

TEST(LabLock, AnOldHeartbeatAndAnOwnOneHoldNothing) {
  EXPECT_TRUE(LabLock::check_free(std::nullopt, "a"));
  EXPECT_TRUE(LabLock::check_free(LockState{}, "a"));
  EXPECT_TRUE(LabLock::check_free(LockState{"a", Millis{0}}, "a"));
  EXPECT_TRUE(LabLock::check_free(LockState{"b", LabLock::kExpiry}, "a"));
  const Status held = LabLock::check_free(LockState{"b", LabLock::kExpiry - Millis{1'000}}, "a");
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, ErrorCode::kInUse);
  EXPECT_NE(held.error().detail.find("held by run b, whose heartbeat is 29 s old"), std::string::npos)
      << held.error().detail;
}

TEST(LabLock, OfTwoThatTakeItAtOnceOneIsRefused) {
  Server server{.race = true};
  const auto lock = take(server, "late");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ErrorCode::kInUse);
  EXPECT_TRUE(lock.error().retryable);
}

TEST(LabLock, BeatsWhileItIsHeldAndNeverOverAnother) {
  Server server;
  const auto lock = take(server, "a", Millis{1});
  ASSERT_TRUE(lock);
  const auto writes = [&] {
    const std::lock_guard guard(server.mutex);
    return server.writes;
  };
  const auto limit = Clock::now() + Millis{30'000};
  while (writes() < 4 && Clock::now() < limit) std::this_thread::yield();
  EXPECT_GE(writes(), 4);
  {
    const std::lock_guard guard(server.mutex);
    server.lock = {"thief", Millis{0}};
  }
  sleep_until({}, Clock::now() + Millis{20});
  EXPECT_EQ(server.lock->run_id, "thief");
}

}  // namespace
}  // namespace lab
