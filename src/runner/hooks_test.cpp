// The hook between load and sizes, in whole runs over plain files.
// SPDX-License-Identifier: Apache-2.0
#include "runner/hooks.hpp"

#include <filesystem>

#include "core/testing/temporary_folder.hpp"
#include "runner/password.hpp"
#include "runner/testing/run_fixture.hpp"

namespace lab {
namespace {

class AfterOperations : public RunFixture {
 protected:
  void SetUp() override {
    RunFixture::SetUp();
    plan_.repetitions = 1;
    plan_.dataset.grades = {0};
    plan_.stages.chains = {{StageKind::kBulkInsert}};
    plan_.retry.max_retries = 0;
    plan_.systems = {{.name = "files"}};
  }
  StageRecord record_of(const std::string& system) {
    for (const StageRecord& record : records())
      if (record.cell.system == system) return record;
    ADD_FAILURE() << "no record of " << system;
    return {};
  }
};

TEST_F(AfterOperations, RunsForTheSystemsOfThePlanAndNotForTheControls) {
  plan_.hooks.after_operations = {"sh",          "-c",       "test -d \"$0\" && echo $1 $2",
                                  "{directory}", "{system}", "{stage}"};
  ASSERT_TRUE(run());
  const StageRecord files = record_of("files");
  EXPECT_TRUE(files.valid) << files.reason;
  const std::string& command = files.settings.at("hooks.after_operations");
  EXPECT_NE(command.find("files bulk_insert"), std::string::npos) << command;
  EXPECT_TRUE(files.observed.contains("hooks.after_operations"));
  const StageRecord control = record_of("cas");
  EXPECT_TRUE(control.cell.control);
  EXPECT_TRUE(control.valid) << control.reason;
  EXPECT_FALSE(control.settings.contains("hooks.after_operations"));
}

TEST_F(AfterOperations, WhatItDestroysIsFoundByTheReadBack) {
  plan_.hooks.after_operations = {
      "sh", "-c", "find \"$0\" -type f -size +3k | head -n 1 | xargs truncate -s 0", "{directory}"};
  ASSERT_TRUE(run());
  const StageRecord files = record_of("files");
  EXPECT_FALSE(files.valid);
  EXPECT_FALSE(files.reason.empty());
}

TEST_F(AfterOperations, PasswordsInItsWordsAreLeftOut) {
  ::setenv("DEDUP_HOOK_TEST_PASSWORD", "correct horse", 1);
  redact_environment();
  plan_.hooks.after_operations = {"sh", "-c", "env; exit 1"};
  ASSERT_TRUE(run());
  ::unsetenv("DEDUP_HOOK_TEST_PASSWORD");
  const StageRecord files = record_of("files");
  EXPECT_NE(files.reason.find("DEDUP_HOOK_TEST_PASSWORD=***"), std::string::npos) << files.reason;
}

TEST_F(AfterOperations, IsEndedAtItsLimit) {
  plan_.hooks.after_operations = {"sleep", "600"};
  plan_.hooks.after_operations_limit = Millis{200};
  ASSERT_TRUE(run());
  const StageRecord files = record_of("files");
  EXPECT_FALSE(files.valid);
  EXPECT_EQ(files.error_code, "TIMEOUT") << files.reason;
}

TEST(RestartHookRun, TheServerThatItStartsGoesOnAfterIt) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "said";
  const HooksPlan hooks{.restart = {"sh", "-c", "(sleep 0.3; echo > '" + file.string() + "') & exit 0"}};
  const auto done = run_restart_hook(hooks, "x", {Clock::now() + Millis{20'000}, {}});
  ASSERT_TRUE(done) << done.error().text();
  const auto end = Clock::now() + Millis{20'000};
  while (!std::filesystem::exists(file) && Clock::now() < end) sleep_until({}, Clock::now() + Millis{5});
  EXPECT_TRUE(std::filesystem::exists(file)) << "it was ended with the hook";
}

TEST(AfterOperationsCommand, FillsItsWordsAndNeedsTheFolderThatItNames) {
  const HooksPlan hooks{.after_operations = {"x", "{system}/{stage}", "{directory}", "{other}"}};
  const auto command = after_operations_command(hooks, "files", "refill", "/data/{stage}");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->argv, (std::vector<std::string>{"x", "files/refill", "/data/{stage}", "{other}"}));
  EXPECT_FALSE(after_operations_command(hooks, "files", "refill", std::nullopt));
  EXPECT_TRUE(after_operations_command({.after_operations = {"x"}}, "files", "refill", std::nullopt));
}

}  // namespace
}  // namespace lab
