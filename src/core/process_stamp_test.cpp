// A process is its number, its start and its boot.
// SPDX-License-Identifier: Apache-2.0
#include "core/process_stamp.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lab {
namespace {

const std::string kFields = " S 7 8 9 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 2 3";

TEST(ProcessStamp, TheFieldsAreFoundWhateverTheNameHolds) {
  for (const char* name : {"(sh)", "(a b)", "(a) R 1 2)", "()"}) {
    SCOPED_TRACE(name);
    const auto stat = parse_process_stat("42 " + std::string(name) + kFields);
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->parent, 7);
    EXPECT_EQ(stat->session, 9);
    EXPECT_EQ(stat->started, "987654");
  }
}

TEST(ProcessStamp, TextThatIsNoStatIsNothing) {
  for (const char* text :
       {"", "42", "42 (sh)", "42 (sh) S 1 2", "42 (sh) S x 8 9 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 2"})
    EXPECT_FALSE(parse_process_stat(text)) << text;
}

TEST(ProcessStamp, OnlyTheVeryProcessRuns) {
  const auto self = stamp_of(::getpid());
  ASSERT_TRUE(self) << self.error().text();
  EXPECT_TRUE(runs(*self));
  EXPECT_FALSE(runs({self->pid, self->started + "0", self->boot}));
  EXPECT_FALSE(runs({self->pid, self->started, "another boot"}));
  EXPECT_FALSE(runs({0, self->started, self->boot}));
}

TEST(ProcessStamp, AnEndedProcessDoesNotRunEvenBeforeItIsCollected) {
  const pid_t child = ::fork();
  if (child == 0) ::pause();
  const auto stamp = stamp_of(child);
  ASSERT_TRUE(stamp);
  EXPECT_TRUE(runs(*stamp));
  ::kill(child, SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(runs(*stamp));
  EXPECT_FALSE(stamp_of(child));
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace lab
