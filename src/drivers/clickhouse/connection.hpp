// One connection to a ClickHouse server over HTTP: statements, rows and streams, each bounded by its call.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/http_client.hpp"
#include "driver/system.hpp"
#include "drivers/clickhouse/lifetime.hpp"
#include "drivers/clickhouse/reply.hpp"

namespace lab::clickhouse {

/// Where the server is and who asks. The login goes in a header, never in an address.
struct Target {
  std::string url{};  // "http://host:port/"
  std::string user{};
  HttpSettings http{};
};

/// From clickhouse://user@host:port or clickhouses://...?tls_ca=FILE. Errors: kInvalidArgument.
Result<Target> target_of(const SystemConfig& config);

/// Settings of one statement, sent as parameters of the address.
using QuerySettings = std::map<std::string, std::string>;

struct Statement {
  std::string sql{};
  QuerySettings settings{};
  HttpSource source{};                  // The data of an INSERT,
  std::optional<std::int64_t> bytes{};  // so many bytes; in chunks where that is not known before.
  HttpSink sink{};  // Streamed as it comes; without it the answer is complete before its status is.
};

/// Not thread-safe. What was lost stays lost: after a broken connection, and after a restart of the server in
/// between, every call is kConnectionLost.
class Connection {
 public:
  Connection(Target target, std::shared_ptr<Lifetime> lifetime);

  /// The answer's text. Errors: kConnectionLost, the server's exception, those of the call, source and sink.
  /// When the call ends first the server is told to give the statement up.
  Result<std::string> send(const Statement& statement, const CallContext& call, const char* operation);

  Status execute(const std::string& sql, const CallContext& call, const char* operation,
                 const QuerySettings& settings = {});
  Result<Rows> rows(const std::string& sql, const CallContext& call, const char* operation);
  /// The first column of the first row. Errors: kNotFound without one.
  Result<std::string> text(const std::string& sql, const CallContext& call, const char* operation);
  Result<std::uint64_t> number(const std::string& sql, const CallContext& call, const char* operation);

  /// Asks for the uptime. Errors: kConnectionLost when the server was started again since the last look.
  Status check_lifetime(const CallContext& call, const char* operation);

  bool is_lost() const noexcept { return lost_; }
  const Lifetime& lifetime() const noexcept { return *lifetime_; }
  const Target& target() const noexcept { return target_; }

 private:
  Result<std::string> exchange(const Statement& statement, const CallContext& call, const char* operation);
  std::string url_of(const Statement& statement, const std::string& query_id) const;
  void give_up(const std::string& query_id);

  Target target_;
  std::shared_ptr<Lifetime> lifetime_;
  HttpClient client_;
  std::string prefix_;  // Of the ids of its statements.
  std::uint64_t statements_ = 0;
  std::uint64_t generation_ = 0;  // Of the lifetime in which it began; 0: nothing was asked yet.
  bool connected_anew_ = false;
  bool lost_ = false;
};

}  // namespace lab::clickhouse
