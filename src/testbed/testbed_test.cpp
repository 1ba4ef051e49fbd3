// The life of a server, with one that does as it is told: up, down, restart, and what crashes leave behind.
// SPDX-License-Identifier: Apache-2.0
#include "testbed/testbed.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "core/testing/temporary_folder.hpp"
#include "core/text.hpp"
#include "testbed/ask.hpp"
#include "testbed/ports.hpp"
#include "testbed/server_process.hpp"

namespace lab::testbed {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

CallContext soon() { return {Clock::now() + 60s, {}}; }

/// What the fake server does; the recipe's functions have nothing else to see it by.
std::string& mode() {
  static std::string text;
  return text;
}

/// Somebody else's listener that appears on the port that the server was given.
FileHandle& intruder() {
  static FileHandle socket;
  return socket;
}

FileHandle listen_on(std::uint16_t port) {
  FileHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_GE(socket.get(), 0);
  if (socket.get() < 0) return socket;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(socket.get(), 1), 0);
  return socket;
}

Recipe fake() {
  return {.name = "fake",
          .start_limit = 20s,
          .stop_limit = 20s,
          .find = [](const ProgramSearch& search) -> Result<Installation> {
            const auto program = search.program("fake", LAB_FAKE_SERVER);
            if (!program) return program.error();
            return Installation{{{"server", *program}}, {}};
          },
          .prepare = [](const Place& place, Preparation& preparation, const CallContext&) -> Status {
            LAB_TRY(preparation.make_folder("data"));
            LAB_TRY(preparation.write("config", place.password));
            if (mode() != "unprepared") return ok();
            const auto ran = preparation.run({.argv = {"sh", "-c", "echo prepared badly; exit 3"}});
            return ran ? ok() : Status(ran.error());
          },
          .command =
              [](const Place& place) {
                if (mode() == "intruder" || mode() == "deaf intruder") intruder() = listen_on(place.ports[0]);
                const std::string word = mode() == "intruder" ? "good" : split(mode(), ' ').front();
                return Command{.argv = {place.file("server"), word, place.port()}};
              },
          .answers = [](const Place& place, const CallContext& call) -> Result<bool> {
            const auto said = ask(place.ports[0], "", 5, call);
            return said && *said == "hello";
          },
          .url = [](const Place& place) { return "fake://lab@127.0.0.1:" + place.port(); }};
}

class TestbedLife : public testing::Test {
 protected:
  void SetUp() override { mode() = "good"; }
  void TearDown() override {
    intruder().reset();
    const auto removed = bed().down(fake(), soon());
    EXPECT_TRUE(removed) << removed.error().text();
  }

  fs::path state() const { return folder_.path() / "state"; }
  Testbed bed() const { return Testbed({.state = state(), .directory = {}, .search = {}}); }
  fs::path record_file() const { return state() / "fake/server.json"; }

  ServerRecord record() const {
    const auto found = load_record(record_file());
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : ServerRecord{};
  }
  ServerStatus status() const {
    const auto found = bed().status(fake(), soon());
    EXPECT_TRUE(found) << found.error().text();
    return found ? *found : ServerStatus{};
  }
  void must_start() const {
    const auto started = bed().up(fake(), soon());
    ASSERT_TRUE(started) << started.error().text();
    ASSERT_TRUE(*started);
  }
  /// Only what nobody can act on: logs and locks.
  void expect_nothing_left(const ServerRecord& of) const {
    EXPECT_FALSE(of.process && runs(*of.process));
    EXPECT_FALSE(fs::exists(of.home));
    EXPECT_FALSE(fs::exists(record_file()));
    EXPECT_FALSE(fs::exists(state() / "fake/password"));
  }
  static std::string read(const fs::path& file) {
    const auto text = read_file(file);
    return text ? *text : "";
  }
  static unsigned mode_of(const fs::path& path) {
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0U;
  }

  TemporaryFolder folder_{};
};

