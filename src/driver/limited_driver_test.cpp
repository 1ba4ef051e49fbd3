// SPDX-License-Identifier: Apache-2.0
// The guard: what must not start never reaches the system, and bytes are counted.
#include "driver/limited_driver.hpp"

#include <gtest/gtest.h>

#include "driver/testing/recording_driver.hpp"

namespace lab {
namespace {

using namespace std::chrono_literals;

class GuardedDriverTest : public testing::Test {
 protected:
  GuardedDriver guard(std::optional<Bytes> max_bytes = std::nullopt) {
    return GuardedDriver(std::make_unique<RecordingDriver>(calls_), max_bytes);
  }
  Object object_of(std::size_t size) const { return {.payload = std::span(bytes_).first(size)}; }
  static ErrorCode code_of(const Status& status) {
    EXPECT_FALSE(status);
    return status ? ErrorCode::kInternal : status.error().code;
  }

  std::vector<std::string> calls_{};
  std::vector<std::byte> bytes_ = std::vector<std::byte>(200);
  CallContext open_{};
  const ObjectSource nothing_ = source_of({});
};

TEST_F(GuardedDriverTest, TouchesNothingAfterTheDeadlineOrAStop) {
  GuardedDriver driver = guard();
  std::stop_source stop;
  stop.request_stop();
  const Object object = object_of(1);
  const ObjectKey key{};
  struct Case {
    const char* what = "";
    CallContext call{};
    ErrorCode want = ErrorCode::kInternal;
  };
  for (const Case& c :
       {Case{"past deadline", {Clock::now() - 1s, {}}, ErrorCode::kTimeout},
        Case{"stop requested", {Clock::time_point::max(), stop.get_token()}, ErrorCode::kCancelled}}) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(code_of(driver.prove(c.call)), c.want);
    EXPECT_EQ(code_of(driver.reset(c.call)), c.want);
    EXPECT_EQ(code_of(driver.put(c.call, object)), c.want);
    EXPECT_EQ(code_of(driver.put_batch(c.call, {&object, 1})), c.want);
    EXPECT_EQ(code_of(driver.put_stream(c.call, nothing_)), c.want);
    EXPECT_EQ(code_of(driver.read_all(c.call, {})), c.want);
    EXPECT_EQ(driver.count(c.call).error().code, c.want);
    EXPECT_EQ(code_of(driver.flush(c.call)), c.want);
    EXPECT_EQ(driver.get(c.call, key).error().code, c.want);
    EXPECT_EQ(code_of(driver.erase(c.call, {&key, 1})), c.want);
    EXPECT_EQ(code_of(driver.erase_all(c.call, DeleteAll::kDrop)), c.want);
    EXPECT_EQ(driver.maintain(c.call).error().code, c.want);
  }
  EXPECT_TRUE(calls_.empty());
}

TEST_F(GuardedDriverTest, PassesEveryCallOn) {
  GuardedDriver driver = guard();
  const Object object = object_of(1);
  const ObjectKey key{};
  EXPECT_TRUE(driver.prove(open_));
  EXPECT_TRUE(driver.reset(open_));
  EXPECT_TRUE(driver.put(open_, object));
  EXPECT_TRUE(driver.put_batch(open_, {&object, 1}));
  EXPECT_TRUE(driver.put_stream(open_, nothing_));
  EXPECT_TRUE(driver.read_all(open_, {}));
  EXPECT_EQ(*driver.count(open_), 42U);
  EXPECT_TRUE(driver.flush(open_));
  EXPECT_EQ(*driver.get(open_, key), "x");
  EXPECT_TRUE(driver.erase(open_, {&key, 1}));
  EXPECT_TRUE(driver.erase_all(open_, DeleteAll::kDrop));
  EXPECT_TRUE(driver.maintain(open_)->worked);
  const std::vector<std::string> want{"prove", "reset", "put", "put_batch", "put_stream", "read_all",
                                      "count", "flush", "get", "erase",     "erase_all",  "maintain"};
  EXPECT_EQ(calls_, want);
}

TEST_F(GuardedDriverTest, LooksAtEachObjectOfAStreamAndCountsItOnceItIsAcknowledged) {
  GuardedDriver driver = guard(Bytes{250});
  const Object small = object_of(80);
  const Object large = object_of(150);
  const Object* const three[] = {&small, &small, &small};
  ASSERT_TRUE(driver.put_stream(open_, source_of(three)));
  EXPECT_EQ(driver.bytes_held(), Bytes{240});
  EXPECT_EQ(code_of(driver.put_stream(open_, source_of(three))), ErrorCode::kResourceExhausted);
  EXPECT_EQ(driver.bytes_held(), Bytes{240}) << "nothing of it was acknowledged";
  GuardedDriver fresh = guard(Bytes{250});
  const Object* const mixed[] = {&small, &large};
  EXPECT_EQ(code_of(fresh.put_stream(open_, source_of(mixed))), ErrorCode::kInvalidArgument)
      << "larger than the system takes";
  const Object* const four[] = {&small, &small, &small, &small};
  EXPECT_EQ(code_of(fresh.put_stream(open_, source_of(four))), ErrorCode::kResourceExhausted)
      << "by what is under way";
}

TEST_F(GuardedDriverTest, RefusesThePutThatWouldExceedMaxBytes) {
  GuardedDriver driver = guard(Bytes{100});
  ASSERT_TRUE(driver.put(open_, object_of(60)));
  EXPECT_EQ(code_of(driver.put(open_, object_of(41))), ErrorCode::kResourceExhausted);
  const Object two[] = {object_of(20), object_of(21)};
  EXPECT_EQ(code_of(driver.put_batch(open_, two)), ErrorCode::kResourceExhausted);
  ASSERT_TRUE(driver.put(open_, object_of(40)));
  EXPECT_EQ(driver.bytes_held(), Bytes{100});
  EXPECT_EQ(calls_.size(), 2U);
}

TEST_F(GuardedDriverTest, HasRoomAgainAfterDeletion) {
  struct Case {
    const char* what;
    std::function<Status(GuardedDriver&)> empty;
  };
  const ObjectKey keys[2] = {};
  for (const Case& c :
       {Case{"reset", [&](GuardedDriver& driver) { return driver.reset(open_); }},
        Case{"all", [&](GuardedDriver& driver) { return driver.erase_all(open_, DeleteAll::kLogical); }},
        Case{"each", [&](GuardedDriver& driver) { return driver.erase(open_, keys); }}}) {
    SCOPED_TRACE(c.what);
    GuardedDriver driver = guard(Bytes{100});
    const Object two[] = {object_of(33), object_of(66)};
    ASSERT_TRUE(driver.put_batch(open_, two));
    ASSERT_TRUE(c.empty(driver));
    EXPECT_EQ(driver.bytes_held(), Bytes{0});
    EXPECT_TRUE(driver.put(open_, object_of(100)));
  }
}

TEST_F(GuardedDriverTest, RefusesAnObjectThatTheSystemCannotTake) {
  GuardedDriver driver = guard();
  EXPECT_EQ(code_of(driver.put(open_, object_of(101))), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(driver.put(open_, object_of(100)));
  EXPECT_EQ(calls_.size(), 1U);
}

}  // namespace
}  // namespace lab
