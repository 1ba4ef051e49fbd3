// fork and exec with everything made ready before: between the two only system calls are made.
// SPDX-License-Identifier: Apache-2.0
#include "core/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "core/log.hpp"
#include "core/outer_environment.hpp"
#include "core/text.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX has it declared by the program.

namespace lab {
namespace {

namespace fs = std::filesystem;

struct Pipe {
  FileHandle read{};
  FileHandle write{};
};

Result<Pipe> make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("process.pipe", "pipe", errno);
  return Pipe{FileHandle(ends[0]), FileHandle(ends[1])};
}

/// Ours with the command's entries in place of those of the same name, or the command's alone.
std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> all = command.environment;
  if (command.own_environment) return all;
  const auto pass_on = [&](std::string_view text) {
    const std::string_view name = text.substr(0, text.find('=') + 1);
    // Whose program needs no password gets none: its environment is read by all processes of its user.
    if (!command.secrets && log_is_secret(text.substr(name.size()))) return;
    bool replaced = false;
    for (const std::string& own : command.environment) replaced = replaced || own.starts_with(name);
    if (!replaced) all.emplace_back(text);
  };
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) pass_on(*entry);
  for (const std::string& entry : hidden_entries()) pass_on(entry);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

/// All that the child needs, made by the parent.
struct ChildPlan {
  const char* program;
  char* const* argv;
  char* const* environment;
  const char* directory;  // Null: ours.
  const UserId* user;     // Null: ours.
  int input;
  int output;
  int error;
  int go;
  int failure;
  pid_t dies_with;  // 0: nobody.
};

/// Runs in the child. Only async-signal-safe calls: the parent may have threads that held a lock.
[[noreturn]] void become(ChildPlan plan) {
  const auto fail = [&] {
    const int number = errno;
    ssize_t written = 0;
    do written = ::write(plan.failure, &number, sizeof number);
    while (written < 0 && errno == EINTR);
    ::_exit(127);
  };
  ::setsid();
  // Out of the way of the standard streams, in case ours were closed.
  if (plan.failure < 3) plan.failure = ::fcntl(plan.failure, F_DUPFD_CLOEXEC, 3);
  if (plan.failure < 0) ::_exit(127);
  char word = 0;
  ssize_t got = 0;
  do got = ::read(plan.go, &word, 1);
  while (got < 0 && errno == EINTR);
  if (got != 1) ::_exit(127);  // The parent died or gave up.
  int streams[3] = {plan.input, plan.output, plan.error};
  for (int& stream : streams) {
    stream = ::fcntl(stream, F_DUPFD_CLOEXEC, 3);
    if (stream < 0) fail();
  }
  for (int number = 0; number < 3; ++number)
    if (::dup2(streams[number], number) < 0) fail();
  if (plan.directory != nullptr && ::chdir(plan.directory) != 0) fail();
  if (plan.user != nullptr) {
    // The system calls themselves: the library's functions would look for other threads.
    if (::syscall(SYS_setgroups, 0, nullptr) != 0) fail();
    if (::syscall(SYS_setresgid, plan.user->group, plan.user->group, plan.user->group) != 0) fail();
    if (::syscall(SYS_setresuid, plan.user->user, plan.user->user, plan.user->user) != 0) fail();
  }
  if (plan.dies_with != 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.dies_with) ::_exit(127);
  }
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < 32; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC: whatever a library left open. */);
  ::execve(plan.program, plan.argv, plan.environment);
  fail();
  ::_exit(127);
}

bool is_program(const fs::path& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

Result<UserId> find_user(const std::string& name) {
  const struct passwd* const entry = ::getpwnam(name.c_str());  // NOLINT(concurrency-mt-unsafe): at start-up
  if (entry == nullptr) return Error{ErrorCode::kNotFound, "process.user", "there is no user " + name};
  return UserId{entry->pw_uid, entry->pw_gid};
}

std::string to_text(const Command& command) {
  std::vector<std::string> words;
  for (const std::string& word : command.argv) {
    const bool plain = !word.empty() && word.find_first_of(" \t\n\"'\\$*?;&|<>()") == std::string::npos;
    words.push_back(plain ? word : "'" + word + "'");
  }
  return to_valid_utf8(join(words, " "));
}

Result<fs::path> find_program(std::string_view name, std::span<const fs::path> also) {
  const auto missing = [&](const std::string& where) {
    return Error{ErrorCode::kNotFound, "process.find", fmt::format("{} is no program {}", name, where)};
  };
  if (name.find('/') != std::string_view::npos) {
    if (is_program(name)) return fs::path(name);
    return missing("that can be run");
  }
  if (name.empty()) return missing("at all");
  const char* const path = std::getenv("PATH");
  for (const std::string& folder : split(path == nullptr ? "/usr/bin:/bin" : path, ':'))
    if (!folder.empty() && is_program(fs::path(folder) / name)) return fs::path(folder) / name;
  for (const fs::path& folder : also)
    if (is_program(folder / name)) return folder / name;
  return missing("in PATH");
}

HeldChild::HeldChild(HeldChild&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      go_(std::move(other.go_)),
      failure_(std::move(other.failure_)),
      name_(std::move(other.name_)) {}

HeldChild::~HeldChild() {
  if (pid_ == 0 || !go_) return;
  go_.reset();  // It ends when nobody can release it any more.
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<HeldChild> HeldChild::start(const Command& command, const Streams& streams, bool dies_with_us) {
  if (command.argv.empty()) return Error{ErrorCode::kInvalidArgument, "process.start", "no program is named"};
  const auto program = find_program(command.argv.front());
  if (!program) return program.error();
  auto go = make_pipe();
  auto failure = make_pipe();
  auto nothing = open_file("/dev/null", O_RDWR);
  if (!go) return go.error();
  if (!failure) return failure.error();
  if (!nothing) return nothing.error();
  std::vector<std::string> words = command.argv;
  std::vector<std::string> entries = environment_of(command);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> environment = pointers(entries);
  const auto or_nothing = [&](int stream) { return stream < 0 ? nothing->get() : stream; };
  const ChildPlan plan{.program = program->c_str(),
                       .argv = argv.data(),
                       .environment = environment.data(),
                       .directory = command.directory.empty() ? nullptr : command.directory.c_str(),
                       .user = command.user ? &*command.user : nullptr,
                       .input = or_nothing(streams.input),
                       .output = or_nothing(streams.output),
                       .error = or_nothing(streams.error),
                       .go = go->read.get(),
                       .failure = failure->write.get(),
                       .dies_with = dies_with_us ? ::getpid() : 0};
  // The child must see the end of `go` when the parent dies, so it may not hold its other end.
  const int go_write = go->write.get();
  const int failure_read = failure->read.get();
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("process.fork", program->string(), errno);
  if (pid == 0) {
    ::close(go_write);
    ::close(failure_read);
    become(plan);
  }
  return HeldChild(pid, std::move(go->write), std::move(failure->read), program->string());
}

Status HeldChild::release() {
  LAB_CHECK(go_, "a child is released once");
  const ssize_t written = ::write(go_.get(), "g", 1);
  const int write_failed = errno;
  int number = 0;
  ssize_t got = 0;
  if (written == 1) {
    do got = ::read(failure_.get(), &number, sizeof number);
    while (got < 0 && errno == EINTR);
  }
  go_.reset();
  failure_.reset();
  if (written == 1 && got == 0) return ok();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  return errno_error("process.exec", name_, written == 1 ? number : write_failed);
}

}  // namespace lab
