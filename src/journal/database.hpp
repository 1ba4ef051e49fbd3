// SQLite's handles as values, and its errors in our words. Known to this folder alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"
#include "core/units.hpp"

namespace lab::journal_store {

/// How long a call waits for another process's lock before it says kInUse.
inline constexpr Millis kBusyLimit{10'000};

/// Bytes bound as a BLOB; a std::string is bound as TEXT.
struct Blob {
  std::string_view bytes{};
};

/// The last failure of `database` as an Error: kResourceExhausted (no space, no memory), kIo, kCorruption,
/// kInUse, kRefused (read-only, constraint), kNotFound, else kInternal. The detail names the file, SQLite's
/// words, its extended code and errno.
Error sqlite_error(sqlite3* database, int code, std::string operation);

/// A prepared statement, kept and used again. Not thread-safe.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  /// Starts over with these values, in order; integers, std::string and Blob. Texts and blobs are borrowed:
  /// they must live until the statement has run.
  template <class... Values>
  Status bind(const Values&... values) {
    reset();
    int position = 0;
    int code = SQLITE_OK;
    ((code = code == SQLITE_OK ? bind_one(++position, values) : code), ...);
    if (code != SQLITE_OK) return failure(code, "journal.bind");
    return ok();
  }

  /// True: a row is there. False: no more rows, and the statement is reset. Errors reset it too.
  Result<bool> next();

  /// Binds, runs to the end and resets.
  template <class... Values>
  Status run(const Values&... values) {
    LAB_TRY(bind(values...));
    return finish();
  }

  // Columns of the present row, from 0. Views live until the next call of next() or reset().
  std::int64_t integer(int column) const;
  std::string_view bytes(int column) const;
  std::string text(int column) const { return std::string(bytes(column)); }

  /// Gives back its locks.
  void reset() noexcept { sqlite3_reset(statement_.get()); }

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  int bind_one(int position, std::int64_t value);
  int bind_one(int position, const std::string& text);
  int bind_one(int position, Blob blob);
  Status finish();
  Error failure(int code, const char* operation) const;

  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

/// Resets a statement at the end of a scope, so that no early return leaves a lock behind.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(Statement& statement) : statement_(statement) {}
  ~ResetAtEnd() { statement_.reset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  Statement& statement_;
};

enum class OpenMode : std::uint8_t {
  kCreate,     // A new file.
  kReadWrite,  // An existing one.
  kReadOnly,
  kImmutable,  // Read-only, no locks and no -shm: only where nobody writes.
};

/// One connection. Not thread-safe.
class Database {
 public:
  Database() = default;
  static Result<Database> open(const std::filesystem::path& path, OpenMode mode);

  /// Runs statements that give no rows, or whose rows do not matter.
  Status execute(const char* sql);
  /// Errors: kCorruption where the schema does not fit `sql`.
  Result<Statement> prepare(const char* sql);
  /// First column of the first row. Errors: kCorruption without a row.
  Result<std::int64_t> integer(const char* sql);
  Result<std::string> text(const char* sql);

  /// Commits what `body` did, or leaves the file as it was and returns the first error.
  template <class Body>
  Status transaction(Body&& body) {
    LAB_TRY(execute("BEGIN IMMEDIATE"));
    Status done = std::forward<Body>(body)();
    if (done) done = execute("COMMIT");
    if (!done && sqlite3_get_autocommit(handle_.get()) == 0)
      ignore(execute("ROLLBACK"), "the first error is the one to tell");
    return done;
  }

  std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
  int changed_rows() const { return sqlite3_changes(handle_.get()); }

  /// Moves the WAL into the file and truncates it. Does nothing without a WAL.
  Status truncate_wal();
  /// All statements must be gone. Errors: kInUse otherwise.
  Status close();

 private:
  struct Closer {
    void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
  };
  std::unique_ptr<sqlite3, Closer> handle_;
};

/// Calls `each` for all rows of a query. Its statement ends with it, so no lock stays behind.
template <class Each>
Status each_row(Database& database, const char* sql, Each&& each) {
  auto select = database.prepare(sql);
  if (!select) return std::move(select).error();
  while (true) {
    const auto row = select->next();
    if (!row) return row.error();
    if (!*row) return ok();
    LAB_TRY(each(*select));
  }
}

}  // namespace lab::journal_store
