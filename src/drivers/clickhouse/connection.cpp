// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/connection.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <random>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "driver/server_url.hpp"

namespace lab::clickhouse {
namespace {

constexpr std::uint16_t kPort = 8123;
constexpr std::uint16_t kTlsPort = 8443;
constexpr Millis kGiveUpLimit{500};  // A stop is honoured within 2 s, whatever the server does.
constexpr std::size_t kAnswerMax = std::size_t{2} << 30U;
constexpr const char* kUptime =
    "SELECT uptime(), toString(toDateTime(toUInt32(now()) - toUInt32(uptime())), 'UTC')";

/// Distinct between processes and connections; the server refuses a second statement of one id.
std::string random_prefix() {
  std::random_device source;
  std::array<std::uint32_t, 4> words{source(), source(), source(), source()};
  return "deduplab-" + to_hex(std::as_bytes(std::span(words)));
}

Error lost(const char* operation, std::string why) {
  return {ErrorCode::kConnectionLost, operation, std::move(why), true};
}

}  // namespace

Result<Target> target_of(const SystemConfig& config) {
  const std::vector<std::string> schemes{"clickhouse", "clickhouses"};
  const std::vector<std::string> parameters{"tls_ca"};
  const bool tls = config.url.starts_with("clickhouses:");
  const auto url = parse_server_url(config.url, schemes, tls ? kTlsPort : kPort, parameters);
  if (!url) return url.error();
  const auto bad = [](std::string why) { return Error{ErrorCode::kInvalidArgument, "url", std::move(why)}; };
  if (!url->path.empty())
    return bad("it names a database: the lab's own is chosen by the option 'namespace'");
  Target target;
  const auto ca = url->parameters.find("tls_ca");
  if (ca != url->parameters.end() && !tls) return bad("tls_ca is for clickhouses://");
  if (ca != url->parameters.end()) target.http.ca_file = ca->second;
  const bool v6 = url->host.find(':') != std::string::npos;
  target.url = fmt::format("{}://{}{}{}:{}/", tls ? "https" : "http", v6 ? "[" : "", url->host, v6 ? "]" : "",
                           url->port);
  target.user = url->user.empty() ? "default" : url->user;
  target.http.login = HttpLogin{.user = target.user, .password = config.password};
  return target;
}

Connection::Connection(Target target, std::shared_ptr<Lifetime> lifetime)
    : target_(std::move(target)),
      lifetime_(std::move(lifetime)),
      client_(target_.http),
      prefix_(random_prefix()) {}

std::string Connection::url_of(const Statement& statement, const std::string& query_id) const {
  std::string url = target_.url + "?query_id=" + query_id;
  // Without a sink the server keeps its answer until it is complete: an exception then has a status.
  if (!statement.sink) url += "&wait_end_of_query=1";
  for (const auto& [name, value] : statement.settings)
    url += fmt::format("&{}={}", percent_encode(name), percent_encode(value));
  if (statement.source) url += "&query=" + percent_encode(statement.sql);
  return url;
}

Result<std::string> Connection::exchange(const Statement& statement, const CallContext& call,
                                         const char* operation) {
  const std::string query_id = fmt::format("{}-{}", prefix_, ++statements_);
  HttpRequest request{.method = "POST", .url = url_of(statement, query_id), .body_max = kAnswerMax};
  request.sink = statement.sink;
  if (statement.source) {
    request.source = statement.source;
    request.body_bytes = statement.bytes;
  } else {
    request.body = statement.sql;
  }
  const auto answer = client_.send(request, call, operation);
  if (!answer) {
    const Error& error = answer.error();
    if (error.code == ErrorCode::kConnectionLost) lost_ = true;
    if (error.code == ErrorCode::kTimeout || error.code == ErrorCode::kCancelled) give_up(query_id);
    return error;
  }
  connected_anew_ = connected_anew_ || answer->connected_anew;
  if (!answer->good() || answer->headers.contains("x-clickhouse-exception-code"))
    return exception_error(answer->body, operation);
  return answer->body;
}

/// On a connection of its own, since the other one is closed in the middle. A mutation or a merge that an old
/// server has begun cannot be ended: it goes on by itself.
void Connection::give_up(const std::string& query_id) {
  HttpSettings settings = target_.http;
  settings.connect_limit = kGiveUpLimit;
  HttpClient client(settings);
  const std::string sql = fmt::format("KILL QUERY WHERE query_id = {} ASYNC", literal(query_id));
  ignore(client.send({.method = "POST", .url = target_.url, .body = sql}, {Clock::now() + kGiveUpLimit, {}},
                     "clickhouse.kill"),
         "the call has its error already, and a server that does not answer cannot be told anything");
}

Result<std::string> Connection::send(const Statement& statement, const CallContext& call,
                                     const char* operation) {
  LAB_TRY(allowed(call, operation));
  if (lost_) return lost(operation, "the connection was lost before");
  if (generation_ == 0) LAB_TRY(check_lifetime(call, operation));
  auto answer = exchange(statement, call, operation);
  if (!connected_anew_ || lost_) return answer;
  // The connection was closed in between. That is usual after some idle seconds; a restart is not.
  LAB_TRY(check_lifetime(call, operation));
  return answer;
}

Status Connection::check_lifetime(const CallContext& call, const char* operation) {
  LAB_TRY(allowed(call, operation));
  if (lost_) return lost(operation, "the connection was lost before");
  const auto asked = Clock::now();
  const auto answer = exchange({.sql = kUptime}, call, operation);
  if (!answer) return answer.error();
  connected_anew_ = false;
  const Rows rows = parse_rows(*answer);
  std::int64_t uptime = 0;
  if (rows.size() != 1 || rows[0].size() != 2 ||
      std::from_chars(rows[0][0].data(), rows[0][0].data() + rows[0][0].size(), uptime).ec != std::errc{})
    return Error{ErrorCode::kUnsupported, operation, "this is no ClickHouse: it does not tell its uptime"};
  lifetime_->see(uptime, rows[0][1], asked, Clock::now());
  const std::uint64_t now = lifetime_->generation();
  if (generation_ == 0) generation_ = now;
  if (generation_ == now) return ok();
  lost_ = true;
  return lost(operation, "the server was started again");
}

Status Connection::execute(const std::string& sql, const CallContext& call, const char* operation,
                           const QuerySettings& settings) {
  const auto answer = send({.sql = sql, .settings = settings}, call, operation);
  if (!answer) return answer.error();
  return ok();
}

Result<Rows> Connection::rows(const std::string& sql, const CallContext& call, const char* operation) {
  const auto answer = send({.sql = sql + " FORMAT TabSeparated"}, call, operation);
  if (!answer) return answer.error();
  return parse_rows(*answer);
}

Result<std::string> Connection::text(const std::string& sql, const CallContext& call, const char* operation) {
  const auto all = rows(sql, call, operation);
  if (!all) return all.error();
  if (all->empty()) return Error{ErrorCode::kNotFound, operation, "no row from " + sql};
  return all->front().front();
}

Result<std::uint64_t> Connection::number(const std::string& sql, const CallContext& call,
                                         const char* operation) {
  const auto value = text(sql, call, operation);
  if (!value) return value.error();
  std::uint64_t number = 0;
  const auto read = std::from_chars(value->data(), value->data() + value->size(), number);
  if (read.ec != std::errc{} || read.ptr != value->data() + value->size())
    return Error{ErrorCode::kInternal, operation, fmt::format("'{}' is no number", to_valid_utf8(*value))};
  return number;
}

}  // namespace lab::clickhouse
