// Programs are run within bounds and get nothing of ours that they should not have.
// SPDX-License-Identifier: Apache-2.0
#include "core/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "core/log.hpp"
#include "core/outer_environment.hpp"
#include "core/process_stamp.hpp"
#include "core/testing/temporary_folder.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

using namespace std::chrono_literals;

CallContext soon() { return {Clock::now() + 30s, {}}; }
Command shell(const std::string& script) { return {.argv = {"sh", "-c", script}}; }

Ended run(const Command& command, const RunLimits& limits = {}) {
  const auto ended = run_command(soon(), command, limits);
  EXPECT_TRUE(ended) << ended.error().text();
  return ended ? *ended : Ended{};
}

/// Polls: programs write their files when they get to it.
std::string await_text(const std::filesystem::path& file) {
  const auto end = Clock::now() + 20s;
  while (Clock::now() < end) {
    const auto text = read_file(file);
    if (text && text->ends_with('\n')) return std::string(trim(*text));
    sleep_until({}, Clock::now() + 5ms);
  }
  return "";
}

/// Polls: a process that was killed is gone a moment later.
bool comes_to_its_end(const std::string& pid) {
  if (pid.empty()) return false;
  const auto still = [&] {
    const auto stat = process_stat(pid);
    return stat && !stat->ended();
  };
  const auto end = Clock::now() + 20s;
  while (still() && Clock::now() < end) sleep_until({}, Clock::now() + 5ms);
  return !still();
}

TEST(Process, OutputErrorsAndExitCodeComeBack) {
  const Ended ended = run(shell("echo one; echo two >&2; exit 7"));
  EXPECT_EQ(ended.exit_code, 7);
  EXPECT_EQ(ended.output, "one\ntwo\n");
  EXPECT_FALSE(ended.cut);
}

TEST(Process, ErrorsCanBeKeptApartFromOutput) {
  const Ended ended = run(shell("echo one; echo two >&2; echo three; exit 7"), {.errors_apart = true});
  EXPECT_EQ(ended.exit_code, 7);
  EXPECT_EQ(ended.output, "one\nthree\n");
  EXPECT_EQ(ended.errors, "two\n");
  // More than a pipe holds on both, so that neither may wait for the other.
  const Ended much = run(shell("seq 1 50000 >&2; seq 1 50000; seq 1 50000 >&2"),
                         {.output = Bytes{1 << 20}, .errors_apart = true});
  EXPECT_EQ(much.errors.size(), 2 * much.output.size());
  const auto late = run_command({Clock::now() + 300ms, {}}, shell("echo said; echo why >&2; sleep 600"),
                                {.errors_apart = true});
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().detail.ends_with("why")) << late.error().text();
}

TEST(Process, ASignalThatEndsItIsItsExitCode) { EXPECT_EQ(run(shell("kill -KILL $$")).exit_code, 128 + 9); }

