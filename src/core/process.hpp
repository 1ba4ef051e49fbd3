// Starting other programs: the bounded run of one, and the low-level start that everything else is made from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "core/units.hpp"

namespace lab {

/// The user that a program runs as.
struct UserId {
  uid_t user = 0;
  gid_t group = 0;
  friend bool operator==(const UserId&, const UserId&) = default;
};

/// Errors: kNotFound where the machine has no user of that name.
Result<UserId> find_user(const std::string& name);

/// A program and what it is given. Arguments are seen by every user of the machine: no secrets in them.
struct Command {
  std::vector<std::string> argv{};         // The first is a path, or a name that PATH leads to.
  std::vector<std::string> environment{};  // "NAME=value", added to ours or in place of it.
  bool own_environment = false;            // True: nothing of ours is passed on.
  bool secrets = false;                    // True: also our variables that hold what log_redact was told.
  std::filesystem::path directory{};       // To run in; empty: ours.
  std::string input{};                     // Its standard input.
  std::optional<UserId> user{};            // Empty: ours. Only root can become another.
};

/// "deduplab testbed restart redis", for messages; arguments with blanks are quoted.
std::string to_text(const Command& command);

/// The file that `name` means: itself if it has a '/', else the first executable one in PATH, then in `also`.
/// Errors: kNotFound.
Result<std::filesystem::path> find_program(std::string_view name,
                                           std::span<const std::filesystem::path> also = {});

struct RunLimits {
  Bytes output{64 << 10};       // Kept of its output: the last of it. The same of errors that are kept apart.
  Millis grace{1'000};          // Between SIGTERM and SIGKILL after the deadline or a stop.
  bool errors_apart = false;    // Standard error goes to Ended::errors and not to Ended::output.
  bool leaves_running = false;  // What it has started goes on after its end: a command that starts a server.
};

/// How a program ended.
struct Ended {
  int exit_code = 0;     // 128 + number for one that a signal ended.
  std::string output{};  // Standard output, and standard error with it unless kept apart, as UTF-8.
  bool cut = false;      // Its beginning was left out.
  std::string errors{};  // Standard error where it is kept apart.
};

/// Runs a program to its end, in a session of its own. Its process group is ended whole: on the deadline or a
/// stop, and what is left of it after the program's end, unless that may go on. What it has left running in
/// other sessions stays, even if it holds on to the output.
/// Errors: kNotFound or kRefused (it cannot be started), kTimeout, kCancelled, with the last of its output;
/// a program that ends with an error is an Ended.
Result<Ended> run_command(const CallContext& call, const Command& command, const RunLimits& limits = {});

/// A file in memory that holds `text` and is read from its beginning, for a program's standard input: no
/// writer has to keep pace with the program.
Result<FileHandle> input_file(std::string_view text);

/// Where a started program's standard streams go; -1 is /dev/null. The descriptors stay the caller's.
struct Streams {
  int input = -1;
  int output = -1;
  int error = -1;
};

/// A child that waits for release() before it becomes the program, so that its number can be written down
/// first. If the parent dies before, the child ends. It is a session leader; no descriptor but its streams
/// and no blocked or ignored signal goes with it.
class HeldChild {
 public:
  /// Errors: kNotFound (program, folder), kResourceExhausted, kIo.
  static Result<HeldChild> start(const Command& command, const Streams& streams, bool dies_with_us = false);
  ~HeldChild();  // A child that was not released is ended.
  HeldChild(HeldChild&&) noexcept;
  HeldChild& operator=(HeldChild&&) = delete;

  pid_t pid() const noexcept { return pid_; }
  /// Lets it become the program. Errors: why it could not (it has then ended and is collected).
  Status release();

 private:
  HeldChild(pid_t pid, FileHandle go, FileHandle failure, std::string name)
      : pid_(pid), go_(std::move(go)), failure_(std::move(failure)), name_(std::move(name)) {}

  pid_t pid_ = 0;
  FileHandle go_{};       // Written to by release().
  FileHandle failure_{};  // Closed by a successful exec, or holds its errno.
  std::string name_{};
};

}  // namespace lab
