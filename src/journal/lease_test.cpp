// One writer a run directory: who may take a lease, who may not, and what its holder hears of it.
// SPDX-License-Identifier: Apache-2.0
#include "journal/lease.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <atomic>
#include <barrier>
#include <thread>

#include "journal/holder.hpp"
#include "journal/test_support.hpp"

namespace lab {
namespace {

using namespace journal_test;  // NOLINT: a test file.
using journal_lease::boot_time_ms;
using journal_lease::Claim;
using journal_lease::FoundClaim;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Millis kHour{3'600'000};  // An expiry that no test waits for: who watches a file never ends.
constexpr Millis kShort{150};

/// The pid of a process that has ended and been collected.
long ended_pid() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

Claim claim_of(const HolderIdentity& holder, Millis age = Millis{0}) {
  return {.holder = holder,
          .run_id = "other-run",
          .token = "0123",
          .heartbeat_ms = wall_time_ms() - age.count(),
          .heartbeat_boot_ms = boot_time_ms() - age.count()};
}

HolderIdentity on_another_machine() {
  HolderIdentity holder = this_process();
  holder.boot_id = "another boot";
  holder.host = "another-host";
  return holder;
}

HolderIdentity that_has_ended() {
  HolderIdentity holder = this_process();
  holder.pid = ended_pid();
  return holder;
}

fs::path lease_file(const TempDirectory& directory) { return directory.path() / "lease.json"; }

/// The file's modification time `age` ago.
void make_older(const fs::path& file, Millis age) {
  const std::int64_t then = wall_time_ms() - age.count();
  const timespec stamp{static_cast<time_t>(then / 1000), 0};
  const timespec both[2] = {stamp, stamp};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), both, 0), 0);
}

/// True when `condition` holds within a time that only a hanging program needs.
bool comes_true(const std::function<bool()>& condition) {
  const auto end = Clock::now() + std::chrono::seconds(60);
  while (Clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(Millis{2});
  }
  return false;
}

std::string present_token(const fs::path& file) {
  const auto found = journal_lease::find_claim(file);
  return found && *found && (*found)->claim ? (*found)->claim->token : "";
}

TEST(Lease, IsHeldByOneAndFreeAfterwards) {
  const TempDirectory directory;
  auto first = Lease::acquire(directory.path(), "run-1");
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_THAT(directory.names(), ElementsAre("lease.json"));
  const auto second = Lease::acquire(directory.path(), "run-2");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInUse);
  EXPECT_THAT(second.error().detail, HasSubstr("pid " + std::to_string(::getpid())));
  EXPECT_THAT(second.error().detail, HasSubstr("host " + this_process().host));
  EXPECT_THAT(second.error().detail, HasSubstr("s ago"));
  EXPECT_FALSE((*first)->lost());
  first->reset();
  EXPECT_TRUE(directory.names().empty());
  EXPECT_TRUE(Lease::acquire(directory.path(), "run-2"));
}

