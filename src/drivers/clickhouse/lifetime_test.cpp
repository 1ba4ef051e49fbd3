// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/lifetime.hpp"

#include <gtest/gtest.h>

namespace lab::clickhouse {
namespace {

using namespace std::chrono_literals;

TEST(Lifetime, KeepsTheFirstStartThoughEachAnswerComputesAnother) {
  Lifetime lifetime;
  const auto begin = Clock::now();
  lifetime.see(100, "12:00:00", begin, begin);
  lifetime.see(110, "12:00:01", begin + 10'900ms, begin + 11s);
  lifetime.see(4'000, "13:07:12", begin + 3'900s, begin + 3'901s);  // Its wall clock was set.
  EXPECT_EQ(lifetime.generation(), 1U);
  EXPECT_EQ(lifetime.started_at(), "12:00:00");
}

TEST(Lifetime, AYoungerProcessIsARestart) {
  Lifetime lifetime;
  const auto begin = Clock::now();
  lifetime.see(100, "12:00:00", begin, begin);
  lifetime.see(0, "12:01:50", begin + 10s, begin + 10s);
  EXPECT_EQ(lifetime.generation(), 2U);
  EXPECT_EQ(lifetime.started_at(), "12:01:50");
}

TEST(Lifetime, ARestartIsSeenEvenWhenTheNewProcessIsOlderThanTheOldOneWas) {
  Lifetime lifetime;
  const auto begin = Clock::now();
  lifetime.see(5, "12:00:00", begin, begin);
  lifetime.see(50, "12:00:15", begin + 60s, begin + 60s);
  EXPECT_EQ(lifetime.generation(), 2U);
}

TEST(Lifetime, ALateAnswerToAnEarlyQuestionIsNoRestart) {
  Lifetime lifetime;
  const auto begin = Clock::now();
  lifetime.see(100, "12:00:00", begin, begin);
  lifetime.see(130, "12:00:00", begin + 30s, begin + 30s);
  lifetime.see(105, "12:00:00", begin + 5s, begin + 31s);
  EXPECT_EQ(lifetime.generation(), 1U);
  lifetime.see(140, "12:00:00", begin + 40s, begin + 40s);
  EXPECT_EQ(lifetime.generation(), 1U);
}

}  // namespace
}  // namespace lab::clickhouse
