// SPDX-License-Identifier: Apache-2.0
#include "testbed/server_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/files.hpp"
#include "core/text.hpp"

namespace lab::testbed {
namespace {

namespace fs = std::filesystem;

constexpr Millis kTick{20};
constexpr Millis kKillLimit{10'000};  // For the kernel to be done with a killed process.
constexpr std::size_t kTailLines = 20;

/// Looks each tick; false when `limit` is over first.
template <class Done>
bool wait_until(Millis limit, const Done& done) {
  const auto end = Clock::now() + limit;
  while (!done()) {
    if (Clock::now() >= end) return false;
    sleep_until({}, Clock::now() + kTick);
  }
  return true;
}

/// A child of ours that has ended stays in the process table until it is collected.
bool has_ended(const ProcessStamp& process) {
  ::waitpid(process.pid, nullptr, WNOHANG);  // Fails for somebody else's child, which others collect.
  return !runs(process);
}

Error named(Error error, const std::string& why) {
  error.detail = why + (error.detail.empty() ? "" : ": " + error.detail);
  return error;
}

std::vector<ProcessStamp> bearers_of(const std::string& token) {
  std::vector<ProcessStamp> found;
  for (const pid_t pid : all_processes()) {
    const auto environment = read_file(fmt::format("/proc/{}/environ", pid));
    if (!environment || pid == ::getpid()) continue;
    if (environment->find("DEDUPLAB_TESTBED=" + token) == std::string::npos) continue;
    if (auto stamp = stamp_of(pid)) found.push_back(*stamp);
  }
  return found;
}

}  // namespace

bool send_signal(const ProcessStamp& process, int signal) {
  // The descriptor means one process for good, so it is opened before the look at who that is.
  const FileHandle handle(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!runs(process)) return false;
  if (handle) return ::syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, 0) == 0;
  return ::kill(process.pid, signal) == 0;  // A kernel before 5.3.
}

Status end_process(const ProcessStamp& process, int signal, Millis patience) {
  if (has_ended(process)) return ok();
  send_signal(process, signal);
  send_signal(process, SIGCONT);  // A stopped one cannot end in good order.
  if (wait_until(patience, [&] { return has_ended(process); })) return ok();
  const auto family = family_of(process);
  for (const ProcessStamp& one : family) send_signal(one, SIGKILL);
  const auto gone = [&] { return std::all_of(family.begin(), family.end(), has_ended); };
  if (wait_until(kKillLimit, gone)) return ok();
  return Error{ErrorCode::kTimeout, "testbed.stop",
               fmt::format("process {} does not end, even by SIGKILL", process.pid)};
}

Status end_leftovers(const std::string& token) {
  std::vector<ProcessStamp> left;
  const bool gone = wait_until(kKillLimit, [&] {
    left = bearers_of(token);
    for (const ProcessStamp& one : left) {
      send_signal(one, SIGKILL);
      has_ended(one);
    }
    return left.empty();
  });
  if (gone) return ok();
  return Error{ErrorCode::kTimeout, "testbed.stop",
               fmt::format("process {} does not end, even by SIGKILL", left.front().pid)};
}

void await_quiet(const fs::path& home) {
  const std::string below = home.string() + "/";
  wait_until(kKillLimit, [&] {
    for (const pid_t pid : all_processes()) {
      std::error_code failure;
      const std::string at = fs::read_symlink(fmt::format("/proc/{}/cwd", pid), failure).string();
      const auto stat = failure ? std::nullopt : process_stat(std::to_string(pid));
      // Orphans of the server alone: not a shell of somebody who looks around there.
      if (stat && !stat->ended() && stat->parent == 1 && (at + "/").starts_with(below)) return false;
    }
    return true;
  });
}

Status start_recorded(const Command& command, const fs::path& log, ServerRecord& record, const fs::path& file,
                      bool dies_with_us) {
  const auto output = open_file(log, O_WRONLY | O_CREAT | O_APPEND);
  if (!output) return output.error();
  std::optional<FileHandle> input;
  if (!command.input.empty()) {
    auto made = input_file(command.input);
    if (!made) return made.error();
    input = std::move(*made);
  }
  auto child =
      HeldChild::start(command, {input ? input->get() : -1, output->get(), output->get()}, dies_with_us);
  if (!child) return child.error();
  const auto stamp = stamp_of(child->pid());
  if (!stamp) return stamp.error();
  record.process = *stamp;
  LAB_TRY(save_record(file, record));
  return child->release();
}

Status await_ready(const Recipe& recipe, const Place& place, const ProcessStamp& process,
                   const CallContext& outer) {
  const CallContext call{std::min(outer.deadline, Clock::now() + recipe.start_limit), outer.stop};
  const std::uint16_t port = place.ports.front();
  while (true) {
    const auto listener = listener_of(port, process);
    if (!listener) return listener.error();
    if (*listener == Listener::kForeign && !has_ended(process))
      return Error{ErrorCode::kInUse, "testbed.start",
                   fmt::format("another process listens on port {}", port)};
    if (has_ended(process))
      return Error{*listener == Listener::kForeign ? ErrorCode::kInUse : ErrorCode::kRefused, "testbed.start",
                   "the server ended by itself"};
    if (*listener == Listener::kOurs) {
      const auto answered = recipe.answers(place, call);
      if (!answered) return answered.error();
      if (*answered) return ok();
    }
    if (const Status may = allowed(call, "testbed.start"); !may)
      return named(may.error(), "the server did not become ready");
    sleep_until(call.stop, std::min(call.deadline, Clock::now() + kTick));
  }
}

std::string tail_of(const fs::path& log) {
  const auto text = read_file(log);
  if (!text || trim(*text).empty()) return log.string() + " is empty";
  std::vector<std::string> lines = split(trim(*text), '\n');
  if (lines.size() > kTailLines) lines.erase(lines.begin(), lines.end() - kTailLines);
  return fmt::format("the last lines of {}:\n{}", log.string(), to_valid_utf8(join(lines, "\n")));
}

}  // namespace lab::testbed