TEST_F(TestbedLife, AServerThatIsUpRunsAnswersAndIsGoneAfterDown) {
  must_start();
  const ServerRecord of = record();
  const ServerStatus now = status();
  EXPECT_EQ(now.state, ServerState::kRunning);
  EXPECT_EQ(now.pid, of.process->pid);
  EXPECT_EQ(now.url, "fake://lab@127.0.0.1:" + std::to_string(of.ports[0]));
  EXPECT_TRUE(fs::exists(now.directory / "starts"));
  const auto removed = bed().down(fake(), soon());
  ASSERT_TRUE(removed) << removed.error().text();
  EXPECT_TRUE(*removed);
  expect_nothing_left(of);
  EXPECT_FALSE(fs::exists(state() / "fake"));
  EXPECT_EQ(status().state, ServerState::kNotStarted);
}

TEST_F(TestbedLife, UpOfARunningServerChangesNothing) {
  must_start();
  const std::string before = read(record_file());
  const auto again = bed().up(fake(), soon());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_FALSE(*again);
  EXPECT_EQ(read(record_file()), before);
}

TEST_F(TestbedLife, DownOfWhatWasNeverStartedMakesNothing) {
  const auto removed = bed().down(fake(), soon());
  ASSERT_TRUE(removed);
  EXPECT_FALSE(*removed);
  EXPECT_FALSE(fs::exists(state()));
  EXPECT_FALSE(bed().restart(fake(), soon()));
}

TEST_F(TestbedLife, ThePasswordIsInItsFileAloneAndOthersCannotReadIt) {
  must_start();
  const std::string password(trim(read(state() / "fake/password")));
  EXPECT_EQ(password.size(), 32U);
  EXPECT_EQ(mode_of(state()), 0700U);
  EXPECT_EQ(mode_of(state() / "fake/password"), 0600U);
  EXPECT_EQ(mode_of(record().home), 0700U);
  EXPECT_EQ(mode_of(record().home / "config"), 0600U);
  EXPECT_EQ(read(record_file()).find(password), std::string::npos);
  EXPECT_EQ(plan_table(status()).find(password), std::string::npos);
  const std::string process = "/proc/" + std::to_string(record().process->pid);
  EXPECT_EQ(read(process + "/cmdline").find(password), std::string::npos);
  EXPECT_EQ(read(state() / "fake/server.log").find(password), std::string::npos);
}

TEST_F(TestbedLife, ARestartKeepsPortAndDataAndChangesTheProcess) {
  must_start();
  const ServerRecord before = record();
  const Status restarted = bed().restart(fake(), soon());
  ASSERT_TRUE(restarted) << restarted.error().text();
  const ServerRecord after = record();
  EXPECT_EQ(after.ports, before.ports);
  EXPECT_EQ(after.home, before.home);
  EXPECT_NE(after.process, before.process);
  EXPECT_FALSE(runs(*before.process));
  EXPECT_EQ(read(after.home / "data/starts"), "start\nstart\n");
  EXPECT_EQ(status().state, ServerState::kRunning);
}

TEST_F(TestbedLife, AServerThatWasKilledIsStartedAgainOnItsData) {
  must_start();
  const ServerRecord before = record();
  ASSERT_TRUE(send_signal(*before.process, SIGKILL));
  ASSERT_EQ(::waitpid(before.process->pid, nullptr, 0), before.process->pid);
  EXPECT_EQ(status().state, ServerState::kEnded);
  must_start();
  EXPECT_EQ(record().ports, before.ports);
  EXPECT_EQ(read(record().home / "data/starts"), "start\nstart\n");
}

TEST_F(TestbedLife, AServerThatEndsAtOnceIsAnErrorWithItsLastWordsAndLeavesNothing) {
  mode() = "dying";
  const auto started = bed().up(fake(), soon());
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().detail.find("the fake server is dying"), std::string::npos)
      << started.error().text();
  EXPECT_FALSE(fs::exists(record_file()));
  EXPECT_FALSE(fs::exists(state() / "fake/home"));
  EXPECT_TRUE(fs::exists(state() / "fake/server.log"));
}

TEST_F(TestbedLife, AFailedPreparationIsAnErrorWithItsOutput) {
  mode() = "unprepared";
  const auto started = bed().up(fake(), soon());
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().detail.find("prepared badly"), std::string::npos) << started.error().text();
  EXPECT_FALSE(fs::exists(state() / "fake/home"));
}