TEST(Process, ArgumentsInputFolderAndEnvironmentArriveAsTheyAre) {
  const TemporaryFolder folder;
  Command command{.argv = {"sh", "-c", "printf '%s|' \"$@\"; cat; pwd; printf '%s' \"$LAB_WORD\"", "sh",
                           "a b", "", "c\"'$"}};
  command.input = std::string("in\n") + std::string(100'000, 'x') + "\n";
  command.directory = folder.path();
  command.environment = {"LAB_WORD=w o r d"};
  const Ended ended = run(command, {.output = Bytes{1 << 20}});
  EXPECT_EQ(ended.output, "a b||c\"'$|" + command.input + folder.path().string() + "\nw o r d");
}

TEST(Process, AVariableThatHoldsASecretGoesOnlyWhereItIsAskedFor) {
  log_redact("correct horse");
  ::setenv("PROCESS_TEST_LOGIN", "correct horse", 1);
  for (const bool secrets : {false, true}) {
    const auto ended = run_command(soon(), {.argv = {"env"}, .secrets = secrets});
    ASSERT_TRUE(ended) << ended.error().text();
    EXPECT_EQ(ended->output.find("PROCESS_TEST_LOGIN=correct horse") != std::string::npos, secrets);
    EXPECT_NE(ended->output.find("PATH="), std::string::npos);
  }
  ::unsetenv("PROCESS_TEST_LOGIN");
}

TEST(Process, AVariableThatIsHiddenFromLibrariesStillGoesToPrograms) {
  ::setenv("PROCESS_TEST_OPTIONS", "-c fsync=off", 1);
  const char* const names[] = {"PROCESS_TEST_OPTIONS", "PROCESS_TEST_THAT_IS_NOT_SET"};
  hide_from_libraries(names);
  EXPECT_EQ(std::getenv("PROCESS_TEST_OPTIONS"), nullptr);
  EXPECT_NE(run({.argv = {"/usr/bin/env"}}).output.find("PROCESS_TEST_OPTIONS=-c fsync=off\n"),
            std::string::npos);
  EXPECT_EQ(run({.argv = {"/usr/bin/env"}, .own_environment = true}).output, "");
}

TEST(Process, AnEnvironmentOfItsOwnHoldsNothingOfOurs) {
  ::setenv("LAB_OURS", "1", 1);
  Command command{.argv = {"/usr/bin/env"}, .environment = {"A=1"}, .own_environment = true};
  EXPECT_EQ(run(command).output, "A=1\n");
  command.own_environment = false;
  EXPECT_NE(run(command).output.find("LAB_OURS=1"), std::string::npos);
  command.environment = {"LAB_OURS=2"};
  EXPECT_EQ(run(command).output.find("LAB_OURS=1"), std::string::npos);
  ::unsetenv("LAB_OURS");
}

TEST(Process, OnlyTheLastOfALongOutputIsKept) {
  const Ended ended = run(shell("seq 1 50000"), {.output = Bytes{100}});
  EXPECT_TRUE(ended.cut);
  EXPECT_EQ(ended.output.size(), 100U);
  EXPECT_TRUE(ended.output.ends_with("\n49999\n50000\n"));
}

TEST(Process, WhatCannotBeStartedIsAnErrorWithItsName) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomic(folder.path() / "text", "no program", 0700));
  for (const std::string& name : {std::string("no-such-program-anywhere"), (folder.path() / "none").string(),
                                  (folder.path() / "text").string(), folder.path().string()}) {
    SCOPED_TRACE(name);
    const auto ended = run_command(soon(), {.argv = {name}});
    ASSERT_FALSE(ended);
    EXPECT_NE(ended.error().detail.find(name), std::string::npos) << ended.error().text();
  }
  Command lost = shell("true");
  lost.directory = folder.path() / "nowhere";
  EXPECT_FALSE(run_command(soon(), lost));
  EXPECT_FALSE(run_command(soon(), {}));
}

TEST(Process, TheDeadlineEndsItWithItsChildrenAndTellsWhatItSaid) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "pid").string();
  const auto ended =
      run_command({Clock::now() + 500ms, {}}, shell("echo begun; sleep 600 & echo $! > " + file + "; wait"));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::kTimeout);
  EXPECT_NE(ended.error().detail.find("begun"), std::string::npos) << ended.error().text();
  EXPECT_TRUE(comes_to_its_end(await_text(file))) << "its child goes on";
}

TEST(Process, ChildrenThatItLeavesBehindAreEndedAfterIt) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "pid").string();
  const Command leaving = shell("sleep 600 & echo $! > " + file + "; echo done; exit 3");
  const Ended ended = run(leaving);
  EXPECT_EQ(ended.exit_code, 3) << "ending them must not change how it ended";
  EXPECT_EQ(ended.output, "done\n");
  const std::string child = await_text(file);
  ASSERT_FALSE(child.empty());
  EXPECT_TRUE(comes_to_its_end(child)) << "its child goes on";
}

TEST(Process, ChildrenThatMayGoOnAreLeftRunning) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "said").string();
  const Command leaving = shell("(sleep 0.3; echo alive > " + file + ") & exit 0");
  EXPECT_EQ(run(leaving, {.leaves_running = true}).exit_code, 0);
  EXPECT_EQ(await_text(file), "alive");
}

