// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/server.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/text.hpp"
#include "drivers/clickhouse/connection.hpp"

namespace lab::clickhouse {
namespace {

constexpr const char* kOperation = "clickhouse.server";

Result<std::set<std::string>> names(Connection& connection, const CallContext& call, const std::string& sql) {
  const auto rows = connection.rows(sql, call, kOperation);
  if (!rows) return rows.error();
  std::set<std::string> all;
  for (const auto& row : *rows) all.insert(row[0]);
  return all;
}

/// The folder with `data/`, `metadata/` and, on new servers, `store/` and `uuid`.
Result<std::string> data_path_of(Connection& connection, const CallContext& call, const Server& server) {
  if (server.has_table("disks")) {
    auto path = connection.text("SELECT path FROM system.disks WHERE name = 'default'", call, kOperation);
    if (path || path.error().code != ErrorCode::kRefused) return path;
    return std::string();  // The user may not see it: then nothing can be said about files.
  }
  const auto path =
      connection.text("SELECT data_path FROM system.databases WHERE name = 'system'", call, kOperation);
  if (!path) return path.error();
  const std::string inside = "data/system/";
  if (!path->ends_with(inside)) return std::string();
  return path->substr(0, path->size() - inside.size());
}

}  // namespace

Result<Version> parse_version(std::string_view text) {
  Version version;
  int* const numbers[] = {&version.major, &version.minor, &version.patch};
  std::string_view left = trim(text);
  for (std::size_t index = 0; index < std::size(numbers); ++index) {
    const auto read = std::from_chars(left.data(), left.data() + left.size(), *numbers[index]);
    if (read.ec != std::errc{})
      return Error{ErrorCode::kUnsupported, kOperation,
                   fmt::format("'{}' is no version of ClickHouse", to_valid_utf8(text))};
    left.remove_prefix(static_cast<std::size_t>(read.ptr - left.data()));
    if (index + 1 < std::size(numbers) && !left.empty()) left.remove_prefix(1);
  }
  return version;
}

Result<Server> read_server(Connection& connection, const CallContext& call) {
  Server server;
  const auto about = connection.rows("SELECT version(), hostName()", call, kOperation);
  if (!about) return about.error();
  if (about->size() != 1 || (*about)[0].size() != 2)
    return Error{ErrorCode::kUnsupported, kOperation, "this is no ClickHouse: it does not tell its version"};
  server.version_text = (*about)[0][0];
  server.host = (*about)[0][1];
  const auto version = parse_version(server.version_text);
  if (!version) return version.error();
  server.version = *version;
  if (server.version < kOldest)
    return Error{ErrorCode::kUnsupported, kOperation,
                 fmt::format("ClickHouse {} is too old: {}.{} or later is needed", server.version_text,
                             kOldest.major, kOldest.minor)};
  struct Wanted {
    std::set<std::string>& set;
    const char* sql;
  };
  const Wanted all[] = {
      {server.settings, "SELECT name FROM system.settings"},
      {server.table_settings, "SELECT name FROM system.merge_tree_settings"},
      {server.part_columns, "SELECT name FROM system.columns WHERE database = 'system' AND table = 'parts'"},
      {server.system_tables, "SELECT name FROM system.tables WHERE database = 'system'"}};
  for (const Wanted& wanted : all) {
    auto read = names(connection, call, wanted.sql);
    if (!read) return std::move(read).error();
    wanted.set = std::move(*read);
  }
  const auto read_only =
      connection.text("SELECT value FROM system.settings WHERE name = 'readonly'", call, kOperation);
  if (!read_only) return read_only.error();
  server.read_only = *read_only != "0";
  if (server.version >= Version{22, 1, 0}) {
    auto uuid = connection.text("SELECT toString(serverUUID())", call, kOperation);
    if (!uuid) return std::move(uuid).error();
    server.uuid = std::move(*uuid);
  }
  auto path = data_path_of(connection, call, server);
  if (!path) return std::move(path).error();
  server.data_path = std::move(*path);
  if (!server.data_path.empty() && !server.data_path.ends_with('/')) server.data_path += '/';
  return server;
}

}  // namespace lab::clickhouse
