// A program from its start to its end, within bounds.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "core/process.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

constexpr int kTickMs = 20;  // How late the end of a program or a stop may be seen.

/// The last bytes of what a descriptor gives, without waiting for more.
class Tail {
 public:
  explicit Tail(Bytes limit) : limit_(static_cast<std::size_t>(limit.count)) {}

  /// Takes what is there; false at the end or when nobody writes any more.
  bool drain(int descriptor) {
    while (true) {
      const ssize_t got = ::read(descriptor, buffer_.data(), buffer_.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno == EAGAIN;
      if (got == 0) return false;
      text_.append(buffer_.data(), static_cast<std::size_t>(got));
      if (text_.size() <= 2 * limit_) continue;
      text_.erase(0, text_.size() - limit_);
      cut_ = true;
    }
  }

  Ended ended(int exit_code) {
    if (text_.size() > limit_) {
      text_.erase(0, text_.size() - limit_);
      cut_ = true;
    }
    return {exit_code, to_valid_utf8(text_), cut_};
  }

 private:
  std::size_t limit_;
  std::string text_{};
  bool cut_ = false;
  std::array<char, 4096> buffer_{};
};

int code_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

/// True once the child has ended and is collected.
bool collected(pid_t pid, int& status) {
  const pid_t got = ::waitpid(pid, &status, WNOHANG);
  return got == pid || (got < 0 && errno == ECHILD);
}

/// Waits for output, the child's end or the next look at the clock.
void wait_for_output(int descriptor, bool open) {
  pollfd waited{open ? descriptor : -1, POLLIN, 0};
  ::poll(&waited, 1, kTickMs);
}

/// SIGTERM to the group, SIGKILL after the grace; the child is collected.
void end_group(pid_t pid, Millis grace, int output, Tail& tail) {
  int status = 0;
  ::kill(-pid, SIGTERM);
  ::kill(-pid, SIGCONT);
  const auto patience = Clock::now() + grace;
  while (Clock::now() < patience) {
    const bool open = tail.drain(output);
    if (collected(pid, status)) {
      ::kill(-pid, SIGKILL);  // Those that the leader has left behind.
      return;
    }
    wait_for_output(output, open);
  }
  ::kill(-pid, SIGKILL);
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  tail.drain(output);
}

}  // namespace

Result<FileHandle> input_file(std::string_view text) {
  FileHandle file(::memfd_create("input", MFD_CLOEXEC));
  if (!file) return errno_error("process.input", "memfd", errno);
  LAB_TRY(write_all(file, text, "input"));
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return errno_error("process.input", "memfd", errno);
  return file;
}

Result<Ended> run_command(const CallContext& call, const Command& command, const RunLimits& limits) {
  LAB_TRY(allowed(call, "process.run"));
  auto input = input_file(command.input);
  if (!input) return input.error();
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno_error("process.run", "pipe", errno);
  const FileHandle output(ends[0]);
  FileHandle writer(ends[1]);
  // Only our end is non-blocking: programs do not expect that of their output.
  ::fcntl(writer.get(), F_SETFL, 0);
  auto child = HeldChild::start(command, {input->get(), writer.get(), writer.get()});
  if (!child) return child.error();
  writer.reset();
  LAB_TRY(child->release());
  Tail tail(limits.output);
  int status = 0;
  while (true) {
    const bool open = tail.drain(output.get());
    if (collected(child->pid(), status)) break;
    if (const Status may = allowed(call, "process.run"); !may) {
      end_group(child->pid(), limits.grace, output.get(), tail);
      Error ended = may.error();
      const std::string said(trim(tail.ended(0).output));
      ended.detail = to_text(command) + " was ended: " + ended.detail + (said.empty() ? "" : "\n" + said);
      return ended;
    }
    wait_for_output(output.get(), open);
  }
  tail.drain(output.get());
  return tail.ended(code_of(status));
}

}  // namespace lab