TEST(Process, AProgramThatNeverPausesIsEndedAtTheDeadline) {
  const auto ended = run_command({Clock::now() + 300ms, {}}, {.argv = {"yes"}}, {.output = Bytes{100}});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::kTimeout);
}

TEST(Process, AProgramThatIgnoresSigtermIsKilled) {
  const auto ended = run_command({Clock::now() + 300ms, {}}, shell("trap '' TERM; while :; do sleep 1; done"),
                                 {.grace = 100ms});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::kTimeout);
}

TEST(Process, AStopEndsIt) {
  std::stop_source stop;
  std::jthread later([&] {
    sleep_until({}, Clock::now() + 100ms);
    stop.request_stop();
  });
  const auto ended = run_command({Clock::now() + 60s, stop.get_token()}, shell("sleep 600"));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::kCancelled);
}

TEST(Process, WhatItLeavesRunningDoesNotHoldUsUp) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "pid").string();
  // The daemon keeps the output open, as a careless one does. It has its own session before the shell ends.
  const Ended ended = run(shell("setsid sh -c 'echo $$ > " + file + "; exec sleep 600' & while ! [ -s " +
                                file + " ]; do sleep 0.01; done; echo done"));
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_NE(ended.output.find("done"), std::string::npos);
  const std::string daemon = await_text(file);
  ASSERT_FALSE(daemon.empty());
  EXPECT_EQ(::kill(std::stoi(daemon), SIGKILL), 0) << "it was not left running";
}

TEST(Process, OurDescriptorsAndIgnoredSignalsDoNotGoWithIt) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "open").string();
  const int open = ::open(file.c_str(), O_RDWR | O_CREAT, 0600);  // Without O_CLOEXEC, as libraries do.
  ASSERT_GE(open, 0);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(run(shell("ls -l /proc/$$/fd")).output.find(file), std::string::npos);
  EXPECT_EQ(run(shell("kill -PIPE $$; echo alive")).exit_code, 128 + SIGPIPE);
  std::signal(SIGPIPE, before);
  ::close(open);
}

TEST(Process, AHeldChildIsNotTheProgramUntilItIsReleased) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "ran").string();
  auto child = HeldChild::start(shell("echo ran > " + file), {});
  ASSERT_TRUE(child) << child.error().text();
  EXPECT_TRUE(stamp_of(child->pid()));
  EXPECT_FALSE(std::filesystem::exists(file));
  ASSERT_TRUE(child->release());
  EXPECT_EQ(await_text(file), "ran");
  ::waitpid(child->pid(), nullptr, 0);
}

TEST(Process, AHeldChildThatNobodyReleasesEnds) {
  pid_t pid = 0;
  {
    auto child = HeldChild::start(shell("sleep 600"), {});
    ASSERT_TRUE(child);
    pid = child->pid();
  }
  EXPECT_FALSE(stamp_of(pid));
}

TEST(Process, ProgramsAreFoundInPathAndInTheFoldersThatAreNamed) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomic(folder.path() / "lab-only-here", "#!/bin/sh\n", 0700));
  ASSERT_TRUE(write_file_atomic(folder.path() / "lab-no-program", "", 0600));
  EXPECT_TRUE(find_program("sh"));
  EXPECT_FALSE(find_program("lab-only-here"));
  const std::filesystem::path also[] = {folder.path()};
  const auto found = find_program("lab-only-here", also);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, folder.path() / "lab-only-here");
  EXPECT_FALSE(find_program("lab-no-program", also));
  EXPECT_FALSE(find_program(""));
}

TEST(Process, AnotherUserIsTakenOnWithAllItsLimits) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const auto user = find_user("nobody");
  ASSERT_TRUE(user) << user.error().text();
  Command command = shell("id -u; id -g; id -G");
  command.user = *user;
  const std::string group = std::to_string(user->group);
  EXPECT_EQ(run(command).output, std::to_string(user->user) + "\n" + group + "\n" + group + "\n");
}

TEST(Process, AUserThatDoesNotExistIsNotFound) { EXPECT_FALSE(find_user("no-such-user-here")); }

}  // namespace
}  // namespace lab
