// SPDX-License-Identifier: Apache-2.0
#include "drill/child.hpp"

#include <fcntl.h>
#include <sys/wait.h>

#include <csignal>
#include <utility>

namespace lab::drill {
namespace {

constexpr Millis kTick{5};

}  // namespace

Result<Child> Child::start(const Command& command, const std::filesystem::path& log) {
  const auto output = open_file(log, O_WRONLY | O_CREAT | O_APPEND);
  if (!output) return output.error();
  auto held = HeldChild::start(command, {-1, output->get(), output->get()}, true);
  if (!held) return held.error();
  const pid_t pid = held->pid();
  LAB_TRY(held->release());
  return Child(pid);
}

Child::~Child() {
  if (pid_ <= 0 || !running()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status_, 0);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_), collected_(other.collected_) {}

bool Child::running() {
  if (!collected_ && ::waitpid(pid_, &status_, WNOHANG) == pid_) collected_ = true;
  return !collected_;
}

Result<int> Child::wait(const CallContext& call) {
  while (running()) {
    LAB_TRY(allowed(call, "drill.wait"));
    sleep_until(call.stop, Clock::now() + kTick);
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

}  // namespace lab::drill
