// One connection of PostgreSQL's protocol whose every call obeys a deadline and a stop.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "drivers/pgwire/address.hpp"
#include "drivers/pgwire/copy_writer.hpp"
#include "drivers/pgwire/values.hpp"

namespace lab::pgwire {

struct ResultClear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, ResultClear>;

/// The rows of one result. Borrowed texts and bytes live as long as it.
class Rows {
 public:
  Rows() = default;
  explicit Rows(ResultHandle result) : result_(std::move(result)) {}

  int count() const noexcept { return PQntuples(result_.get()); }
  bool null(int row, int column) const noexcept { return PQgetisnull(result_.get(), row, column) != 0; }
  std::string_view text(int row, int column) const noexcept {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
  }
  std::span<const std::byte> bytes(int row, int column) const noexcept {
    const std::string_view value = text(row, column);
    return std::as_bytes(std::span(value.data(), value.size()));
  }
  /// 0 for what is no number: for columns that the statement itself makes a number of.
  std::int64_t number(int row, int column) const noexcept;
  double real(int row, int column) const noexcept;
  /// Rows that the statement inserted, updated, deleted or copied.
  std::uint64_t affected() const noexcept;

 private:
  ResultHandle result_{};
};

enum class Format : std::uint8_t { kText = 0, kBinary = 1 };  // Of the values in the rows.

/// Not thread-safe. A connection that was lost stays lost: each later call is kConnectionLost. A call that is
/// ended by its deadline or stop asks the server to cancel; if the server does not answer within 1.2 s, the
/// connection is given up and is lost from then on.
class Connection {
 public:
  /// Errors: kConnectionLost (nobody answers; retryable), kRefused (login), kNotFound (database), kTimeout,
  /// kCancelled.
  static Result<std::unique_ptr<Connection>> open(const Address& address, const CallContext& call,
                                                  const char* operation);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// One or more statements without parameters; rows are dropped.
  Status execute(const CallContext& call, const char* operation, const std::string& sql);

  Result<Rows> query(const CallContext& call, const char* operation, const std::string& sql,
                     const Parameters& parameters = {});

  /// As query, prepared at the first use of `sql` and kept.
  Result<Rows> prepared(const CallContext& call, const char* operation, const std::string& sql,
                        const Parameters& parameters, Format format = Format::kText);

  /// Gives `sink` one row at a time, its values binary, so that memory holds one. An error of the sink ends
  /// the query and is returned.
  Status stream(const CallContext& call, const char* operation, const std::string& sql,
                const std::function<Status(const Rows&)>& sink);

  /// COPY ... FROM STDIN (FORMAT binary): `produce` writes the rows. Returns how many the server took.
  Result<std::uint64_t> copy_in(const CallContext& call, const char* operation, const std::string& sql,
                                const std::function<Status(CopyWriter&)>& produce);

  /// BEGIN, `work`, COMMIT; ROLLBACK when one of them fails.
  Status transaction(const CallContext& call, const char* operation, const std::function<Status()>& work);

  /// What the server keeps of a role's password in place of it (SCRAM), so that it never travels.
  Result<std::string> password_verifier(const CallContext& call, const char* operation,
                                        const std::string& role, const std::string& password);

  bool lost() const noexcept { return lost_.has_value(); }
  int version() const noexcept { return PQserverVersion(handle_.get()); }  // 150020
  /// SQLSTATE of the last failed statement; empty where the failure had none.
  const std::string& last_state() const noexcept { return last_state_; }
  /// The warnings of the server since the last call of this function, joined.
  std::string take_warnings();

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  explicit Connection(PGconn* handle) : handle_(handle) {}

  Status log_in(const CallContext& call, const char* operation);
  Status usable(const CallContext& call, const char* operation) const;
  Status sent(int accepted, const char* operation);
  Status flush_output(const CallContext& call, const char* operation);
  Result<ResultHandle> next_result(const CallContext& call, const char* operation);
  Result<ResultHandle> last_result(const CallContext& call, const char* operation);
  Status send_piece(const CallContext& call, const char* operation, std::string_view piece);
  Status end_copy(const CallContext& call, const char* operation, const char* failure);
  Error failed(const char* operation);
  Error failed(const char* operation, const PGresult* result, const CallContext& call);
  Error lose(const char* operation, std::string words);
  void give_up(std::string words);
  /// Passes the result on; where the statement is still running, ends it on the server first.
  template <class T>
  Result<T> ended(Result<T> result);
  void abandon();
  bool drain(const CallContext& grace);
  void roll_back();

  std::unique_ptr<PGconn, Finish> handle_;
  std::optional<std::string> lost_{};  // What the loss was.
  std::string last_state_{};
  std::vector<std::string> warnings_{};
  std::map<std::string, std::string, std::less<>> statements_{};  // SQL -> name of its prepared statement.
};

/// A table's or schema's name as SQL takes it.
std::string identifier(std::string_view name);
/// A string literal.
std::string literal(std::string_view text);

}  // namespace lab::pgwire