TEST_F(TestbedLife, AMissingProgramIsNotFoundAndMakesNoServer) {
  Recipe recipe = fake();
  recipe.find = [](const ProgramSearch& search) -> Result<Installation> {
    const auto program = search.program("fake", "no-such-program-anywhere");
    return program ? Installation{} : Result<Installation>(program.error());
  };
  const auto started = bed().up(recipe, soon());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(record_file()));
}

TEST_F(TestbedLife, AServerThatNeverAnswersIsGivenUpAfterItsLimit) {
  for (const char* silent : {"mute", "deaf"}) {
    SCOPED_TRACE(silent);
    mode() = silent;
    Recipe recipe = fake();
    recipe.start_limit = 300ms;
    const auto started = bed().up(recipe, soon());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kTimeout);
    EXPECT_FALSE(fs::exists(record_file()));
  }
}

TEST_F(TestbedLife, AnAnswerOfAnotherServerOnThePortIsNotTakenForOurs) {
  for (const char* how : {"intruder", "deaf intruder"}) {
    SCOPED_TRACE(how);
    mode() = how;
    const auto started = bed().up(fake(), soon());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kInUse) << started.error().text();
    EXPECT_FALSE(fs::exists(record_file()));
  }
}

TEST_F(TestbedLife, AListenerInAChildOfTheServerIsTheServers) {
  mode() = "child";
  must_start();
  const auto family = family_of(*record().process);
  ASSERT_EQ(family.size(), 2U);
  ASSERT_TRUE(bed().down(fake(), soon()));
  for (const ProcessStamp& one : family) EXPECT_FALSE(runs(one));
}

TEST_F(TestbedLife, AServerThatIgnoresItsSignalIsKilledAfterTheLimit) {
  mode() = "stubborn";
  must_start();
  const ServerRecord of = record();
  Recipe recipe = fake();
  recipe.stop_limit = 200ms;
  const auto removed = bed().down(recipe, soon());
  ASSERT_TRUE(removed) << removed.error().text();
  expect_nothing_left(of);
}

TEST_F(TestbedLife, AStoppedServerDoesNotAnswerAndIsEndedAllTheSame) {
  must_start();
  const ServerRecord of = record();
  ASSERT_TRUE(send_signal(*of.process, SIGSTOP));
  EXPECT_EQ(status().state, ServerState::kNotAnswering);
  ASSERT_TRUE(bed().down(fake(), soon()));
  expect_nothing_left(of);
}

TEST_F(TestbedLife, ASignalReachesTheServerAndWhatDescendsFromIt) {
  mode() = "child";
  must_start();
  const auto family = family_of(*record().process);
  ASSERT_EQ(family.size(), 2U) << "the one that listens is a child";
  const auto states = [&] {
    std::string all;
    for (const ProcessStamp& one : family) {
      const auto stat = process_stat(std::to_string(one.pid));
      all += !stat || stat->ended() ? '-' : stat->state;
    }
    return all;
  };
  const auto come_to = [&](const std::string& wanted) {  // The kernel takes its time.
    for (int looks = 0; looks < 500 && states() != wanted; ++looks) std::this_thread::sleep_for(10ms);
    return states();
  };
  ASSERT_TRUE(bed().signal(fake(), SIGSTOP, soon()));
  EXPECT_EQ(come_to("TT"), "TT");
  EXPECT_EQ(status().state, ServerState::kNotAnswering);
  ASSERT_TRUE(bed().signal(fake(), SIGCONT, soon()));
  EXPECT_EQ(status().state, ServerState::kRunning);
  ASSERT_TRUE(bed().signal(fake(), SIGKILL, soon()));
  EXPECT_EQ(come_to("--"), "--");
  EXPECT_EQ(bed().signal(fake(), SIGKILL, soon()).error().code, ErrorCode::kNotFound);
}

TEST_F(TestbedLife, ASignalToWhatWasNeverStartedIsRefusedAndMakesNothing) {
  EXPECT_EQ(bed().signal(fake(), SIGKILL, soon()).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(state()));
}

