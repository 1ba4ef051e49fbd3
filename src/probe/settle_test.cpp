// SPDX-License-Identifier: Apache-2.0
#include "probe/settle.hpp"

#include <gtest/gtest.h>

namespace lab {
namespace {

const std::vector<std::string> kFiles{"files"};

Reading files_of(std::int64_t bytes) { return {.bytes = {{"files", bytes}}}; }

/// Readings come one by one from a list, the last one again and again.
struct Script {
  std::vector<Reading> readings{};
  std::vector<double> busy{0};
  std::size_t reads = 0, asks = 0;

  SettleSource source(bool background_work) {
    return {[this] { return readings[std::min(reads++, readings.size() - 1)]; },
            [this]() -> Result<std::map<std::string, double>> {
              return std::map<std::string, double>{{"jobs", busy[std::min(asks++, busy.size() - 1)]}};
            },
            background_work};
  }
};

SettlePlan plan_of(Millis window, Millis limit) {
  SettlePlan plan;
  plan.window = window;
  plan.limit = limit;
  plan.interval = Millis{100};
  return plan;
}

TEST(Settle, WithoutBackgroundWorkTwoEqualReadingsAreEnough) {
  Script script{{files_of(10), files_of(20), files_of(20)}};
  ScriptedTime time;
  const Settled outcome = settle(script.source(false), plan_of(Millis{1000}, Millis{5000}), kFiles, {}, time);
  EXPECT_TRUE(outcome.settled);
  EXPECT_EQ(outcome.reading.bytes.at("files"), 20);
  EXPECT_EQ(script.reads, 3U);
}

TEST(Settle, WithBackgroundWorkTheWindowMustPassInQuiet) {
  Script script{{files_of(10)}};
  ScriptedTime time;
  const Settled outcome = settle(script.source(true), plan_of(Millis{1000}, Millis{5000}), kFiles, {}, time);
  EXPECT_TRUE(outcome.settled);
  EXPECT_GE(outcome.seconds, 1.0);
}

TEST(Settle, BusyCountersHoldItUpThoughTheSizeRests) {
  Script script{{files_of(10)}, {1, 1, 1, 0}};
  ScriptedTime time;
  const Settled outcome = settle(script.source(false), plan_of(Millis{0}, Millis{5000}), kFiles, {}, time);
  EXPECT_TRUE(outcome.settled);
  EXPECT_GE(script.asks, 4U);
}

TEST(Settle, ASizeThatNeverRestsIsMissingAndNotANumber) {
  Script script;
  for (std::int64_t size = 0; size < 1000; ++size) script.readings.push_back(files_of(size * 4096));
  ScriptedTime time;
  const Settled outcome = settle(script.source(false), plan_of(Millis{200}, Millis{3000}), kFiles, {}, time);
  EXPECT_FALSE(outcome.settled);
  EXPECT_FALSE(outcome.reading.bytes.contains("files"));
  EXPECT_TRUE(outcome.reading.missing.at("files").starts_with("unsettled"));
  EXPECT_GE(outcome.seconds, 3.0);
  EXPECT_LE(outcome.seconds, 3.2);
}

TEST(Settle, ALimitThatPassedInOneLookIsNoMovementOfTheSize) {
  ScriptedTime time;
  Script script{{files_of(10)}};
  SettleSource source = script.source(false);
  source.read = [&] {  // As when another probe asks a server that hangs.
    time.advance(Millis{25'000});
    return files_of(10);
  };
  const Settled once = settle(source, plan_of(Millis{0}, Millis{20'000}), kFiles, {}, time);
  EXPECT_FALSE(once.settled);
  EXPECT_EQ(once.reading.missing.at("files"), "unsettled: only one look within the limit of 20s");
  // Two looks within the limit are enough to tell.
  const Settled twice = settle(source, plan_of(Millis{0}, Millis{40'000}), kFiles, {}, time);
  EXPECT_TRUE(twice.settled);
  Script moving{{files_of(1), files_of(2), files_of(3), files_of(4)}};
  const Settled moved = settle(moving.source(false), plan_of(Millis{0}, Millis{200}), kFiles, {}, time);
  EXPECT_EQ(moved.reading.missing.at("files"), "unsettled: still moving at the limit of 200ms");
}

TEST(Settle, ASizeThatIsQuietForLessThanTheWindowAtTheLimitIsMissing) {
  Script script;
  for (std::int64_t size = 0; size < 28; ++size) script.readings.push_back(files_of(size * 4096));
  ScriptedTime time;  // The last reading, seen again from 2.7 s on, has not rested for a second at 3 s.
  const Settled outcome = settle(script.source(true), plan_of(Millis{1000}, Millis{3000}), kFiles, {}, time);
  EXPECT_FALSE(outcome.settled);
  EXPECT_FALSE(outcome.reading.bytes.contains("files"));
}

TEST(Settle, ARequiredProbeThatNeverAnswersIsMissingWithItsOwnReason) {
  Script script{{Reading{.bytes = {}, .missing = {{"files", "no such folder"}}, .scope = {}}}};
  ScriptedTime time;
  const Settled outcome = settle(script.source(false), plan_of(Millis{0}, Millis{3000}), kFiles, {}, time);
  EXPECT_EQ(outcome.reading.missing.at("files"), "no such folder");
  EXPECT_LT(outcome.seconds, 1.0);
}

TEST(Settle, AProbeThatIsNotRequiredDoesNotHoldItUpButGetsNoFigure) {
  Script script;
  for (std::int64_t step = 0; step < 10; ++step) {
    Reading reading = files_of(10);
    reading.bytes["engine"] = step;
    script.readings.push_back(reading);
  }
  ScriptedTime time;
  const Settled outcome = settle(script.source(false), plan_of(Millis{200}, Millis{3000}), kFiles, {}, time);
  EXPECT_TRUE(outcome.settled);
  EXPECT_TRUE(outcome.reading.bytes.contains("files"));
  EXPECT_FALSE(outcome.reading.bytes.contains("engine"));
  EXPECT_TRUE(outcome.reading.missing.at("engine").starts_with("unsettled"));
}

TEST(Settle, WhereNoProbeIsRequiredThoseThatAnswerAreWaitedFor) {
  Script script{{files_of(10), files_of(20), files_of(20)}};
  ScriptedTime time;
  const Settled outcome = settle(script.source(false), plan_of(Millis{1000}, Millis{5000}), {}, {}, time);
  EXPECT_TRUE(outcome.settled);
  EXPECT_EQ(outcome.reading.bytes, (ByteMap{{"files", 20}})) << "not missing after one look";
}

TEST(Settle, WithinTheToleranceIsEqual) {
  Script script{{files_of(1000), files_of(1010), files_of(1005)}};
  SettlePlan plan = plan_of(Millis{0}, Millis{5000});
  plan.tolerance = Bytes{16};
  ScriptedTime time;
  EXPECT_TRUE(settle(script.source(false), plan, kFiles, {}, time).settled);
  EXPECT_EQ(script.reads, 2U);
}

Reading lagging(std::int64_t bytes, Millis lag) {
  Reading reading = files_of(10);
  reading.bytes["pool"] = bytes;
  reading.lag["pool"] = lag;
  return reading;
}

TEST(Settle, AFigureThatLagsMustBeQuietForLongerThanThat) {
  Script script{{lagging(1, Millis{700})}};
  ScriptedTime time;
  const Settled outcome = settle(script.source(false), plan_of(Millis{0}, Millis{5000}), kFiles, {}, time);
  EXPECT_TRUE(outcome.settled);
  EXPECT_GE(outcome.seconds, 0.7);
  EXPECT_EQ(outcome.reading.bytes.at("pool"), 1);
}

TEST(Settle, AFigureThatLagsAndNeverRestsIsMissingAndTheOthersStand) {
  Script script;
  for (std::int64_t size = 0; size < 100; ++size) script.readings.push_back(lagging(size, Millis{500}));
  ScriptedTime time;
  const Settled outcome = settle(script.source(false), plan_of(Millis{0}, Millis{2000}), kFiles, {}, time);
  EXPECT_TRUE(outcome.settled) << "it is not required";
  EXPECT_EQ(outcome.reading.bytes.at("files"), 10);
  EXPECT_TRUE(outcome.reading.missing.at("pool").starts_with("unsettled"));
}

TEST(Settle, WhatMayNotBeOursIsPartOfTheResidue) {
  Reading reading = files_of(10);
  reading.uncertain["files"] = 5;
  Script script{{reading}};
  ScriptedTime time;
  const Settled outcome = settle(script.source(false), plan_of(Millis{0}, Millis{2000}), kFiles, {}, time);
  EXPECT_EQ(outcome.residue.at("files"), 5);
}

TEST(Settle, AStopEndsItAtOnce) {
  Script script{{files_of(1), files_of(2), files_of(3)}};
  ScriptedTime time;
  std::stop_source stop;
  stop.request_stop();
  const Settled outcome = settle(script.source(true), plan_of(Millis{1000}, Millis{60'000}), kFiles,
                                 {Clock::time_point::max(), stop.get_token()}, time);
  EXPECT_FALSE(outcome.settled);
  EXPECT_EQ(script.reads, 1U);
}

TEST(Settle, UnknownBusyCountersAreNotQuiet) {
  Script script{{files_of(1)}};
  SettleSource source = script.source(false);
  source.busy = []() -> Result<std::map<std::string, double>> {
    return Error{ErrorCode::kConnectionLost, "fake.busy", "gone"};
  };
  ScriptedTime time;
  const Settled outcome = settle(source, plan_of(Millis{0}, Millis{1000}), kFiles, {}, time);
  EXPECT_FALSE(outcome.settled);
  EXPECT_FALSE(outcome.reading.bytes.contains("files"));
}

TEST(IdleDrift, OfAProbeThatStopsToAnswerIsNotKnownAndNotZero) {
  Reading gone = files_of(100);
  gone.bytes["volume"] = 5;
  Script script{{gone, gone, files_of(100)}};
  SettlePlan plan;
  plan.idle = Millis{1000};
  plan.interval = Millis{100};
  ScriptedTime time;
  const ByteMap drift = *idle_drift(script.source(false), plan, {}, time);
  EXPECT_FALSE(drift.contains("volume"));
  EXPECT_EQ(drift.at("files"), 0);
}

TEST(IdleDrift, OfALateProbeIsWatchedForItsLag) {
  Script script;
  for (int look = 0; look < 20; ++look) script.readings.push_back(lagging(look < 15 ? 1 : 41, Millis{2'000}));
  SettlePlan plan = plan_of(Millis{0}, Millis{5'000});
  plan.idle = Millis{200};
  ScriptedTime time;
  const ByteMap drift = *idle_drift(script.source(false), plan, {}, time);
  EXPECT_EQ(drift.at("pool"), 40) << "it moved after 1.5 s, in which nothing could be seen of it";
  EXPECT_EQ(drift.at("files"), 0);
}

TEST(IdleDrift, OfAProbeThatIsWatchedForLessThanItsLagIsNotKnown) {
  Script script{{lagging(1, Millis{2'000})}};
  SettlePlan plan = plan_of(Millis{0}, Millis{1'000});
  plan.idle = Millis{200};
  ScriptedTime time;
  const ByteMap drift = *idle_drift(script.source(false), plan, {}, time);
  EXPECT_FALSE(drift.contains("pool"));
  EXPECT_TRUE(drift.contains("files"));
  const CallContext soon_over{time.now() + Millis{500}, {}};
  plan.limit = Millis{5'000};
  EXPECT_FALSE(idle_drift(script.source(false), plan, soon_over, time)->contains("pool"));
}

TEST(IdleDrift, OfOneReadingIsNotKnown) {
  Script script{{files_of(10)}};
  SettlePlan plan;
  plan.idle = Millis{0};
  ScriptedTime time;
  EXPECT_TRUE(idle_drift(script.source(false), plan, {}, time)->empty());
}

TEST(IdleDrift, IsTheLargestDistanceFromTheFirstReading) {
  Script script{{files_of(100), files_of(90), files_of(130), files_of(100)}};
  SettlePlan plan;
  plan.idle = Millis{1000};
  plan.interval = Millis{100};
  ScriptedTime time;
  EXPECT_EQ(idle_drift(script.source(false), plan, {}, time)->at("files"), 30);
}

Reading lost_connection() {
  return {.missing = {{"files", "gone"}},
          .lost = Error{ErrorCode::kConnectionLost, "fake.directories", "gone"}};
}

TEST(Settle, ALostConnectionEndsItAtOnceAndIsToldAsSuch) {
  for (const bool background_work : {false, true}) {
    SCOPED_TRACE(background_work);
    Script script{{files_of(10), lost_connection(), files_of(10)}};
    ScriptedTime time;
    const Settled outcome =
        settle(script.source(background_work), plan_of(Millis{1000}, Millis{5000}), kFiles, {}, time);
    EXPECT_FALSE(outcome.settled);
    ASSERT_TRUE(outcome.lost);
    EXPECT_EQ(outcome.lost->code, ErrorCode::kConnectionLost);
    EXPECT_LT(outcome.seconds, 1.0) << "no later look proves anything";
    EXPECT_TRUE(outcome.reading.bytes.empty());
  }
}

TEST(Settle, ALossThatTheBusyCountersMeetEndsItToo) {
  Script script{{files_of(10)}};
  SettleSource source = script.source(true);
  source.busy = []() -> Result<std::map<std::string, double>> {
    return Error{ErrorCode::kConnectionLost, "fake.busy", "gone"};
  };
  ScriptedTime time;
  const Settled outcome = settle(source, plan_of(Millis{1000}, Millis{5000}), kFiles, {}, time);
  ASSERT_TRUE(outcome.lost);
  EXPECT_TRUE(outcome.reading.bytes.empty());
}

TEST(IdleDrift, WithALostConnectionThereIsNone) {
  SettlePlan plan = plan_of(Millis{1000}, Millis{5000});
  plan.idle = Millis{1000};
  for (const auto& readings :
       {std::vector{lost_connection()}, std::vector{files_of(10), lost_connection()}}) {
    Script script{readings};
    ScriptedTime time;
    const auto drift = idle_drift(script.source(false), plan, {}, time);
    ASSERT_FALSE(drift);
    EXPECT_EQ(drift.error().code, ErrorCode::kConnectionLost);
  }
}

}  // namespace
}  // namespace lab
