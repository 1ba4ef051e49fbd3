// Real servers on the local machine: up, down, restart, status. Each call is about one system.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "testbed/recipe.hpp"
#include "testbed/record.hpp"

namespace lab::testbed {

struct TestbedOptions {
  std::filesystem::path state{};                     // Records, passwords, logs; mode 0700.
  std::optional<std::filesystem::path> directory{};  // Where homes are made; default below `state`.
  ProgramSearch search{};
};

/// $XDG_STATE_HOME/deduplab/testbed, or ~/.local/state/deduplab/testbed. Errors: kInvalidArgument where
/// neither is known.
Result<std::filesystem::path> default_state_folder();

enum class ServerState : std::uint8_t {
  kNotStarted,    // Nothing is written down of it.
  kRunning,       // Its own process has its port and answers.
  kNotAnswering,  // The process runs, but is not ready for clients.
  kEnded,         // It was ready once, and its process is gone: `up` starts it again.
  kHalfStarted,   // Its start was cut short, or goes on in another process.
};
std::string_view to_string(ServerState state);

/// What there is to know of a server, for `status` and `env`.
struct ServerStatus {
  std::string system{};
  ServerState state = ServerState::kNotStarted;
  std::string url{};
  std::filesystem::path directory{};                     // The server's data directory.
  std::optional<std::filesystem::path> password_file{};  // Mode 0600.
  pid_t pid = 0;                                         // 0: none runs.
  std::string stand_in{};
  std::filesystem::path log{};
  std::vector<std::uint16_t> ports{};  // The first is the one of its url.
};

/// Servers are children of nobody: they go on when this program ends, and any later one finds them by their
/// records. Calls about one system exclude each other, over processes too. Thread-safe for different systems.
class Testbed {
 public:
  explicit Testbed(TestbedOptions options) : options_(std::move(options)) {}

  /// True when it was started, false when it ran already. A server that had ended is started again on its
  /// data, a half-started one is cleaned up first. Errors: kNotFound (a program is missing), kInUse (another
  /// call is at work), others with the last lines of its log; nothing of the server is then left but the log.
  Result<bool> up(const Recipe& recipe, const CallContext& call);

  /// Ends the server and removes its data, password and log. False where nothing was there. Errors: kTimeout,
  /// kInUse, kRefused (its folder is not ours any more), kCorruption (the record).
  Result<bool> down(const Recipe& recipe, const CallContext& call);

  /// Ends it in good order (if it runs) and starts it again on the same ports and data. Errors: kNotFound
  /// where nothing was started, kInUse, others with the last lines of its log; data and record stay.
  Status restart(const Recipe& recipe, const CallContext& call);

  /// A signal to the running server and to all that descends from it: SIGKILL, SIGSTOP, SIGCONT. Errors:
  /// kNotFound where it does not run, kInUse.
  Status signal(const Recipe& recipe, int number, const CallContext& call) const;

  /// Writes nothing.
  Result<ServerStatus> status(const Recipe& recipe, const CallContext& call) const;

 private:
  class Work;
  TestbedOptions options_;
};

/// [systems.NAME] of a plan. Nothing secret is in it.
std::string plan_table(const ServerStatus& server);

}  // namespace lab::testbed