TEST_F(TestbedLife, AServerWhoseUpWasKilledIsFoundAndCleanedUp) {
  mode() = "mute";  // So that `up` is still waiting when it is killed.
  const pid_t child = ::fork();
  if (child == 0) {
    const auto started = bed().up(fake(), soon());
    ::_exit(started ? 0 : 1);
  }
  const auto waits = [&] {
    const auto found = load_record(record_file());
    return found && *found && (*found)->phase == Phase::kStarting && (*found)->process &&
           fs::exists((*found)->home / "data/starts");
  };
  const auto end = Clock::now() + 20s;
  while (!waits() && Clock::now() < end) sleep_until({}, Clock::now() + 10ms);
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const ServerRecord of = record();
  ASSERT_TRUE(runs(*of.process)) << "servers outlive the command that starts them";
  EXPECT_EQ(status().state, ServerState::kHalfStarted);
  mode() = "good";
  must_start();
  EXPECT_FALSE(runs(*of.process));
  EXPECT_NE(record().token, of.token);
}

TEST_F(TestbedLife, AProcessThatOnlyHasTheRecordedNumberIsNeverEnded) {
  must_start();
  ServerRecord of = record();
  const ProcessStamp real = *of.process;
  const pid_t bystander = ::fork();
  if (bystander == 0) {
    while (true) ::pause();
  }
  ASSERT_TRUE(send_signal(real, SIGKILL));
  ::waitpid(real.pid, nullptr, 0);
  of.process = ProcessStamp{bystander, real.started, real.boot};  // Its number, an earlier start.
  ASSERT_TRUE(save_record(record_file(), of));
  EXPECT_EQ(status().state, ServerState::kEnded);
  ASSERT_TRUE(bed().down(fake(), soon()));
  EXPECT_EQ(::waitpid(bystander, nullptr, WNOHANG), 0) << "the bystander was ended";
  ::kill(bystander, SIGKILL);
  ::waitpid(bystander, nullptr, 0);
}

TEST_F(TestbedLife, AfterARebootThereIsNothingToEndAndTheDataIsRemoved) {
  must_start();
  ServerRecord of = record();
  const ProcessStamp real = *of.process;
  of.process->boot = "an earlier boot";
  of.token = of.token;
  ASSERT_TRUE(save_record(record_file(), of));
  EXPECT_EQ(status().state, ServerState::kEnded);
  ASSERT_TRUE(send_signal(real, SIGKILL));
  ::waitpid(real.pid, nullptr, 0);
  ASSERT_TRUE(bed().down(fake(), soon()));
  expect_nothing_left(of);
}

TEST_F(TestbedLife, WhatADeadServerLeftRunningIsFoundByItsToken) {
  mode() = "child";
  must_start();
  const ServerRecord of = record();
  const auto family = family_of(*of.process);
  ASSERT_EQ(family.size(), 2U);
  ASSERT_TRUE(send_signal(*of.process, SIGKILL));
  ::waitpid(of.process->pid, nullptr, 0);
  ASSERT_TRUE(runs(family[1])) << "an orphan";
  ASSERT_TRUE(bed().down(fake(), soon()));
  EXPECT_FALSE(runs(family[1]));
  expect_nothing_left(of);
}

TEST_F(TestbedLife, AFolderThatIsNotOursAnyMoreIsLeft) {
  must_start();
  const ServerRecord of = record();
  const std::string mark = read(of.home / ".deduplab-testbed");
  ASSERT_TRUE(write_file_atomic(of.home / ".deduplab-testbed", "somebody else\n"));
  const auto removed = bed().down(fake(), soon());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kRefused);
  EXPECT_TRUE(fs::exists(of.home / "data"));
  EXPECT_FALSE(runs(*of.process));
  ASSERT_TRUE(write_file_atomic(of.home / ".deduplab-testbed", mark));
}

