// SPDX-License-Identifier: Apache-2.0
#include "drivers/postgres/examine.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "drivers/postgres/observer.hpp"
#include "drivers/postgres/postgres.hpp"

namespace lab::postgres {
namespace {

using pgwire::Connection;

constexpr const char* kOperation = "postgresql.examine";

Finding passed(std::string what, std::string detail) { return {std::move(what), true, std::move(detail)}; }
Finding failed(std::string what, std::string detail) { return {std::move(what), false, std::move(detail)}; }
Finding warned(std::string what, std::string detail) {
  return {std::move(what), true, std::move(detail), true};
}

/// One look at a connected server.
class Examination {
 public:
  Examination(Connection& connection, const SystemConfig& config, const Setup& setup, const CallContext& call)
      : connection_(connection), config_(config), setup_(setup), call_(call) {}

  std::vector<Finding> run(const pgwire::LabNamespace& place) {
    check("version", server());
    if (!findings_.back().passed) return std::move(findings_);
    check("namespace", place.owner(connection_, call_, kOperation, config_.run_id));
    check("rights", rights(place));
    check("settings", settings());
    check("neighbours", neighbours());
    check("files", files());
    return std::move(findings_);
  }

 private:
  void check(const char* what, const Result<std::string>& result) {
    if (!result)
      findings_.push_back(failed(what, result.error().text()));
    else if (!result->empty())
      findings_.push_back(passed(what, *result));
  }

  Result<std::string> server() {
    LAB_TRY(check_server(connection_, setup_, call_, kOperation));
    const auto marks = read_marks(connection_, call_, kOperation);
    if (!marks) return marks.error();
    const auto version = connection_.query(call_, kOperation, "SELECT current_setting('server_version')");
    if (!version) return version.error();
    return fmt::format("PostgreSQL {}, system identifier {}", version->text(0, 0), marks->system_identifier);
  }

  Result<std::string> rights(const pgwire::LabNamespace& place) {
    pgwire::Parameters schema;
    const std::string container = place.container(0);
    schema.text(container);
    const auto rows = connection_.query(
        call_, kOperation,
        "SELECT has_database_privilege(current_database(), 'CREATE')::int, "
        "(SELECT rolsuper::int FROM pg_roles WHERE rolname = current_user), "
        "coalesce((SELECT pg_has_role(oid, 'USAGE')::int FROM pg_roles WHERE rolname = 'pg_checkpoint'), 0), "
        "has_function_privilege('pg_catalog.pg_ls_waldir()', 'EXECUTE')::int, "
        "has_function_privilege('pg_catalog.pg_switch_wal()', 'EXECUTE')::int, "
        "has_database_privilege(current_database(), 'TEMPORARY')::int, current_user, "
        "coalesce((SELECT has_schema_privilege(oid, 'CREATE, USAGE')::int FROM pg_namespace WHERE nspname = "
        "$1), 0)",
        schema);
    if (!rows) return rows.error();
    const auto may = [&](int column) { return rows->number(0, column) == 1; };
    const std::string user(rows->text(0, 6));
    std::string lacks;
    const auto need = [&](bool has, const std::string& what) {
      if (!has) lacks += (lacks.empty() ? "" : "; ") + what;
    };
    need(may(0) || !place.place().create, "CREATE on the database (its schemas are made by us)");
    need(may(7) || place.place().create, "CREATE and USAGE on the schema " + container);
    need(may(1) || may(2), "CHECKPOINT (GRANT pg_checkpoint, or a superuser before PostgreSQL 15)");
    need(may(5), "TEMPORARY on the database");
    if (!lacks.empty())
      return Error{ErrorCode::kRefused, kOperation,
                   fmt::format("{} lacks: {}; see `deduplab setup`", user, lacks)};
    if (!may(3))
      findings_.push_back(warned("log", user +
                                            " may not list the log's files (GRANT pg_monitor): the engine's "
                                            "figure is without its log part"));
    if (!may(4))
      findings_.push_back(
          warned("log switch", user + " may not run pg_switch_wal(): what is left of the log after "
                                      "a checkpoint depends on how full its last file was"));
    return user + " may make schemas and CHECKPOINT";
  }

