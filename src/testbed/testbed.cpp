// SPDX-License-Identifier: Apache-2.0
#include "testbed/testbed.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "testbed/home.hpp"
#include "testbed/ports.hpp"
#include "testbed/server_process.hpp"

namespace lab::testbed {
namespace {

namespace fs = std::filesystem;

constexpr Millis kTick{50};
constexpr Millis kLockLimit{60'000};     // For another call about the same system.
constexpr Millis kPortLimit{10'000};     // For the port to be free again after a stop.
constexpr Millis kDropLimit{5'000};      // From the signal to SIGKILL, where its data is removed anyway.
constexpr int kStartsMax = 3;            // Somebody may take a port between our choice and the server's.
constexpr const char* kUser = "nobody";  // For servers that refuse root.
constexpr const char* kOpenRoot =
    "/var/lib/deduplab/testbed";  // Their homes: our state folder is closed to them.

/// One call about one system at a time; the lock ends with its holder.
Result<FileHandle> lock_file(const fs::path& path, const CallContext& outer) {
  auto file = open_file(path, O_RDWR | O_CREAT);
  if (!file) return file;
  const CallContext call = within(outer, kLockLimit);
  while (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return errno_error("testbed.lock", path.string(), errno);
    const Status may = allowed(call, "testbed.lock");
    if (!may && may.error().code == ErrorCode::kCancelled) return may.error();
    if (!may)
      return Error{ErrorCode::kInUse, "testbed.lock", "another testbed command is at work on this server"};
    sleep_until(call.stop, std::min(call.deadline, Clock::now() + kTick));
  }
  return file;
}

class Preparing final : public Preparation {
 public:
  Preparing(const Place& place, ServerRecord& record, fs::path file, fs::path log, CallContext call)
      : place_(place),
        record_(record),
        file_(std::move(file)),
        log_(std::move(log)),
        call_(std::move(call)) {}

  Status make_folder(const std::string& name) override {
    const fs::path path = place_.home / name;
    if (::mkdir(path.c_str(), 0700) != 0) return errno_error("testbed.prepare", path.string(), errno);
    return give(path);
  }

  Status write(const std::string& name, std::string_view text) override {
    LAB_TRY(write_file_atomic(place_.home / name, text, 0600));
    return give(place_.home / name);
  }

  Status remove(const std::string& name) override { return remove_tree(place_.home / name); }

  Result<std::string> run(Command command) override {
    command.user = place_.user;
    command.directory = place_.home;
    command.own_environment = true;
    for (std::string& entry : server_environment(place_, record_.token))
      command.environment.push_back(std::move(entry));
    std::error_code failure;
    const auto before = fs::file_size(log_, failure);
    const std::size_t from = failure ? 0 : static_cast<std::size_t>(before);
    LAB_TRY(start_recorded(command, log_, record_, file_, true));
    int status = 0;
    while (::waitpid(record_.process->pid, &status, WNOHANG) == 0) {
      if (const Status may = allowed(call_, "testbed.prepare"); !may) {
        ignore(end_process(*record_.process, SIGTERM, Millis{2'000}), "the deadline is the error to tell");
        return may.error();
      }
      sleep_until(call_.stop, Clock::now() + Millis{10});
    }
    auto text = read_file(log_);
    if (!text) return text;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text->substr(std::min(from, text->size()));
    return Error{ErrorCode::kRefused, "testbed.prepare", to_text(command) + " failed"};
  }

 private:
  Status give(const fs::path& path) const {
    if (!place_.user || ::chown(path.c_str(), place_.user->user, place_.user->group) == 0) return ok();
    return errno_error("testbed.prepare", path.string(), errno);
  }

  const Place& place_;
  ServerRecord& record_;
  fs::path file_;
  fs::path log_;
  CallContext call_;
};

}  // namespace

/// One call: its files, its lock.
class Testbed::Work {
 public:
  Work(const TestbedOptions& options, const Recipe& recipe, CallContext call)
      : options_(options), recipe_(recipe), call_(std::move(call)), folder_(options.state / recipe.name) {}

  Status make_folder() const {
    for (const fs::path& path : {options_.state, folder_}) {
      LAB_TRY(make_directories(path));
      if (::chmod(path.c_str(), 0700) != 0) return errno_error("testbed.state", path.string(), errno);
    }
    return ok();
  }

  Status lock() {
    auto taken = lock_file(options_.state / (recipe_.name + ".lock"), call_);
    if (!taken) return taken.error();
    lock_ = std::move(*taken);
    return ok();
  }

  fs::path record_file() const { return folder_ / "server.json"; }
  fs::path password_file() const { return folder_ / "password"; }
  fs::path log_file() const { return folder_ / "server.log"; }
  Result<std::optional<ServerRecord>> load() const { return load_record(record_file()); }

  Result<Place> place_of(const ServerRecord& record) const {
    Place place{record.installation, record.home, record.ports, {}, {}};
    const auto password = read_file(password_file());
    if (!password) return password.error();
    place.password = std::string(trim(*password));
    if (!record.user.empty()) {
      const auto user = find_user(record.user);
      if (!user) return user.error();
      place.user = *user;
    }
    return place;
  }

  /// A new server in a new home. Errors leave whatever was made; the record finds it.
  Status start_new(const Installation& installation) {
    auto record = new_record(installation);
    if (!record) return record.error();
    const auto password = random_word();
    if (!password) return password.error();
    LAB_TRY(remove_lost(record->home));
    LAB_TRY(check_free(record->home));
    LAB_TRY(remove_tree(log_file()));
    LAB_TRY(save_record(record_file(), *record));
    LAB_TRY(write_file_atomic(password_file(), *password + "\n", 0600));
    const auto place = place_of(*record);
    if (!place) return place.error();
    LAB_TRY(make_home(record->home, record->token, place->user));
    const CallContext bounded{std::min(call_.deadline, Clock::now() + recipe_.prepare_limit), call_.stop};
    Preparing preparing(*place, *record, record_file(), log_file(), bounded);
    LAB_TRY(preparing.make_folder("tmp"));
    LAB_TRY(recipe_.prepare(*place, preparing, bounded));
    record->phase = Phase::kStarting;
    return start(*record);
  }

  /// A marked home whose record is gone: somebody removed the state folder of a server that was not taken
  /// down. Its path is made of that of our state folder, so that no other testbed can own it; a folder that a
  /// caller has named may be another's.
  Status remove_lost(const fs::path& home) const {
    if (options_.directory) return ok();
    const auto token = mark_of(home);
    if (!token || token->size() < kTokenDigits) return ok();
    LAB_TRY(end_leftovers(*token));
    await_quiet(home);
    return remove_home(home, *token);
  }

  /// The server of a prepared home, up to its first answer.
  Status start(ServerRecord& record) {
    const auto place = place_of(record);
    if (!place) return place.error();
    Command command = recipe_.command(*place);
    command.user = place->user;
    if (command.directory.empty()) command.directory = record.home;
    command.own_environment = true;
    for (std::string& entry : server_environment(*place, record.token))
      command.environment.push_back(std::move(entry));
    record.started_ms = wall_time_ms();
    LAB_TRY(start_recorded(command, log_file(), record, record_file(), false));
    LAB_TRY(await_ready(recipe_, *place, *record.process, call_));
    record.phase = Phase::kReady;
    return save_record(record_file(), record);
  }

  /// Ends what runs of it.
  Status stop(const ServerRecord& record, Millis patience) const {
    const auto place = place_of(record);
    if (record.process) LAB_TRY(end_process(*record.process, recipe_.stop_signal, patience));
    LAB_TRY(end_leftovers(record.token));
    await_quiet(record.home);
    if (recipe_.litter != nullptr && place)
      for (const fs::path& file : recipe_.litter(*place)) LAB_TRY(remove_tree(file));
    return ok();
  }
  Status stop(const ServerRecord& record) const { return stop(record, recipe_.stop_limit); }

  /// Ends it and removes everything but the log; the record goes last.
  Status clean(const ServerRecord& record) const {
    LAB_TRY(stop(record, std::min(recipe_.stop_limit, kDropLimit)));
    LAB_TRY(remove_home(record.home, record.token));
    // Folders that were made for homes alone; they stay while others are in them.
    if (record.home.string().starts_with(kOpenRoot))
      for (fs::path above = record.home.parent_path(); above != "/var/lib" && ::rmdir(above.c_str()) == 0;)
        above = above.parent_path();
    LAB_TRY(remove_tree(password_file()));
    return remove_tree(record_file());
  }

  Status await_ports(const ServerRecord& record) const {
    const auto end = std::min(call_.deadline, Clock::now() + kPortLimit);
    for (const std::uint16_t port : record.ports)
      while (!is_free(port)) {
        if (Clock::now() >= end)
          return Error{ErrorCode::kInUse, "testbed.restart", fmt::format("port {} is not free", port)};
        LAB_TRY(allowed(call_, "testbed.restart"));
        sleep_until(call_.stop, Clock::now() + kTick);
      }
    return ok();
  }

  /// The same error with what the server said.
  Error with_log(Error error) const {
    error.detail = fmt::format("{}: {}; {}", recipe_.name, error.detail, tail_of(log_file()));
    return error;
  }

  Status remove_folder() const { return remove_tree(folder_); }

 private:
  Result<ServerRecord> new_record(const Installation& installation) const {
    ServerRecord record;
    record.system = recipe_.name;
    record.installation = installation;
    auto token = random_word();
    if (!token) return token.error();
    record.token = *token;
    auto ports = free_ports(recipe_.ports);
    if (!ports) return ports.error();
    record.ports = *ports;
    if (recipe_.refuses_root && ::geteuid() == 0) record.user = kUser;
    std::error_code failure;
    const fs::path state = fs::canonical(options_.state, failure);
    if (options_.directory)
      record.home = fs::absolute(*options_.directory) / recipe_.name;
    else if (record.user.empty())
      record.home = state / recipe_.name / "home";
    else
      record.home = fs::path(kOpenRoot) / to_hex(sha256(state.string())).substr(0, 12) / recipe_.name;
    return record;
  }

  const TestbedOptions& options_;
  const Recipe& recipe_;
  CallContext call_;
  fs::path folder_;
  FileHandle lock_{};
};

Result<fs::path> default_state_folder() {
  const char* const state = std::getenv("XDG_STATE_HOME");  // NOLINT(concurrency-mt-unsafe): nobody sets it.
  if (state != nullptr && fs::path(state).is_absolute()) return fs::path(state) / "deduplab/testbed";
  const char* const home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe): nobody sets it.
  if (home != nullptr && fs::path(home).is_absolute())
    return fs::path(home) / ".local/state/deduplab/testbed";
  return Error{ErrorCode::kInvalidArgument, "testbed.state",
               "neither XDG_STATE_HOME nor HOME names a folder for the testbed"};
}

std::string_view to_string(ServerState state) {
  switch (state) {
    case ServerState::kNotStarted:
      return "not started";
    case ServerState::kRunning:
      return "running";
    case ServerState::kNotAnswering:
      return "not answering";
    case ServerState::kEnded:
      return "ended";
    case ServerState::kHalfStarted:
      return "half started";
  }
  return "not started";
}

Result<bool> Testbed::up(const Recipe& recipe, const CallContext& call) {
  Work work(options_, recipe, call);
  LAB_TRY(work.make_folder());
  LAB_TRY(work.lock());
  auto found = work.load();
  if (!found) return found.error();
  if (*found && (*found)->phase == Phase::kReady) {
    if ((*found)->process && runs(*(*found)->process)) return false;
    LAB_TRY(work.stop(**found));  // What it has left behind.
    if (const Status started = work.start(**found); !started) {
      ignore(work.stop(**found), "the failed start is the error to tell");
      return work.with_log(started.error());
    }
    return true;
  }
  if (*found) LAB_TRY(work.clean(**found));
  const auto installation = recipe.find(options_.search);
  if (!installation) return installation.error();
  for (int starts = 1;; ++starts) {
    const Status started = work.start_new(*installation);
    if (started) return true;
    Error error = work.with_log(started.error());
    if (const auto record = work.load(); record && *record)
      if (const Status cleaned = work.clean(**record); !cleaned)
        error.detail += "\nand it could not be cleaned up: " + cleaned.error().text();
    if (error.code != ErrorCode::kInUse || starts == kStartsMax) return error;
  }
}

Result<bool> Testbed::down(const Recipe& recipe, const CallContext& call) {
  std::error_code failure;
  if (!fs::exists(options_.state / recipe.name, failure)) return false;
  Work work(options_, recipe, call);
  LAB_TRY(work.lock());
  const auto found = work.load();
  if (!found) return found.error();
  if (*found) LAB_TRY(work.clean(**found));
  LAB_TRY(work.remove_folder());
  return found->has_value();
}

Status Testbed::restart(const Recipe& recipe, const CallContext& call) {
  const auto nothing = [&] {
    return Error{ErrorCode::kNotFound, "testbed.restart",
                 fmt::format("{0} was not started; do: deduplab testbed up {0}", recipe.name)};
  };
  std::error_code failure;
  if (!fs::exists(options_.state / recipe.name, failure)) return nothing();
  Work work(options_, recipe, call);
  LAB_TRY(work.lock());
  auto found = work.load();
  if (!found) return found.error();
  if (!*found || (*found)->phase != Phase::kReady) return nothing();
  ServerRecord& record = **found;
  LAB_TRY(work.stop(record));
  LAB_TRY(work.await_ports(record));
  if (const Status started = work.start(record); !started) {
    ignore(work.stop(record), "the failed start is the error to tell");
    return work.with_log(started.error());
  }
  return ok();
}

Status Testbed::signal(const Recipe& recipe, int number, const CallContext& call) const {
  const Error not_running{ErrorCode::kNotFound, "testbed.signal", recipe.name + " does not run"};
  std::error_code failure;
  if (!fs::exists(options_.state / recipe.name, failure)) return not_running;
  Work work(options_, recipe, call);
  LAB_TRY(work.lock());
  const auto found = work.load();
  if (!found) return found.error();
  if (!*found || !(*found)->process) return not_running;
  // Parents first: one that is stopped or gone starts no other in the place of its child.
  const auto family = family_of(*(*found)->process);
  if (family.empty()) return not_running;
  for (const ProcessStamp& one : family) send_signal(one, number);
  return ok();
}

Result<ServerStatus> Testbed::status(const Recipe& recipe, const CallContext& call) const {
  const Work work(options_, recipe, call);
  ServerStatus status;
  status.system = recipe.name;
  const auto found = work.load();
  if (!found) return found.error();
  if (!*found) return status;
  const ServerRecord& record = **found;
  status.stand_in = record.installation.stand_in;
  status.log = work.log_file();
  status.ports = record.ports;
  const bool alive = record.process && runs(*record.process);
  if (alive) status.pid = record.process->pid;
  if (record.phase != Phase::kReady) {
    status.state = ServerState::kHalfStarted;
    return status;
  }
  const auto place = work.place_of(record);
  if (!place) return place.error();
  status.url = recipe.url(*place);
  status.directory = place->data();
  if (recipe.with_password) status.password_file = work.password_file();
  status.state = ServerState::kEnded;
  if (!alive) return status;
  const auto listener = listener_of(place->ports.front(), *record.process);
  if (!listener) return listener.error();
  status.state = ServerState::kNotAnswering;
  if (*listener != Listener::kOurs) return status;
  const auto answered = recipe.answers(*place, call);
  if (!answered) return answered.error();
  if (*answered) status.state = ServerState::kRunning;
  return status;
}

std::string plan_table(const ServerStatus& server) {
  std::string text;
  if (!server.stand_in.empty()) text += fmt::format("# {}\n", server.stand_in);
  text += fmt::format("[systems.{}]\nurl = \"{}\"\ndirectory = \"{}\"\n", server.system, server.url,
                      server.directory.string());
  if (server.password_file) text += fmt::format("password_file = \"{}\"\n", server.password_file->string());
  return text;
}

}  // namespace lab::testbed