TEST_F(TestbedLife, ADamagedRecordIsNamedAndNothingIsGuessed) {
  must_start();
  const std::string text = read(record_file());
  ASSERT_TRUE(write_file_atomic(record_file(), "{}"));
  const auto removed = bed().down(fake(), soon());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kCorruption);
  EXPECT_NE(removed.error().detail.find("server.json"), std::string::npos);
  ASSERT_TRUE(write_file_atomic(record_file(), text));
}

TEST_F(TestbedLife, TwoCallsAboutOneServerExcludeEachOther) {
  ASSERT_TRUE(make_directories(state()));
  const auto held = open_file(state() / "fake.lock", O_RDWR | O_CREAT);
  ASSERT_TRUE(held);
  ASSERT_EQ(::flock(held->get(), LOCK_EX), 0);
  const auto started = bed().up(fake(), {Clock::now() + 200ms, {}});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kInUse);
}

TEST_F(TestbedLife, AStopEndsAStartAndCleansUp) {
  mode() = "mute";
  std::stop_source stop;
  CallContext call{Clock::now() + 60s, stop.get_token()};
  Recipe recipe = fake();
  std::jthread later([&] {
    const auto end = Clock::now() + 20s;
    while (!fs::exists(state() / "fake/home/data/starts") && Clock::now() < end)
      sleep_until({}, Clock::now() + 10ms);
    stop.request_stop();
  });
  const auto started = bed().up(recipe, call);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(fs::exists(record_file()));
  EXPECT_FALSE(fs::exists(state() / "fake/home"));
}

TEST_F(TestbedLife, AFolderOfTheUserInThePlaceOfAHomeIsLeftAndStopsNothingElse) {
  const fs::path where = folder_.path() / "elsewhere";
  for (const fs::path& home : {where / "fake", state() / "fake/home"}) {
    ASSERT_TRUE(make_directories(home));
    ASSERT_TRUE(write_file_atomic(home / "mine", "x"));
    const auto directory = home.parent_path() == where ? std::optional(where) : std::nullopt;
    const auto started = Testbed({.state = state(), .directory = directory, .search = {}}).up(fake(), soon());
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().detail.find("name another folder"), std::string::npos)
        << started.error().text();
    EXPECT_TRUE(fs::exists(home / "mine"));
    EXPECT_FALSE(fs::exists(record_file()));
  }
  fs::remove_all(state() / "fake/home");
  must_start();
}

TEST_F(TestbedLife, AHomeOfOursWhoseRecordWasRemovedIsTakenBackWithItsServer) {
  must_start();
  const ServerRecord lost = record();
  ASSERT_TRUE(write_file_atomic(lost.home / "data" / "old", "x"));
  fs::remove(record_file());
  must_start();
  EXPECT_FALSE(runs(*lost.process)) << "nothing else could ever end it";
  EXPECT_FALSE(fs::exists(lost.home / "data" / "old"));
}

TEST_F(TestbedLife, AMarkedHomeInAFolderOfTheUserIsLeftSinceItMayBeAnotherTestbeds) {
  const fs::path where = folder_.path() / "elsewhere";
  Testbed other({.state = state(), .directory = where, .search = {}});
  ASSERT_TRUE(other.up(fake(), soon()));
  const ServerRecord lost = record();
  fs::rename(record_file(), folder_.path() / "record");
  const auto again = other.up(fake(), soon());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kRefused) << again.error().text();
  EXPECT_TRUE(runs(*lost.process));
  fs::rename(folder_.path() / "record", record_file());
}

TEST_F(TestbedLife, HomesCanLieInAFolderOfTheUser) {
  const fs::path where = folder_.path() / "elsewhere";
  const Testbed other({.state = state(), .directory = where, .search = {}});
  Testbed starter = other;
  const auto started = starter.up(fake(), soon());
  ASSERT_TRUE(started) << started.error().text();
  EXPECT_EQ(record().home, where / "fake");
  ASSERT_TRUE(write_file_atomic(where / "mine", "x"));
  ASSERT_TRUE(bed().down(fake(), soon()));
  EXPECT_FALSE(fs::exists(where / "fake"));
  EXPECT_TRUE(fs::exists(where / "mine"));
}

}  // namespace
}  // namespace lab::testbed
