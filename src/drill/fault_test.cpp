// The faults themselves, their children and their outcomes, without a server.
// SPDX-License-Identifier: Apache-2.0
#include "drill/fault.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "core/files.hpp"
#include "core/testing/temporary_folder.hpp"
#include "drill/child.hpp"
#include "drill/outcome.hpp"

namespace lab::drill {
namespace {

TEST(Faults, EachHasANameOfItsOwnAndBothFunctions) {
  std::set<std::string_view> names;
  for (const Fault& fault : faults()) {
    EXPECT_TRUE(names.insert(fault.name).second) << fault.name;
    EXPECT_FALSE(fault.what.empty());
    EXPECT_NE(fault.inject, nullptr) << fault.name;
    EXPECT_NE(fault.heal, nullptr) << fault.name;
    EXPECT_EQ(find_fault(fault.name), &fault);
  }
  EXPECT_EQ(find_fault("kil"), nullptr);
}

TEST(Faults, OnlyASmallFileSystemOfItsOwnIsEverFilled) {
  for (const char* folder : {"/", "/usr"}) {
    const auto refused = small_disk(folder);
    ASSERT_FALSE(refused) << folder;
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  }
  EXPECT_FALSE(small_disk("/no/such/folder"));
}

Command shell(const std::string& words) { return {.argv = {"/bin/sh", "-c", words}}; }

TEST(DrillChild, SaysHowItEndedAndItsWordsAreInTheLog) {
  const TemporaryFolder folder;
  auto child = Child::start(shell("echo said; exit 6"), folder.path() / "log");
  ASSERT_TRUE(child) << child.error().text();
  const auto code = child->wait(within({}, Millis{10'000}));
  ASSERT_TRUE(code) << code.error().text();
  EXPECT_EQ(*code, 6);
  EXPECT_EQ(*read_file(folder.path() / "log"), "said\n");
  auto killed = Child::start(shell("kill -9 $$"), folder.path() / "log");
  ASSERT_TRUE(killed);
  EXPECT_EQ(*killed->wait(within({}, Millis{10'000})), 128 + SIGKILL);
}

TEST(DrillChild, OneThatHangsIsATimeoutAndEndsWithItsObject) {
  const TemporaryFolder folder;
  pid_t pid = 0;
  {
    auto child = Child::start(shell("exec sleep 600"), folder.path() / "log");
    ASSERT_TRUE(child) << child.error().text();
    pid = child->pid();
    EXPECT_EQ(child->wait(within({}, Millis{50})).error().code, ErrorCode::kTimeout);
    EXPECT_TRUE(child->running());
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(DrillOutcome, ComesBackFromItsTextAsItWas) {
  for (const Outcome& outcome :
       {Outcome{"redis", "update", "kill", Answer::kResumed, "it \"was\" lost", 1, 0.25, 3.5, 12.0},
        Outcome{"kafka", "refill", "cut", Answer::kSkipped, "", {}, {}, {}, {}}}) {
    const auto back = outcome_from_json(to_json(outcome));
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(to_json(*back), to_json(outcome));
    EXPECT_EQ(back->answer, outcome.answer);
    EXPECT_EQ(back->exit_code, outcome.exit_code);
    EXPECT_EQ(back->healed_s, outcome.healed_s);
  }
  EXPECT_FALSE(outcome_from_json("{}"));
  EXPECT_FALSE(outcome_from_json("not json"));
}

TEST(DrillOutcome, WhatIsNotAllowedIsMarkedInBothFilesAndWhatIsUnknownIsLeftOut) {
  const TemporaryFolder folder;
  ASSERT_TRUE(
      write_outcomes(folder.path(), {{"redis", "update", "kill", Answer::kNotAllowed, "it hangs"}}, 9));
  const auto json = *read_file(folder.path() / "drill.json");
  EXPECT_NE(json.find("\"seed\": 9"), std::string::npos) << json;
  EXPECT_NE(json.find("\"allowed\": false"), std::string::npos) << json;
  EXPECT_EQ(json.find("exit_code"), std::string::npos) << json;
  EXPECT_NE(
      read_file(folder.path() / "drill.csv")->find("redis,update,kill,NOT ALLOWED,false,,,,,it hangs\n"),
      std::string::npos);
}

}  // namespace
}  // namespace lab::drill