TEST(Lease, IsTakenFromTheDeadAndNotFromTheLiving) {
  HolderIdentity reused_pid = this_process();
  reused_pid.pid_started = "1";
  HolderIdentity in_a_container = that_has_ended();
  in_a_container.pid_namespace = "pid:[1]";
  struct Case {
    const char* what;
    Claim claim;
    Millis file_age;
    bool taken;
  };
  const Case cases[] = {
      {"same boot, process ended", claim_of(that_has_ended()), Millis{0}, true},
      {"same boot, pid now of another process", claim_of(reused_pid), Millis{0}, true},
      {"same boot, process runs", claim_of(this_process()), Millis{0}, false},
      {"same boot, process runs, heartbeat old", claim_of(this_process(), 2 * kHour), Millis{0}, true},
      {"same boot, other pid namespace, heartbeat fresh", claim_of(in_a_container), Millis{0}, false},
      {"same boot, other pid namespace, heartbeat old", claim_of(in_a_container, 2 * kHour), Millis{0}, true},
      {"other boot, heartbeat fresh", claim_of(on_another_machine()), Millis{0}, false},
      {"other boot, heartbeat and file old", claim_of(on_another_machine(), 2 * kHour), 2 * kHour, true},
      {"other boot, its clock a little ahead", claim_of(on_another_machine(), Millis{-20'000}), Millis{0},
       false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const TempDirectory directory;
    ASSERT_TRUE(write_file_atomic(lease_file(directory), to_text(c.claim)));
    make_older(lease_file(directory), c.file_age);
    const auto lease = Lease::acquire(directory.path(), "run", {.expiry = kHour});
    ASSERT_EQ(lease.has_value(), c.taken);
    if (!lease) {
      EXPECT_EQ(lease.error().code, ErrorCode::kInUse);
      EXPECT_EQ(present_token(lease_file(directory)), c.claim.token) << "it is left alone";
    }
    EXPECT_THAT(directory.names(), ElementsAre("lease.json"));
  }
}

TEST(Lease, OfAProcessThatNobodyHasCollectedIsDead) {
  const TempDirectory directory;
  int ends[2] = {};
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string claim = to_text(claim_of(this_process()));
    ::_exit(::write(ends[1], claim.data(), claim.size()) > 0 ? 0 : 1);
  }
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  std::string claim(4096, '\0');
  const ssize_t got = ::read(ends[0], claim.data(), claim.size());
  ASSERT_GT(got, 0);
  claim.resize(static_cast<std::size_t>(got));
  ASSERT_TRUE(write_file_atomic(lease_file(directory), claim));
  EXPECT_TRUE(Lease::acquire(directory.path(), "run", {.expiry = kHour}));
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

/// Lease files of which only watching can tell whether somebody keeps them.
std::vector<std::pair<const char*, std::string>> unclear_files() {
  return {{"not JSON", "garbage"},
          {"an empty file", ""},
          {"JSON, but no claim", "{\"pid\": \"x\"}"},
          {"a pid that is none",
           [] {
             Claim claim = claim_of(this_process());
             claim.holder.pid = -1;
             return to_text(claim);
           }()},
          {"other boot, clock far ahead", to_text(claim_of(on_another_machine(), -kHour))},
          {"other boot, clock far behind, file fresh", to_text(claim_of(on_another_machine(), kHour))}};
}

TEST(Lease, ThatIsUnclearIsTakenWhenItDoesNotChange) {
  for (const auto& [what, bytes] : unclear_files()) {
    SCOPED_TRACE(what);
    const TempDirectory directory;
    ASSERT_TRUE(write_file_atomic(lease_file(directory), bytes));
    const auto lease = Lease::acquire(directory.path(), "run", {.expiry = kShort, .heartbeat = kHour});
    ASSERT_TRUE(lease) << lease.error().text();
    EXPECT_THAT(directory.names(), ElementsAre("lease.json"));
  }
}

TEST(Lease, ThatIsUnclearIsLeftWhenItChanges) {
  for (const auto& [what, bytes] : unclear_files()) {
    SCOPED_TRACE(what);
    const TempDirectory directory;
    ASSERT_TRUE(write_file_atomic(lease_file(directory), bytes));
    std::jthread holder([&](const std::stop_token& stop) {
      std::string more = bytes;
      while (!stop.stop_requested()) {
        more += "\n";  // A heartbeat that the reader's clock cannot judge.
        EXPECT_TRUE(write_file_atomic(lease_file(directory), more));
        std::this_thread::sleep_for(Millis{1});
      }
    });
    const auto lease = Lease::acquire(directory.path(), "run", {.expiry = Millis{20'000}});
    ASSERT_FALSE(lease);
    EXPECT_EQ(lease.error().code, ErrorCode::kInUse);
  }
}

TEST(Lease, HasExactlyOneWinnerAmongManyThatRace) {
  struct Case {
    const char* what;
    std::optional<std::string> bytes;
  };
  const Case cases[] = {{"no lease", std::nullopt},
                        {"a dead one", to_text(claim_of(that_has_ended()))},
                        {"an unclear one", "garbage"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const bool watched = c.bytes == "garbage";
    const int rounds = watched ? 1 : 50;
    for (int round = 0; round < rounds; ++round) {
      const TempDirectory directory;
      if (c.bytes) {
        ASSERT_TRUE(write_file_atomic(lease_file(directory), *c.bytes));
      }
      std::barrier start(3);
      std::atomic<int> winners = 0;
      std::vector<std::unique_ptr<Lease>> held(3);
      std::vector<std::jthread> threads;
      for (std::unique_ptr<Lease>& mine : held)
        threads.emplace_back([&] {
          start.arrive_and_wait();
          const LeaseTimes times{.expiry = watched ? Millis{4'000} : kHour, .heartbeat = Millis{20}};
          auto lease = Lease::acquire(directory.path(), "run", times);
          if (!lease) {
            EXPECT_EQ(lease.error().code, ErrorCode::kInUse) << lease.error().text();
            return;
          }
          ++winners;
          mine = std::move(*lease);  // Held until all have tried.
        });
      threads.clear();
      ASSERT_EQ(winners, 1) << "round " << round;
      held.clear();
      ASSERT_TRUE(directory.names().empty()) << "losers and takeovers leave nothing";
    }
  }
}

/// The guard file of a takeover of `claim`.
fs::path guard_of(const TempDirectory& directory, const Claim& claim) {
  const FoundClaim found{.bytes = to_text(claim), .claim = claim};
  return directory.path() / (".lease." + found.name() + ".taking");
}

TEST(Lease, SurvivesATakeoverThatWasKilled) {
  const TempDirectory directory;
  const Claim dead = claim_of(that_has_ended());
  Claim killed = claim_of(that_has_ended());
  killed.token = "4567";
  ASSERT_TRUE(write_file_atomic(lease_file(directory), to_text(dead)));
  ASSERT_TRUE(write_file_atomic(guard_of(directory, dead), to_text(killed)));
  Claim killed_too = claim_of(that_has_ended());
  killed_too.token = "89ab";
  ASSERT_TRUE(write_file_atomic(guard_of(directory, killed), to_text(killed_too)));
  const auto lease = Lease::acquire(directory.path(), "run", {.expiry = kHour});
  ASSERT_TRUE(lease) << lease.error().text();
  EXPECT_THAT(directory.names(), ElementsAre("lease.json"));
}

TEST(Lease, IsNotTakenWhileAnotherProcessTakesIt) {
  const TempDirectory directory;
  const Claim dead = claim_of(that_has_ended());
  ASSERT_TRUE(write_file_atomic(lease_file(directory), to_text(dead)));
  ASSERT_TRUE(write_file_atomic(guard_of(directory, dead), to_text(claim_of(this_process()))));
  const auto lease = Lease::acquire(directory.path(), "run", {.expiry = kHour});
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code, ErrorCode::kInUse);
  EXPECT_EQ(directory.names().size(), 2U);
}

TEST(Lease, SweepsWhatTheDeadLeftAndNothingElse) {
  const TempDirectory directory;
  ASSERT_TRUE(write_file_atomic(directory.path() / ".lease.a.tmp", to_text(claim_of(that_has_ended()))));
  ASSERT_TRUE(write_file_atomic(directory.path() / ".lease.b.tmp", to_text(claim_of(on_another_machine()))));
  ASSERT_TRUE(write_file_atomic(directory.path() / ".lease.c.taking", to_text(claim_of(that_has_ended()))));
  const auto lease = Lease::acquire(directory.path(), "run");
  ASSERT_TRUE(lease);
  EXPECT_THAT(directory.names(), ElementsAre(".lease.b.tmp", "lease.json"));
}

TEST(Lease, IsRenewedAndPutBackWhileItIsHeld) {
  const TempDirectory directory;
  const auto lease = Lease::acquire(directory.path(), "run", {.expiry = kHour, .heartbeat = Millis{5}});
  ASSERT_TRUE(lease);
  const std::string first = *read_file(lease_file(directory));
  EXPECT_TRUE(comes_true([&] { return *read_file(lease_file(directory)) != first; }));
  ASSERT_TRUE(fs::remove(lease_file(directory)));
  EXPECT_TRUE(comes_true([&] { return fs::exists(lease_file(directory)); }));
  EXPECT_FALSE((*lease)->lost());
}

TEST(Lease, IsLostWhenAnotherOneHasIt) {
  const TempDirectory directory;
  auto lease = Lease::acquire(directory.path(), "run", {.expiry = kHour, .heartbeat = Millis{5}});
  ASSERT_TRUE(lease);
  const Claim other = claim_of(on_another_machine());
  // A renewal that has just looked may still replace the file once, so it is written until it stays.
  ASSERT_TRUE(comes_true([&] {
    EXPECT_TRUE(write_file_atomic(lease_file(directory), to_text(other)));
    return (*lease)->lost();
  }));
  lease->reset();
  EXPECT_EQ(present_token(lease_file(directory)), other.token) << "the other one's file is not removed";
}

TEST(Lease, IsLostForGoodWhenItCannotBeRenewed) {
  const TempDirectory directory;
  const fs::path run = directory.path() / "run";
  const fs::path away = directory.path() / "away";
  ASSERT_TRUE(make_directories(run));
  auto lease = Lease::acquire(run, "run", {.expiry = kShort, .heartbeat = Millis{5}});
  ASSERT_TRUE(lease);
  fs::rename(run, away);
  ASSERT_TRUE(comes_true([&] { return (*lease)->lost(); }));
  std::this_thread::sleep_for(Millis{20});
  fs::rename(away, run);
  std::this_thread::sleep_for(Millis{50});
  EXPECT_TRUE((*lease)->lost()) << "somebody else may have written in between";
  lease->reset();
  EXPECT_TRUE(fs::exists(run / "lease.json")) << "a lost lease is left to the others";
}

TEST(Lease, SaysThatItsDirectoryCannotBeWritten) {
  const TempDirectory directory;
  ::chmod(directory.path().c_str(), 0555);
  const std::string words = in_child(ChildUser::kNobody, [&]() -> std::string {
    const auto lease = Lease::acquire(directory.path(), "run");
    return lease ? "acquired" : std::string(to_string(lease.error().code)) + " " + lease.error().detail;
  });
  EXPECT_THAT(words, HasSubstr("REFUSED"));
  EXPECT_THAT(words, HasSubstr(directory.path().string()));
  const auto nowhere = Lease::acquire(directory.path() / "missing", "run");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::kNotFound);
}

TEST(Lease, IsDescribedToOthers) {
  const TempDirectory directory;
  const auto free_of = [&] { return *describe_holder(directory.path()); };
  EXPECT_EQ(free_of(), "");
  {
    const auto lease = Lease::acquire(directory.path(), "run-7");
    ASSERT_TRUE(lease);
    EXPECT_THAT(free_of(), HasSubstr("pid " + std::to_string(::getpid())));
    EXPECT_THAT(free_of(), HasSubstr("run-7"));
  }
  ASSERT_TRUE(write_file_atomic(lease_file(directory), to_text(claim_of(that_has_ended()))));
  EXPECT_EQ(free_of(), "") << "a holder that has ended holds nothing";
  ASSERT_TRUE(write_file_atomic(lease_file(directory), "garbage"));
  EXPECT_THAT(free_of(), HasSubstr("not clear"));
}

TEST(HolderIdentity, IsThisProcess) {
  const HolderIdentity self = this_process();
  EXPECT_EQ(self.pid, ::getpid());
  EXPECT_EQ(self.boot_id.size(), 36U);
  EXPECT_THAT(self.pid_namespace, HasSubstr("pid:["));
  EXPECT_GT(std::stoull(self.pid_started), 0U);
  EXPECT_FALSE(self.host.empty());
}

}  // namespace
}  // namespace lab
