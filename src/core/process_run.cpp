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
#include <optional>

#include "core/process.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

constexpr int kTickMs = 20;  // How late the end of a program or a stop may be seen.
constexpr int kReadsMax =
    256;  // 1 MiB, what a pipe holds at most: a program that never pauses is looked at too.

/// The last bytes of what a descriptor gives, without waiting for more.
class Tail {
 public:
  explicit Tail(Bytes limit) : limit_(static_cast<std::size_t>(limit.count)) {}

  /// Takes what is there, within bounds; false at the end or when nobody writes any more.
  bool drain(int descriptor) {
    for (int reads = 0; reads < kReadsMax; ++reads) {
      const ssize_t got = ::read(descriptor, buffer_.data(), buffer_.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno == EAGAIN;
      if (got == 0) return false;
      text_.append(buffer_.data(), static_cast<std::size_t>(got));
      if (text_.size() <= 2 * limit_) continue;
      text_.erase(0, text_.size() - limit_);
      cut_ = true;
    }
    return true;
  }

  std::string text() {
    if (text_.size() > limit_) {
      text_.erase(0, text_.size() - limit_);
      cut_ = true;
    }
    return to_valid_utf8(text_);
  }
  /// Of what text() has given.
  bool cut() const { return cut_; }

 private:
  std::size_t limit_;
  std::string text_{};
  bool cut_ = false;
  std::array<char, 4096> buffer_{};
};

int code_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

/// Whether the child has ended. It is not collected yet, so that its number still is that of its group.
bool has_ended(pid_t pid) {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0)
    return errno == ECHILD;
  return info.si_pid == pid;
}

/// Waits for the child's end, and its number is free.
int collect(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

/// A pipe whose near end does not block; that of the program does, as programs expect.
struct Pipe {
  FileHandle reader{};
  FileHandle writer{};

  static Result<Pipe> make() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno_error("process.run", "pipe", errno);
    Pipe pipe{FileHandle(ends[0]), FileHandle(ends[1])};
    ::fcntl(pipe.writer.get(), F_SETFL, 0);
    return pipe;
  }
};

/// What a program says: on one pipe, or its errors on a second.
class Output {
 public:
  Output(Pipe output, std::optional<Pipe> errors, Bytes limit)
      : output_(std::move(output)), errors_(std::move(errors)), said_(limit), complained_(limit) {}

  int output() const { return output_.writer.get(); }
  int errors() const { return errors_ ? errors_->writer.get() : output(); }

  /// After the start: what is left of the writers is the program's.
  void close_writers() {
    output_.writer.reset();
    if (errors_) errors_->writer.reset();
  }

  void drain() {
    if (said_open_) said_open_ = said_.drain(output_.reader.get());
    if (errors_ && complained_open_) complained_open_ = complained_.drain(errors_->reader.get());
  }

  /// Waits for more, the child's end or the next look at the clock.
  void wait() const {
    pollfd waited[2] = {{said_open_ ? output_.reader.get() : -1, POLLIN, 0},
                        {errors_ && complained_open_ ? errors_->reader.get() : -1, POLLIN, 0}};
    ::poll(waited, 2, kTickMs);
  }

  Ended ended(int exit_code) {
    Ended ended{.exit_code = exit_code, .output = said_.text(), .cut = said_.cut()};
    if (errors_) ended.errors = complained_.text();
    return ended;
  }

 private:
  Pipe output_;
  std::optional<Pipe> errors_;
  Tail said_;
  Tail complained_;
  bool said_open_ = true;
  bool complained_open_ = true;
};

/// SIGTERM to the group, SIGKILL after the grace; the child is collected.
void end_group(pid_t pid, Millis grace, Output& output) {
  ::kill(-pid, SIGTERM);
  ::kill(-pid, SIGCONT);
  const auto patience = Clock::now() + grace;
  while (Clock::now() < patience && !has_ended(pid)) {
    output.drain();
    output.wait();
  }
  ::kill(-pid, SIGKILL);  // Those that the leader has left behind, too.
  collect(pid);
  output.drain();
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
  auto pipe = Pipe::make();
  if (!pipe) return pipe.error();
  std::optional<Pipe> second;
  if (limits.errors_apart) {
    auto made = Pipe::make();
    if (!made) return made.error();
    second = std::move(*made);
  }
  Output output(std::move(*pipe), std::move(second), limits.output);
  auto child = HeldChild::start(command, {input->get(), output.output(), output.errors()});
  if (!child) return child.error();
  output.close_writers();
  LAB_TRY(child->release());
  while (true) {
    output.drain();
    if (has_ended(child->pid())) break;
    if (const Status may = allowed(call, "process.run"); !may) {
      end_group(child->pid(), limits.grace, output);
      Error ended = may.error();
      const Ended last = output.ended(0);
      const std::string said(trim(limits.errors_apart ? last.errors : last.output));
      ended.detail = to_text(command) + " was ended: " + ended.detail + (said.empty() ? "" : "\n" + said);
      return ended;
    }
    output.wait();
  }
  if (!limits.leaves_running) ::kill(-child->pid(), SIGKILL);
  const int status = collect(child->pid());
  output.drain();
  return output.ended(code_of(status));
}

}  // namespace lab
