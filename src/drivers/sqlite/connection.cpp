// Opening, bounding and closing of SQLite connections, and the mapping of its result codes.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/sqlite/connection.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <memory>

#include "drivers/sqlite/rows.hpp"

namespace lab::sqlite {
namespace {

constexpr int kProgressSteps = 1'000;  // Virtual machine steps between two looks at the call: microseconds.
constexpr auto kBusyLimit = std::chrono::seconds(30);
constexpr auto kBusyPause = std::chrono::milliseconds(1);

ErrorCode code_of(int code, int system_error) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return ErrorCode::kResourceExhausted;
    case SQLITE_IOERR:
      return system_error == ENOSPC || system_error == EDQUOT ? ErrorCode::kResourceExhausted
                                                              : ErrorCode::kIo;
    case SQLITE_CANTOPEN:
      return ErrorCode::kIo;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorruption;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kInUse;
    case SQLITE_CONSTRAINT:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return ErrorCode::kRefused;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

void Store::close_connections() {
  const std::lock_guard lock(mutex_);
  for (Connection* connection : connections_) connection->close();
}

Connection::Connection(Store& store) : store_(store) {
  const std::lock_guard lock(store_.mutex_);
  store_.connections_.insert(this);
}

Connection::~Connection() {
  const std::lock_guard lock(store_.mutex_);
  store_.connections_.erase(this);
  close();
}

void Connection::close() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  statements_.clear();
  sqlite3_close_v2(handle_);
  handle_ = nullptr;
}

int Connection::on_progress(void* connection) {
  const CallContext* call = static_cast<Connection*>(connection)->current_;
  return call == nullptr || allowed(*call, "sqlite") ? 0 : 1;
}

/// In rollback mode a reader and a writer exclude each other for moments; they wait for each other here.
int Connection::on_busy(void* connection, int tries) {
  auto* self = static_cast<Connection*>(connection);
  const CallContext* call = self->current_;
  if (call == nullptr || !allowed(*call, "sqlite")) return 0;
  const auto now = Clock::now();
  if (tries == 0) self->busy_since_ = now;
  if (now - *self->busy_since_ > kBusyLimit) return 0;
  return sleep_until(call->stop, now + kBusyPause) ? 1 : 0;
}

Result<std::unique_ptr<Use>> Connection::use(const CallContext& call, const char* operation) {
  auto pass = store_.gate.enter_shared(call, operation);
  if (!pass) return std::move(pass).error();
  std::unique_ptr<Use> use(new Use(*this, std::move(*pass), call, operation));
  if (handle_ == nullptr) LAB_TRY(open(*use));
  // Stops alone: a timer thread for each put would cost more than some puts.
  use->watch_.emplace(CallContext{Clock::time_point::max(), call.stop},
                      [handle = handle_] { sqlite3_interrupt(handle); });
  return use;
}

Status Connection::open(const Use& use) {
  const int opened =
      sqlite3_open_v2(store_.file().c_str(), &handle_,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, bounded_files());
  Status status = opened == SQLITE_OK ? ok() : Status(use.error(opened));
  if (status) {
    ++generation_;
    sqlite3_extended_result_codes(handle_, 1);
    sqlite3_progress_handler(handle_, kProgressSteps, on_progress, this);
    sqlite3_busy_handler(handle_, on_busy, this);
    status = prepare_schema(use);
  }
  if (!status) close();
  return status;
}

Status Connection::prepare_schema(const Use& use) {
  const Setup& setup = store_.setup;
  LAB_TRY(use.execute(fmt::format("PRAGMA page_size = {}", setup.page_size)));
  const auto mode = use.text(fmt::format("PRAGMA journal_mode = {}", setup.wal ? "wal" : "delete"));
  if (!mode) return mode.error();
  if (*mode != (setup.wal ? "wal" : "delete"))
    return Error{ErrorCode::kRefused, use.operation(), "journal_mode stays " + *mode};
  LAB_TRY(use.execute("PRAGMA synchronous = FULL"));
  const auto tables = use.number(
      "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name LIKE 'files\\_%' ESCAPE '\\'");
  if (!tables) return tables.error();
  if (*tables >= setup.containers) return ok();
  return use.transaction([&]() -> Status {
    for (std::uint32_t container = 0; container < setup.containers; ++container)
      LAB_TRY(use.execute(create_table_sql(setup, container)));
    return ok();
  });
}

Status Connection::reset(const CallContext& call) {
  const char* operation = "sqlite.reset";
  auto alone = store_.gate.enter_alone(call, operation);
  if (!alone) return std::move(alone).error();
  store_.close_connections();
  LAB_TRY(store_.home.empty_data(call));
  const std::unique_ptr<Use> use(new Use(*this, std::move(*alone), call, operation));
  LAB_TRY(open(*use));
  if (!store_.setup.wal) return ok();
  const int code = sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) return use->error(code);
  return ok();
}

