// The library's non-blocking calls, so that one thread waits for the socket, the deadline and the stop.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/connection.hpp"

#include <errmsg.h>
#include <fmt/format.h>
#include <mysqld_error.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "driver/gate.hpp"
#include "driver/waiting.hpp"

namespace lab::mariadb {
namespace {

// Together below the 2 s within which a call has to end.
constexpr Millis kKillLimit{700};
constexpr Millis kGrace{800};
constexpr std::size_t kStackBytes = 512U << 10U;  // A TLS handshake does not fit into the library's 64 KiB.

// What could change or lose data in silence is an error; what could end a quiet connection is far away.
constexpr const char* kSession =
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_strict_mode = 1, "
    "autocommit = 1, sql_safe_updates = 0, max_statement_time = 0, wait_timeout = 604800, "
    "net_read_timeout = 3600, net_write_timeout = 3600";

void set_up(MYSQL* handle, const Server& server) {
  const std::size_t stack = kStackBytes;
  mysql_options(handle, MYSQL_OPT_NONBLOCK, &stack);
  const unsigned tcp = MYSQL_PROTOCOL_TCP;  // "localhost" would mean a socket file.
  mysql_options(handle, MYSQL_OPT_PROTOCOL, &tcp);
  mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  const unsigned no_files = 0;
  mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &no_files);
  if (!server.tls) return;
  const my_bool yes = 1;
  mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &yes);
  mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
  if (!server.tls_ca.empty()) mysql_options(handle, MYSQL_OPT_SSL_CA, server.tls_ca.c_str());
}

}  // namespace

std::string hex_literal(std::span<const std::byte> bytes) { return fmt::format("X'{}'", to_hex(bytes)); }

std::string text_literal(std::string_view text) { return "_utf8mb4 " + hex_literal(as_bytes(text)); }

Result<std::unique_ptr<Connection>> Connection::open(const Server& server, const CallContext& call,
                                                     const char* operation) {
  LAB_TRY(allowed(call, operation));
  std::unique_ptr<Connection> made(new Connection(server));
  Use use(*made, call, operation);
  LAB_TRY(made->connect(use));
  return made;
}

Connection::~Connection() { close(); }

void Connection::close() {
  if (handle_ == nullptr) return;
  // The library says goodbye to a server that listens; to one that hangs it would wait.
  if (lost_ || cut_) ::shutdown(mysql_get_socket(handle_), SHUT_RDWR);
  mysql_close(handle_);
  handle_ = nullptr;
  connected_ = false;
}

Result<std::unique_ptr<Use>> Connection::use(const CallContext& call, const char* operation) {
  LAB_TRY(allowed(call, operation));
  std::unique_ptr<Use> use(new Use(*this, call, operation));
  LAB_TRY(enter(*use));
  return use;
}

Status Connection::connect(Use& use) {
  close();
  cut_ = false;
  killed_ = false;
  owed_.clear();
  static const int kLibrary = mysql_library_init(0, nullptr, nullptr);
  handle_ = kLibrary == 0 ? mysql_init(nullptr) : nullptr;
  if (handle_ == nullptr) return Error{ErrorCode::kResourceExhausted, use.operation(), "no memory"};
  set_up(handle_, server_);
  MYSQL* done = nullptr;
  FileHandle own_socket;  // Stays valid when the library closes its own in the meantime.
  std::optional<CallWatch> watch;
  use.drive(
      [&] {
        return mysql_real_connect_start(&done, handle_, server_.host.c_str(), server_.user.c_str(),
                                        server_.password.c_str(), nullptr, server_.port, nullptr,
                                        CLIENT_FOUND_ROWS);
      },
      [&](int events) {
        // The library does not wait outside for a TLS handshake.
        if (server_.tls && !watch) {
          own_socket = FileHandle(::dup(mysql_get_socket(handle_)));
          watch.emplace(use.call(), [fd = own_socket.get()] { ::shutdown(fd, SHUT_RDWR); });
        }
        return mysql_real_connect_cont(&done, handle_, events);
      });
  watch.reset();
  if (done == nullptr) {
    Error failed = use.last_error();
    if (mysql_errno(handle_) == CR_SSL_CONNECTION_ERROR && server_.tls_unasked)
      failed.detail += "; without tls in the url it is on: add tls_ca=FILE, or tls=off for plain text";
    close();
    return failed;
  }
  connected_ = true;
  LAB_TRY(check_server(use));
  const auto session = use.execute(kSession);
  if (!session) return session.error();
  return ok();
}

