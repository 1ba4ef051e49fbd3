// What is looked at before a run writes anything.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "core/files.hpp"
#include "core/text.hpp"
#include "drivers/clickhouse/parts.hpp"

namespace lab::clickhouse {
namespace {

constexpr const char* kOperation = "clickhouse.examine";
constexpr std::int64_t kStartSlackSeconds =
    3;  // Between a server's file `status` and the start of its clock.

Finding passed(std::string what, std::string detail, bool warning = false) {
  return {.what = std::move(what), .passed = true, .detail = std::move(detail), .warning = warning};
}

Finding failed(std::string what, const Error& error, const std::string& advice) {
  return {.what = std::move(what), .passed = false, .detail = error.text() + advice};
}

Finding look_at_rights(Reached& reached, const CallContext& call) {
  const Server& server = reached.home.server();
  const std::string& user = reached.connection.target().user;
  if (server.read_only)
    return {.what = "rights",
            .passed = false,
            .detail = fmt::format("user {} is read-only (setting readonly)", user)};
  if (server.version < Version{24, 12, 0})
    return passed("rights", fmt::format("user {} may write; single rights show at the first use", user));
  const auto granted = reached.connection.text(
      fmt::format(
          "CHECK GRANT CREATE DATABASE, CREATE TABLE, DROP, SELECT, INSERT, TRUNCATE, OPTIMIZE, ALTER "
          "DELETE ON {}.*",
          identifier(reached.home.database(0))),
      call, kOperation);
  if (!granted) return failed("rights", granted.error(), "");
  if (*granted == "1") return passed("rights", fmt::format("user {} has all that a run needs", user));
  return {.what = "rights",
          .passed = false,
          .detail = fmt::format("user {} lacks rights on {}; `deduplab setup PLAN --print` shows the grants",
                                user, reached.home.database(0))};
}

Finding look_at_namespace(Reached& reached, const SystemConfig& config, const CallContext& call) {
  const Home& home = reached.home;
  std::vector<std::string> found;
  for (std::uint32_t container = 0; container < home.containers(); ++container) {
    const std::string name = home.database(container);
    const auto owner = home.owner_of(reached.connection, call, name);
    if (!owner) return failed("namespace", owner.error(), "");
    const bool fit =
        *owner == Owner::kOurs || *owner == (home.names().create ? Owner::kNobody : Owner::kEmpty);
    if (!fit)
      return {
          .what = "namespace",
          .passed = false,
          .detail =
              *owner == Owner::kNobody
                  ? fmt::format("database {} does not exist, and namespace_mode is 'existing'", name)
                  : fmt::format("database {} exists without our marker: choose another 'namespace'", name)};
    found.push_back(fmt::format("{} is {}", name,
                                *owner == Owner::kOurs     ? "ours"
                                : *owner == Owner::kNobody ? "free"
                                                           : "empty and will be used"));
    if (container > 0 || *owner != Owner::kOurs) continue;
    if (const Status lock = home.check_lock(reached.connection, call, config.run_id, kOperation); !lock)
      return failed("namespace", lock.error(), "; wait for that run to end");
  }
  return passed("namespace", "database " + join(found, ", "));
}

void look_at_settings(Reached& reached, const CallContext& call, std::vector<Finding>& findings) {
  const Server& server = reached.home.server();
  if (!server.has_table_setting("fsync_after_insert"))
    findings.push_back(
        passed("durability",
               fmt::format("ClickHouse {} does not fsync new parts: an acknowledged insert is in "
                           "the page cache, and a power failure may take it",
                           server.version_text),
               true));
  if (const Status fit = check_supported(reached.home.setup(), server); !fit)
    findings.push_back(passed("variant", "unsupported: " + fit.error().detail, true));
  const auto logs = reached.connection.rows(
      "SELECT name FROM system.tables WHERE database = 'system' AND name LIKE '%\\_log' ORDER BY name", call,
      kOperation);
  if (!logs) return findings.push_back(failed("settings", logs.error(), ""));
  if (logs->empty()) return;
  findings.push_back(passed(
      "settings",
      fmt::format("the server keeps {} log tables ({} ...), which write in the background: they are not "
                  "counted in files, but they are in the file system's use",
                  logs->size(), (*logs)[0][0]),
      true));
}

Status differs(const std::filesystem::path& directory, const std::string& why) {
  return Error{ErrorCode::kRefused, "clickhouse.directory",
               fmt::format("{} is not this server's: {}", directory.string(), why)};
}

/// "Started at: 2026-01-31 12:00:00", in the server's own time zone.
std::string start_in(std::string_view status) {
  constexpr std::string_view kMark = "Started at: ";
  const std::size_t at = status.find(kMark);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = status.substr(at + kMark.size());
  return std::string(trim(rest.substr(0, rest.find('\n'))));
}

}  // namespace

Status check_directory(Connection& connection, const CallContext& call, const Server& server,
                       const std::filesystem::path& directory) {
  if (server.data_path.empty())
    return differs(directory, "the server does not tell where its files are, so it cannot be checked");
  if (!server.uuid.empty()) {
    const auto uuid = read_file(directory / "uuid", 1_MiB);
    if (!uuid) return differs(directory, uuid.error().text());
    if (trim(*uuid) == server.uuid) return ok();
    return differs(directory,
                   fmt::format("its file `uuid` says {}, the server is {}", trim(*uuid), server.uuid));
  }
  const auto status = read_file(directory / "status", 1_MiB);
  if (!status) return differs(directory, status.error().text());
  const std::string started = start_in(*status);
  if (started.empty()) return differs(directory, "its file `status` tells no start");
  const auto apart = connection.text(
      fmt::format(
          "SELECT abs(toInt64(toUInt32(toDateTime({}))) - (toInt64(toUInt32(now())) - toInt64(uptime())))",
          literal(started)),
      call, "clickhouse.directory");
  if (!apart) return apart.error();
  if (std::strtoll(apart->c_str(), nullptr, 10) <= kStartSlackSeconds) return ok();
  return differs(directory, fmt::format("its file `status` says a start at {}, the server's is {} s away",
                                        started, *apart));
}

std::vector<Finding> examine(const SystemConfig& config, const CallContext& call) {
  std::vector<Finding> findings;
  auto reached = reach(config, call);
  if (!reached) return {not_connected(reached.error())};
  const Server& server = reached->home.server();
  findings.push_back(
      passed("connection", fmt::format("ClickHouse {} on {}, running since {} UTC", server.version_text,
                                       server.host, reached->connection.lifetime().started_at())));
  findings.push_back(look_at_rights(*reached, call));
  findings.push_back(look_at_namespace(*reached, config, call));
  look_at_settings(*reached, call, findings);
  if (config.directory.empty()) {
    findings.push_back(passed("files", "no directory is given: there are no figures of files", true));
    return findings;
  }
  const Status there = check_directory(reached->connection, call, server, config.directory);
  findings.push_back(there ? passed("files", config.directory.string() + " is this server's")
                           : failed("files", there.error(), ""));
  return findings;
}

}  // namespace lab::clickhouse