Use::Use(Connection& connection, Gate::Pass pass, const CallContext& call, const char* operation)
    : connection_(connection),
      pass_(std::move(pass)),
      call_(call),
      operation_(operation),
      outer_(connection.current_),
      access_(&call_) {
  connection_.current_ = &call_;
}

Use::~Use() {
  watch_.reset();
  connection_.current_ = outer_;
}

sqlite3* Use::handle() const noexcept { return connection_.handle_; }

Error Use::error(int code) const {
  const int primary = code & 0xff;
  if (primary == SQLITE_INTERRUPT || primary == SQLITE_BUSY || primary == SQLITE_IOERR)
    if (const Status bounded = allowed(call_, operation_); !bounded) return bounded.error();
  sqlite3* handle = connection_.handle_;
  const int system_error = handle == nullptr ? 0 : sqlite3_system_errno(handle);
  std::string words = handle == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle);
  return {code_of(code, system_error), operation_, fmt::format("{} ({})", words, sqlite3_errstr(code))};
}

Result<Statement> Use::prepare(const std::string& sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(handle(), sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return error(code);
  return Statement(*this, statement, true);
}

Result<Statement> Use::cached(const std::string& sql) const {
  sqlite3_stmt*& statement = connection_.statements_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(handle(), sql.c_str(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return error(code);
  }
  return Statement(*this, statement, false);
}

Status Use::execute(const std::string& sql) const {
  const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code);
  return ok();
}

Result<std::int64_t> Use::number(const std::string& sql) const {
  auto statement = prepare(sql);
  if (!statement) return std::move(statement).error();
  const auto row = statement->step();
  if (!row) return row.error();
  if (!*row) return Error{ErrorCode::kInternal, operation_, "no row from " + sql};
  return statement->number(0);
}

Result<std::string> Use::text(const std::string& sql) const {
  auto statement = prepare(sql);
  if (!statement) return std::move(statement).error();
  const auto row = statement->step();
  if (!row) return row.error();
  if (!*row) return Error{ErrorCode::kInternal, operation_, "no row from " + sql};
  return std::string(statement->text(0));
}

Status Use::transaction(const std::function<Status()>& work) const {
  LAB_TRY(execute("BEGIN IMMEDIATE"));
  Status status = work();
  if (status) status = execute("COMMIT");
  // An interrupted write has rolled back by itself; then there is nothing to undo.
  if (!status && sqlite3_get_autocommit(handle()) == 0) {
    const BoundedAccess unbounded(nullptr);
    const CallContext* bounded = std::exchange(connection_.current_, nullptr);
    const int code = sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    connection_.current_ = bounded;
    if (code != SQLITE_OK) return error(code);
  }
  return status;
}

Statement::Statement(Statement&& other) noexcept
    : use_(other.use_),
      handle_(std::exchange(other.handle_, nullptr)),
      owned_(other.owned_),
      bound_(other.bound_) {}

Statement::~Statement() {
  if (handle_ == nullptr) return;
  if (owned_) {
    sqlite3_finalize(handle_);
    return;
  }
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

void Statement::bind(int index, std::span<const std::byte> blob) {
  // A null pointer would be bound as NULL.
  const void* bytes = blob.empty() ? static_cast<const void*>("") : blob.data();
  const int code = sqlite3_bind_blob64(handle_, index, bytes, blob.size(), SQLITE_STATIC);
  if (bound_ == SQLITE_OK) bound_ = code;
}

void Statement::bind(int index, std::string_view text) {
  const char* bytes = text.empty() ? "" : text.data();
  const int code = sqlite3_bind_text64(handle_, index, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (bound_ == SQLITE_OK) bound_ = code;
}

void Statement::bind(int index, std::int64_t number) {
  const int code = sqlite3_bind_int64(handle_, index, number);
  if (bound_ == SQLITE_OK) bound_ = code;
}

void Statement::bind(int index, double number) {
  const int code = sqlite3_bind_double(handle_, index, number);
  if (bound_ == SQLITE_OK) bound_ = code;
}

void Statement::bind_copy(int index, const std::string& text) {
  const int code =
      sqlite3_bind_text64(handle_, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (bound_ == SQLITE_OK) bound_ = code;
}

void Statement::bind_null(int index) {
  const int code = sqlite3_bind_null(handle_, index);
  if (bound_ == SQLITE_OK) bound_ = code;
}

Result<bool> Statement::step() {
  if (bound_ != SQLITE_OK) return use_->error(bound_);
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return use_->error(code);
}

std::span<const std::byte> Statement::blob(int column) const {
  const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(handle_, column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

std::string_view Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return {bytes == nullptr ? "" : bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(handle_, column); }

}  // namespace lab::sqlite