Status Connection::check_server(const Use& use) const {
  const auto refuse = [&](ErrorCode code, std::string why) {
    return Error{code, use.operation(), std::move(why)};
  };
  if (server_.tls && mysql_get_ssl_cipher(handle_) == nullptr)
    return refuse(ErrorCode::kRefused, "the connection is not encrypted although the url says tls");
  if (mariadb_connection(handle_) == 0)
    return refuse(ErrorCode::kUnsupported,
                  fmt::format("the server is no MariaDB: {}", mysql_get_server_info(handle_)));
  unsigned long extended = 0;
  mariadb_get_infov(handle_, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &extended);
  if ((extended & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32U)) == 0)
    return refuse(ErrorCode::kUnsupported, "the server, or a proxy before it, takes no bulk arrays");
  return ok();
}

Status Connection::enter(Use& use) {
  if (lost_)
    return Error{ErrorCode::kConnectionLost, use.operation(), "the connection was lost before", true};
  if (cut_ || !connected_) LAB_TRY(connect(use));
  if (killed_) {
    const unsigned number = use.run("DO 0");
    if (number != 0 && number != ER_QUERY_INTERRUPTED) return use.last_error();
    killed_ = false;
  }
  if (owed_.empty()) return ok();
  const auto paid = use.execute(owed_);
  if (!paid) return paid.error();
  owed_.clear();
  return ok();
}

void Connection::kill_query() const {
  const CallContext call{Clock::now() + kKillLimit, {}};
  Connection other(server_);
  other.killer_ = true;
  Use use(other, call, "mariadb.kill");
  if (!other.connect(use)) return;  // Then the connection itself is cut.
  ignore(use.execute(fmt::format("KILL QUERY {}", mysql_thread_id(handle_))),
         "a statement that goes on has its connection cut");
}

MYSQL* Use::handle() const noexcept { return connection_.handle_; }

int Use::await(int status) {
  const bool reads = (status & MYSQL_WAIT_READ) != 0;
  const bool writes = (status & MYSQL_WAIT_WRITE) != 0;
  const SocketFor what = reads && writes ? SocketFor::kBoth : writes ? SocketFor::kWrite : SocketFor::kRead;
  const int events = status & ~MYSQL_WAIT_TIMEOUT;  // No timeout is set: the call has its own.
  const int socket = mysql_get_socket(handle());
  if (!ended_) {
    const Status ready = wait_socket(socket, what, call_, operation_);
    if (ready) return events;
    interrupt(ready.error());
  }
  if (!connection_.cut_ && !wait_socket(socket, what, {until_, {}}, operation_)) cut();
  return events;
}

void Use::interrupt(Error why) {
  if (!ended_) ended_ = std::move(why);
  until_ = Clock::now();
  if (connection_.killer_ || !connection_.connected_) return;
  connection_.killed_ = true;
  connection_.kill_query();
  until_ = Clock::now() + kGrace;
}

void Use::cut() {
  ::shutdown(mysql_get_socket(handle()), SHUT_RDWR);
  connection_.cut_ = true;
}

unsigned Use::run(const std::string& sql) {
  int failed = 0;
  drive([&] { return mysql_real_query_start(&failed, handle(), sql.data(), sql.size()); },
        [&](int events) { return mysql_real_query_cont(&failed, handle(), events); });
  return failed == 0 ? 0 : mysql_errno(handle());
}

Error Use::error(unsigned number, const char* words) {
  if (ended_) return *ended_;
  if (ends_connection(number)) {
    // The watch over a TLS handshake ends the connection when the call is over.
    if (const Status bounded = allowed(call_, operation_); !bounded) {
      connection_.cut_ = true;
      return bounded.error();
    }
    connection_.lost_ = connection_.connected_;
  }
  return error_of(number, words, operation_);
}

