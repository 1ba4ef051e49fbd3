// One SQLite connection whose every call obeys a deadline and a stop, and the store that its connections
// share. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "driver/embedded_home.hpp"
#include "driver/gate.hpp"
#include "driver/native_schema.hpp"
#include "drivers/sqlite/bounded_files.hpp"

namespace lab::sqlite {

/// What a variant decides.
struct Setup {
  std::string variant = "default";
  int page_size = 4096;
  bool wal = true;               // Else a rollback journal, deleted after each transaction.
  bool one_per_content = false;  // Unique sha256; a second one is not inserted.
  std::uint32_t containers = 1;
  const NativeSchema* schema = nullptr;  // Of mode "native"; null: a row is a payload.
};

class Connection;
class Use;

/// Shared by the connections of a session. Each call passes the gate; a reset takes it alone and closes them
/// all, since an open connection must not see its files vanish (it would delete the new write-ahead log by
/// name).
class Store {
 public:
  Store(EmbeddedHome opened, Setup chosen) : home(std::move(opened)), setup(std::move(chosen)) {}
  std::filesystem::path file() const { return home.data() / "lab.db"; }
  std::filesystem::path log_file() const {
    return home.data() / (setup.wal ? "lab.db-wal" : "lab.db-journal");
  }
  /// Precondition: the gate is held alone.
  void close_connections();

  EmbeddedHome home;
  const Setup setup;
  Gate gate{};

 private:
  friend class Connection;
  std::mutex mutex_{};
  std::set<Connection*> connections_{};
};

/// A prepared statement; reset (a cached one) or finalized (its own) when it is destroyed.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  /// The bytes are borrowed until the statement ends; an empty span is an empty blob, not NULL.
  void bind(int index, std::span<const std::byte> blob);
  void bind(int index, std::string_view text);
  void bind(int index, std::int64_t number);
  void bind(int index, double number);
  void bind_copy(int index, const std::string& text);  // Not borrowed.
  void bind_null(int index);

  /// True when there is a row, false at the end.
  Result<bool> step();

  std::span<const std::byte> blob(int column) const;  // Borrowed until the next step.
  std::string_view text(int column) const;
  std::int64_t number(int column) const;

 private:
  friend class Use;
  Statement(const Use& use, sqlite3_stmt* handle, bool owned) : use_(&use), handle_(handle), owned_(owned) {}
  const Use* use_;
  sqlite3_stmt* handle_;
  bool owned_;
  int bound_ = SQLITE_OK;  // First failure of a bind, told by step().
};

/// A connection in use for one call: opened if it was closed, interrupted by a stop at once and by the
/// deadline when a statement runs.
class Use {
 public:
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use();

  Result<Statement> prepare(const std::string& sql) const;  // For one use.
  Result<Statement> cached(const std::string& sql) const;   // Kept prepared.
  Status execute(const std::string& sql) const;
  Result<std::int64_t> number(const std::string& sql) const;  // First column of the first row.
  Result<std::string> text(const std::string& sql) const;

  /// BEGIN IMMEDIATE, `work`, COMMIT; ROLLBACK when anything failed.
  Status transaction(const std::function<Status()>& work) const;

  /// For calls that run outside of SQLite's virtual machine (checkpoints): interrupts them at the deadline
  /// too.
  CallWatch watch_deadline() const;

  /// The result code as our Error, with SQLite's words.
  Error error(int code) const;
  sqlite3* handle() const noexcept;
  const CallContext& call() const noexcept { return call_; }
  const char* operation() const noexcept { return operation_; }

 private:
  friend class Connection;
  Use(Connection& connection, Gate::Pass pass, const CallContext& call, const char* operation);

  Connection& connection_;
  std::optional<Gate::Pass> pass_;
  CallContext call_;
  const char* operation_;
  const CallContext* outer_;
  BoundedAccess access_;
  std::optional<CallWatch> watch_{};
};

/// Used by one thread at a time.
class Connection {
 public:
  explicit Connection(Store& store);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Errors: kTimeout, kCancelled, and SQLite's when it cannot be opened.
  Result<std::unique_ptr<Use>> use(const CallContext& call, const char* operation);

  /// Empties the folder and makes the schema anew; closes every connection of the store.
  Status reset(const CallContext& call);

  /// Grows with each opening: what was learned on an earlier one is void.
  std::uint64_t generation() const noexcept { return generation_; }

 private:
  friend class Store;
  friend class Use;
  Status open(const Use& use);
  Status prepare_schema(const Use& use);
  void close();
  static int on_progress(void* connection);
  static int on_busy(void* connection, int tries);

  Store& store_;
  sqlite3* handle_ = nullptr;
  std::map<std::string, sqlite3_stmt*> statements_{};
  const CallContext* current_ = nullptr;  // The innermost call that uses this connection.
  std::optional<Clock::time_point> busy_since_{};
  std::uint64_t generation_ = 0;
};

}  // namespace lab::sqlite
