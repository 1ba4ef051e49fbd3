// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/server.hpp"

#include <errmsg.h>
#include <fmt/format.h>
#include <mysqld_error.h>

#include "core/text.hpp"
#include "driver/server_url.hpp"

namespace lab::mariadb {
namespace {

constexpr std::uint16_t kPort = 3306;

struct Meaning {
  ErrorCode code = ErrorCode::kInternal;
  bool retryable = false;
};

Meaning meaning_of(unsigned number) {
  if (ends_connection(number)) return {ErrorCode::kConnectionLost, true};
  switch (number) {
    case ER_CON_COUNT_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
      return {ErrorCode::kResourceExhausted, true};
    case ER_OUTOFMEMORY:
    case ER_OUT_OF_RESOURCES:
    case ER_DISK_FULL:
    case ER_RECORD_FILE_FULL:
    case ER_LOCK_TABLE_FULL:
      return {ErrorCode::kResourceExhausted, false};
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_DEADLOCK:
      return {ErrorCode::kInUse, true};
    case ER_QUERY_INTERRUPTED:  // By somebody else: our own interruptions are told from the call.
    case ER_STATEMENT_TIMEOUT:
      return {ErrorCode::kRefused, true};
    case ER_NET_PACKET_TOO_LARGE:
    case CR_NET_PACKET_TOO_LARGE:
    case ER_DATA_TOO_LONG:
    case ER_TOO_BIG_ROWSIZE:
      return {ErrorCode::kInvalidArgument, false};
    case ER_NO_SUCH_TABLE:
    case ER_BAD_TABLE_ERROR:
    case ER_BAD_DB_ERROR:
      return {ErrorCode::kNotFound, false};
    case ER_DBACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
    case ER_PROCACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
    case ER_OPTION_PREVENTS_STATEMENT:
    case ER_DUP_ENTRY:
    case ER_BAD_NULL_ERROR:  // What the one-per-content statement says to an id that is there.
    case ER_DB_CREATE_EXISTS:
    case CR_SSL_CONNECTION_ERROR:
      return {ErrorCode::kRefused, false};
    case ER_CRASHED_ON_USAGE:
    case ER_NOT_KEYFILE:
    case ER_TABLE_CORRUPT:
      return {ErrorCode::kCorruption, false};
    case ER_GET_ERRNO:
    case ER_ERROR_ON_READ:
    case ER_ERROR_ON_WRITE:
      return {ErrorCode::kIo, false};
    case ER_NOT_SUPPORTED_YET:
    case ER_UNSUPPORTED_EXTENSION:
    case ER_ILLEGAL_HA_CREATE_OPTION:
    case ER_UNKNOWN_STORAGE_ENGINE:
      return {ErrorCode::kUnsupported, false};
    default:
      return {};
  }
}

Result<bool> tls_of(const ServerUrl& url) {
  const auto bad = [](std::string why) { return Error{ErrorCode::kInvalidArgument, "url", std::move(why)}; };
  const auto tls = url.parameters.find("tls");
  const bool has_ca = url.parameters.contains("tls_ca");
  if (has_ca && url.parameters.at("tls_ca").empty()) return bad("tls_ca names no file");
  if (tls == url.parameters.end()) return has_ca || !is_loopback(url.host);
  if (tls->second == "on") return true;
  if (tls->second != "off") return bad("tls is on or off");
  if (has_ca) return bad("tls=off and tls_ca contradict each other");
  return false;
}

}  // namespace

Result<Server> server_of(const SystemConfig& config) {
  const std::vector<std::string> schemes{"mariadb", "mysql"};
  const std::vector<std::string> parameters{"tls", "tls_ca"};
  const auto url = parse_server_url(config.url, schemes, kPort, parameters);
  if (!url) return url.error();
  const auto bad = [](std::string why) { return Error{ErrorCode::kInvalidArgument, "url", std::move(why)}; };
  if (url->user.empty()) return bad("it names no user; write mariadb://user@host:port/");
  if (!url->path.empty()) return bad("it names a database; that is the option 'namespace'");
  const auto tls = tls_of(*url);
  if (!tls) return tls.error();
  Server server{
      .host = url->host, .port = url->port, .user = url->user, .password = config.password, .tls = *tls};
  server.tls_unasked = server.tls && !url->parameters.contains("tls") && !url->parameters.contains("tls_ca");
  if (const auto ca = url->parameters.find("tls_ca"); ca != url->parameters.end()) server.tls_ca = ca->second;
  return server;
}

Error error_of(unsigned number, std::string_view words, const char* operation) {
  const Meaning meaning = meaning_of(number);
  return {meaning.code, operation, fmt::format("{} (error {})", to_valid_utf8(words), number),
          meaning.retryable};
}

bool ends_connection(unsigned number) {
  switch (number) {
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_UNKNOWN_HOST:
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case CR_SERVER_LOST_EXTENDED:
    case CR_SERVER_HANDSHAKE_ERR:
    case CR_MALFORMED_PACKET:
    case CR_COMMANDS_OUT_OF_SYNC:
    case ER_CONNECTION_KILLED:
    case ER_SERVER_SHUTDOWN:
    case ER_NORMAL_SHUTDOWN:
    case ER_NET_READ_ERROR:
    case ER_NET_READ_INTERRUPTED:
    case ER_NET_ERROR_ON_WRITE:
    case ER_NET_WRITE_INTERRUPTED:
    case ER_NET_PACKETS_OUT_OF_ORDER:
      return true;
    default:
      return false;
  }
}

}  // namespace lab::mariadb
