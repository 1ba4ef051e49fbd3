// SPDX-License-Identifier: Apache-2.0
// Scripted faults come when the script says, and only then.
#include "driver/faulty_driver.hpp"

#include <gtest/gtest.h>

#include "driver/testing/recording_driver.hpp"

namespace lab {
namespace {

class FaultyDriverTest : public testing::Test {
 protected:
  FaultyDriver driver_with(Fault fault) {
    script_ = std::make_shared<FaultScript>(std::vector<Fault>{std::move(fault)});
    return FaultyDriver(std::make_unique<RecordingDriver>(calls_), script_);
  }
  std::vector<std::string> calls_{};
  std::shared_ptr<FaultScript> script_{};
  CallContext open_{};
};

TEST_F(FaultyDriverTest, FailsForGoodAfterTheGivenCalls) {
  FaultyDriver driver =
      driver_with({.operation = "put", .after_calls = 2, .code = ErrorCode::kIo, .retryable = true});
  EXPECT_TRUE(driver.put(open_, {}));
  EXPECT_TRUE(driver.flush(open_)) << "another operation neither fails nor counts";
  EXPECT_TRUE(driver.put(open_, {}));
  for (int attempt = 0; attempt < 3; ++attempt) {
    const Status status = driver.put(open_, {});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kIo);
    EXPECT_EQ(status.error().operation, "faulty.put");
    EXPECT_TRUE(status.error().retryable);
  }
  EXPECT_EQ(calls_.size(), 3U);
}

TEST_F(FaultyDriverTest, FailsOnceAndHeals) {
  FaultyDriver driver = driver_with({.operation = "put_batch", .after_calls = 1, .once = true});
  EXPECT_TRUE(driver.put_batch(open_, {}));
  EXPECT_FALSE(driver.put_batch(open_, {}));
  EXPECT_TRUE(driver.put_batch(open_, {}));
}

TEST_F(FaultyDriverTest, LiesThatItWasDone) {
  FaultyDriver driver = driver_with({.operation = "put", .lie = true});
  EXPECT_TRUE(driver.put(open_, {}));
  EXPECT_TRUE(calls_.empty());
  FaultyDriver counter = driver_with({.operation = "count", .lie = true});
  EXPECT_EQ(*counter.count(open_), 0U);
}

TEST_F(FaultyDriverTest, GoesOnWithTheScriptAfterAReconnect) {
  FaultyDriver first = driver_with({.operation = "erase", .after_calls = 1});
  FaultyDriver second(std::make_unique<RecordingDriver>(calls_), script_);
  EXPECT_TRUE(first.erase(open_, {}));
  EXPECT_FALSE(second.erase(open_, {}));
  EXPECT_EQ(script_->calls("erase"), 2U);
}

/// A session whose connections record; the observer is not reached by these tests.
struct RecordingSession final : Session {
  explicit RecordingSession(std::vector<std::string>& log) : calls(log) {}
  Result<std::unique_ptr<Driver>> open_driver(const CallContext&) override {
    return std::unique_ptr<Driver>(new RecordingDriver(calls));
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext&) override {
    return Error{ErrorCode::kUnsupported, "recording", "no observer"};
  }
  std::vector<std::string>& calls;
};

TEST_F(FaultyDriverTest, ASessionGivesOutFaultyConnections) {
  const auto script = std::make_shared<FaultScript>(std::vector<Fault>{
      {.operation = "open_driver", .after_calls = 1, .once = true}, {.operation = "prove"}});
  FaultySession session(std::make_unique<RecordingSession>(calls_), script);
  const auto driver = session.open_driver(open_);
  ASSERT_TRUE(driver);
  EXPECT_FALSE((*driver)->prove(open_));
  EXPECT_TRUE((*driver)->flush(open_));
  EXPECT_FALSE(session.open_driver(open_));
  EXPECT_TRUE(session.open_driver(open_));
  const auto observer = session.open_observer(open_);
  ASSERT_FALSE(observer);
  EXPECT_EQ(observer.error().code, ErrorCode::kUnsupported) << "the real session's answer passes";
}

}  // namespace
}  // namespace lab