Error Use::last_error() {
  const unsigned number = mysql_errno(handle());
  if (number == CR_SSL_CONNECTION_ERROR)  // As above.
    if (const Status bounded = allowed(call_, operation_); !bounded) return bounded.error();
  return error(number, mysql_error(handle()));
}

Result<Done> Use::execute(const std::string& sql) {
  if (run(sql) != 0) return last_error();
  if (mysql_field_count(handle()) > 0) {
    MYSQL_RES* const result = mysql_use_result(handle());
    if (result == nullptr) return last_error();
    LAB_TRY(rows_of(result, [](Row) { return ok(); }));
  }
  const char* const info = mysql_info(handle());
  return Done{mysql_affected_rows(handle()), mysql_warning_count(handle()), info == nullptr ? "" : info};
}

Result<Done> Use::execute_strictly(const std::string& sql) {
  auto done = execute(sql);
  if (done && done->warnings > 0) return warned();
  return done;
}

Error Use::warned() {
  std::string words = "the server warned";
  unsigned number = 0;
  const Status read = query("SHOW WARNINGS LIMIT 1", [&](Row row) {
    number = static_cast<unsigned>(std::strtoul(std::string(row[1].value_or("0")).c_str(), nullptr, 10));
    words = std::string(row[2].value_or("")) + ", a warning that would change data in silence";
    return ok();
  });
  if (!read) return read.error();
  return error_of(number, words, operation_);
}

Status Use::query(const std::string& sql, const RowSink& sink) {
  if (run(sql) != 0) return last_error();
  MYSQL_RES* const result = mysql_use_result(handle());
  if (result == nullptr && mysql_field_count(handle()) > 0) return last_error();
  return result == nullptr ? ok() : rows_of(result, sink);
}

Status Use::rows_of(MYSQL_RES* result, const RowSink& sink) {
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> owner(result, mysql_free_result);
  std::vector<std::optional<std::string_view>> columns(mysql_num_fields(result));
  while (true) {
    MYSQL_ROW row = nullptr;
    drive([&] { return mysql_fetch_row_start(&row, result); },
          [&](int events) { return mysql_fetch_row_cont(&row, result, events); });
    if (row == nullptr) return mysql_errno(handle()) == 0 ? ok() : Status(last_error());
    const unsigned long* const lengths = mysql_fetch_lengths(result);
    for (std::size_t column = 0; column < columns.size(); ++column)
      columns[column] = row[column] == nullptr
                            ? std::nullopt
                            : std::optional<std::string_view>({row[column], lengths[column]});
    Status taken = sink(columns);
    if (taken) taken = allowed(call_, operation_);
    if (taken) continue;
    interrupt(taken.error());
    abandon(result);
    return taken;
  }
}

void Use::abandon(MYSQL_RES* result) {
  MYSQL_ROW row = nullptr;
  do {
    row = nullptr;
    if (!connection_.cut_ && Clock::now() >= until_) cut();
    drive([&] { return mysql_fetch_row_start(&row, result); },
          [&](int events) { return mysql_fetch_row_cont(&row, result, events); });
  } while (row != nullptr);
}

Result<std::string> Use::text(const std::string& sql) {
  std::optional<std::string> found;
  LAB_TRY(query(sql, [&](Row row) {
    if (!found && row[0]) found = std::string(*row[0]);
    return ok();
  }));
  if (!found) return Error{ErrorCode::kNotFound, operation_, "no answer to " + sql};
  return *found;
}

Result<std::int64_t> Use::number(const std::string& sql) {
  const auto found = text(sql);
  if (!found) return found.error();
  char* end = nullptr;
  const std::int64_t value = std::strtoll(found->c_str(), &end, 10);
  if (end == found->c_str() || *end != '\0')
    return Error{ErrorCode::kInternal, operation_, "'" + *found + "' is no whole number, from " + sql};
  return value;
}

void Use::owe(std::string sql) { connection_.owed_ = std::move(sql); }
void Use::settle() { connection_.owed_.clear(); }

}  // namespace lab::mariadb
