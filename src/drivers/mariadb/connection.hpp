// One connection to a MariaDB server whose every call obeys a deadline and a stop, whatever the server does.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mysql.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "drivers/mariadb/server.hpp"

namespace lab::mariadb {

class Connection;

/// One row: a column is bytes, or nothing for NULL. Borrowed until the callback returns.
using Row = std::span<const std::optional<std::string_view>>;
using RowSink = std::function<Status(Row)>;

/// What a statement without rows did.
struct Done {
  std::uint64_t affected = 0;  // Rows found, changed or not (CLIENT_FOUND_ROWS).
  unsigned warnings = 0;
  std::string info{};  // The server's summary of a bulk: "Records: 3  Duplicates: 0  Warnings: 0".
};

/// The connection in use for one call. When the call ends early, what the server still does for it is killed
/// from a second connection; a server that does not answer loses its connection.
class Use {
 public:
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  /// A statement without rows. Rows that come nevertheless are dropped.
  Result<Done> execute(const std::string& sql);
  /// As execute; and a warning is an error with the server's words: nothing may be changed in silence.
  Result<Done> execute_strictly(const std::string& sql);
  /// Streams the rows. An error of the sink ends the statement on the server and is returned.
  Status query(const std::string& sql, const RowSink& sink);
  /// First column of the first row. Errors: kNotFound where there is no row or it is NULL.
  Result<std::string> text(const std::string& sql);
  Result<std::int64_t> number(const std::string& sql);

  /// Runs at the beginning of the next use, when this one ends without settle(): ROLLBACK, UNLOCK TABLES.
  void owe(std::string sql);
  void settle();

  /// A prepared statement's own error, or how the call ended.
  Error error(unsigned number, const char* words);
  /// Error with SHOW WARNINGS' first line.
  Error warned();

  /// Runs a call of the library that may wait: start() begins it, proceed(events) goes on with it.
  template <class Start, class Proceed>
  void drive(Start&& start, Proceed&& proceed) {
    int status = start();
    while (status != 0) status = proceed(await(status));
  }

  MYSQL* handle() const noexcept;
  const CallContext& call() const noexcept { return call_; }
  const char* operation() const noexcept { return operation_; }

 private:
  friend class Connection;
  Use(Connection& connection, const CallContext& call, const char* operation)
      : connection_(connection), call_(call), operation_(operation) {}
  int await(int status);
  /// Ends what the server does for us, and gives the library a moment to hear of it.
  void interrupt(Error why);
  void cut();
  /// Sends it and reads its first answer. The server's error number, 0 for none.
  unsigned run(const std::string& sql);
  Error last_error();
  /// Reads the rest of a result that nobody wants any more.
  void abandon(MYSQL_RES* result);
  Status rows_of(MYSQL_RES* result, const RowSink& sink);

  Connection& connection_;
  CallContext call_;
  const char* operation_;
  std::optional<Error> ended_{};  // Why the call is over; then only `until_` is waited for.
  Clock::time_point until_{};
};

/// Used by one thread at a time. Live from its opening on. Lost once, it stays lost: a new one must be
/// opened. One that we cut ourselves, because a call ended while the server was silent, is opened again by
/// the next call.
class Connection {
 public:
  /// Errors: kConnectionLost (not reached), kRefused (login, certificate, no TLS where it is wanted),
  /// kUnsupported (no MariaDB).
  static Result<std::unique_ptr<Connection>> open(const Server& server, const CallContext& call,
                                                  const char* operation);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Errors: kTimeout, kCancelled, kConnectionLost.
  Result<std::unique_ptr<Use>> use(const CallContext& call, const char* operation);

 private:
  friend class Use;
  explicit Connection(Server server) : server_(std::move(server)) {}
  Status connect(Use& use);
  Status check_server(const Use& use) const;
  Status enter(Use& use);
  void close();
  void kill_query() const;

  Server server_;
  MYSQL* handle_ = nullptr;
  bool connected_ = false;
  bool lost_ = false;
  bool cut_ = false;     // By us.
  bool killed_ = false;  // A KILL may still strike the next statement.
  std::string owed_{};
  bool killer_ = false;  // The connection that kills is not killed for.
};

/// X'0A0B', for bytes of any kind.
std::string hex_literal(std::span<const std::byte> bytes);
/// The same as text of the connection's character set.
std::string text_literal(std::string_view text);

}  // namespace lab::mariadb
