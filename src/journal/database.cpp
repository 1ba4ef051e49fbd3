// SQLite calls with their errors turned into ours.
// SPDX-License-Identifier: Apache-2.0
#include "journal/database.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "core/text.hpp"

namespace lab::journal_store {
namespace {

bool out_of_space(int number) { return number == ENOSPC || number == EDQUOT || number == EFBIG; }

ErrorCode code_of(int primary, int system_number) {
  switch (primary) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return ErrorCode::kResourceExhausted;
    // SQLite says FULL for ENOSPC alone; a quota or a size limit reaches it as a failed write.
    case SQLITE_IOERR:
      return out_of_space(system_number) ? ErrorCode::kResourceExhausted : ErrorCode::kIo;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorruption;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kInUse;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CONSTRAINT:
      return ErrorCode::kRefused;
    case SQLITE_CANTOPEN:
      return system_number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
    default:
      return ErrorCode::kInternal;
  }
}

std::string uri_of(const std::filesystem::path& path, OpenMode mode) {
  // mode=ro and its like go through the flags; only immutable has no flag.
  return "file:" + percent_encode(path.string()) + (mode == OpenMode::kImmutable ? "?immutable=1" : "");
}

}  // namespace

Error sqlite_error(sqlite3* database, int code, std::string operation) {
  const int latest = errno;
  const int extended = database == nullptr ? code : sqlite3_extended_errcode(database);
  // A busy file leaves errno of its lock call behind, which says nothing to people.
  const bool system_failure = (code & 0xFF) == SQLITE_IOERR || (code & 0xFF) == SQLITE_CANTOPEN;
  int number = database == nullptr || !system_failure ? 0 : sqlite3_system_errno(database);
  // A failed COMMIT does not record it; our callers set errno to 0 before each call.
  if (system_failure && number == 0) number = latest;
  const char* file = database == nullptr ? nullptr : sqlite3_db_filename(database, "main");
  std::string detail = file == nullptr || *file == '\0' ? "" : std::string(file) + ": ";
  detail += fmt::format("{} (SQLite {})",
                        database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database), extended);
  if (number != 0) detail += ", " + std::generic_category().message(number);
  return {code_of(code & 0xFF, number), std::move(operation), std::move(detail)};
}

Error Statement::failure(int code, const char* operation) const {
  return sqlite_error(sqlite3_db_handle(statement_.get()), code, operation);
}

Result<bool> Statement::next() {
  errno = 0;
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  Error error =
      failure(code, sqlite3_stmt_readonly(statement_.get()) != 0 ? "journal.read" : "journal.write");
  reset();
  return error;
}

Status Statement::finish() {
  while (true) {
    const auto row = next();
    if (!row) return row.error();
    if (!*row) return ok();
  }
}

int Statement::bind_one(int position, std::int64_t value) {
  return sqlite3_bind_int64(statement_.get(), position, value);
}

int Statement::bind_one(int position, const std::string& text) {
  return sqlite3_bind_text64(statement_.get(), position, text.data(), text.size(), SQLITE_STATIC,
                             SQLITE_UTF8);
}

int Statement::bind_one(int position, Blob blob) {
  return sqlite3_bind_blob64(statement_.get(), position, blob.bytes.data(), blob.bytes.size(), SQLITE_STATIC);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string_view Statement::bytes(int column) const {
  // The pointer first: asking for the length before it could convert the value in between.
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

Result<Database> Database::open(const std::filesystem::path& path, OpenMode mode) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE;
  switch (mode) {
    case OpenMode::kCreate:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
      break;
    case OpenMode::kReadWrite:
      flags |= SQLITE_OPEN_READWRITE;
      break;
    case OpenMode::kReadOnly:
    case OpenMode::kImmutable:
      flags |= SQLITE_OPEN_READONLY;
      break;
  }
  sqlite3* handle = nullptr;
  errno = 0;
  const int code = sqlite3_open_v2(uri_of(path, mode).c_str(), &handle, flags, nullptr);
  Database database;
  database.handle_.reset(handle);  // Also after a failure there is something to free.
  if (code != SQLITE_OK) {
    Error error = sqlite_error(handle, code, "journal.open");
    error.detail = path.string() + ": " + error.detail;
    return error;
  }
  sqlite3_busy_timeout(handle, static_cast<int>(kBusyLimit.count()));
  // The file may come from anywhere: its schema must not run functions, and pages are checked as they come.
  LAB_TRY(database.execute("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON;"));
  LAB_TRY(database.execute("PRAGMA mmap_size=0;"));
  return database;
}

Status Database::execute(const char* sql) {
  errno = 0;
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(handle_.get(), code, "journal.execute");
  return ok();
}

Result<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  Statement statement(raw);
  if (code == SQLITE_OK) return statement;
  Error error = sqlite_error(handle_.get(), code, "journal.prepare");
  // Our own text is right, so a table or column that is missing is the file's fault.
  if ((code & 0xFF) == SQLITE_ERROR) error.code = ErrorCode::kCorruption;
  return error;
}

Result<std::string> Database::text(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return std::move(statement).error();
  const auto row = statement->next();
  if (!row) return row.error();
  if (!*row) return Error{ErrorCode::kCorruption, "journal.read", std::string("no row for ") + sql};
  return statement->text(0);
}

Result<std::int64_t> Database::integer(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return std::move(statement).error();
  const auto row = statement->next();
  if (!row) return row.error();
  if (!*row) return Error{ErrorCode::kCorruption, "journal.read", std::string("no row for ") + sql};
  return statement->integer(0);
}

Status Database::truncate_wal() {
  errno = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(handle_.get(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(handle_.get(), code, "journal.checkpoint");
  return ok();
}

Status Database::close() {
  if (const int code = sqlite3_close(handle_.get()); code != SQLITE_OK)
    return sqlite_error(handle_.get(), code, "journal.close");
  static_cast<void>(handle_.release());  // NOLINT: just closed.
  return ok();
}

}  // namespace lab::journal_store