  Result<std::string> settings() {
    const auto rows =
        connection_.query(call_, kOperation,
                          "SELECT current_setting('autovacuum'), current_setting('fsync'), "
                          "current_setting('synchronous_commit'), "
                          "current_setting('wal_recycle'), current_setting('full_page_writes'), "
                          "current_setting('min_wal_size')");
    if (!rows) return rows.error();
    const auto is = [&](int column, std::string_view value) { return rows->text(0, column) == value; };
    if (is(0, "on"))
      findings_.push_back(
          warned("autovacuum", "is on: catalogs and other tables may be vacuumed during a stage"));
    if (is(1, "off")) findings_.push_back(warned("fsync", "is off: an acknowledged object may be lost"));
    if (is(2, "off"))
      findings_.push_back(
          warned("synchronous_commit", "is off: an acknowledged object may be lost in a crash"));
    if (is(3, "on"))
      findings_.push_back(
          warned("wal_recycle",
                 fmt::format("is on: log files are kept for use again (min_wal_size {}), and the figure of "
                             "all files holds them; off, with min_wal_size=32MB, shows the data alone",
                             rows->text(0, 5))));
    if (is(4, "off"))
      findings_.push_back(warned("full_page_writes", "is off: the log is smaller than usual"));
    return std::string();
  }

  /// What keeps deleted rows or the log from going away.
  Result<std::string> neighbours() {
    const auto rows = connection_.query(
        call_, kOperation,
        "SELECT (SELECT count(*) FROM pg_prepared_xacts), (SELECT count(*) FROM pg_replication_slots), "
        "(SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client "
        "backend' "
        "AND state <> 'idle'), (SELECT count(*) FROM pg_stat_replication)");
    if (!rows) return rows.error();
    const auto note = [&](int column, const char* what, const char* why) {
      if (rows->number(0, column) > 0)
        findings_.push_back(warned(what, fmt::format("{}: {}", rows->number(0, column), why)));
    };
    note(0, "prepared transactions", "VACUUM frees nothing that they may still see");
    note(1, "replication slots", "the log is kept until they have it");
    note(2, "other sessions",
         "what they write counts in the figure of all files, and what they may see stays");
    note(3, "replicas",
         "objects are counted as that many copies more, and files of one copy are no figure of all");
    return std::string();
  }

  Result<std::string> files() {
    if (config_.directory.empty()) {
      findings_.push_back(warned("files",
                                 "no directory is given, so there are no file sizes: require "
                                 "probes = [\"engine\"] alone"));
      return std::string();
    }
    const auto marks = read_marks(connection_, call_, kOperation);
    if (!marks) return marks.error();
    LAB_TRY(check_data_directory(config_.directory, *marks));
    const auto roots = roots_of(config_.directory);
    if (!roots) return roots.error();
    return config_.directory.string() + " is this server's";
  }

  Connection& connection_;
  const SystemConfig& config_;
  const Setup& setup_;
  const CallContext& call_;
  std::vector<Finding> findings_{};
};

}  // namespace

Status check_server(Connection& connection, const Setup& setup, const CallContext& call,
                    const char* operation) {
  if (connection.version() < kVersionMin)
    return Error{ErrorCode::kUnsupported, operation,
                 fmt::format("the server is version {}, PostgreSQL 13 or later is needed",
                             connection.version() / 10000)};
  // Others speak the protocol too and call themselves some version of PostgreSQL.
  const auto words = connection.query(call, operation, "SELECT version()");
  if (!words) return words.error();
  if (!words->text(0, 0).starts_with("PostgreSQL "))
    return Error{ErrorCode::kRefused, operation,
                 "the server is not PostgreSQL: " + to_valid_utf8(words->text(0, 0))};
  const auto rows = connection.query(
      call, operation,
      "SELECT pg_is_in_recovery()::int, coalesce((SELECT ('lz4' = ANY (enumvals))::int FROM pg_settings "
      "WHERE name = 'default_toast_compression'), 0)");
  if (!rows) return rows.error();
  if (rows->number(0, 0) == 1)
    return Error{ErrorCode::kRefused, operation, "the server is a standby: it takes no writes"};
  if (setup.lz4 && rows->number(0, 1) == 0)
    return Error{ErrorCode::kUnsupported, operation,
                 fmt::format("variant {} needs PostgreSQL 14 built with LZ4; this is version {}{}",
                             setup.variant, connection.version() / 10000,
                             connection.version() < kVersionCompressionClause ? "" : ", built without it")};
  return ok();
}

std::vector<Finding> examine(const SystemConfig& config, const CallContext& call) {
  const auto target = make_target(config);
  if (!target) return {failed("configuration", target.error().text())};
  const auto connection = Connection::open(target->address, call, kOperation);
  if (!connection) return {not_connected(connection.error())};
  const PostgresDialect dialect(target->setup, (*connection)->version());
  Examination examination(**connection, config, target->setup, call);
  std::vector<Finding> findings{passed("connection", "reached " + target->address.text())};
  for (Finding& finding : examination.run({dialect, target->place, config.containers}))
    findings.push_back(std::move(finding));
  return findings;
}

}  // namespace lab::postgres
