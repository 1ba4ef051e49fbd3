// SPDX-License-Identifier: Apache-2.0
#include "drivers/postgres/observer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace lab::postgres {
namespace {

using pgwire::Connection;
using pgwire::identifier;

constexpr int kVersionWalStatistics = 140000;  // pg_stat_wal.
constexpr int kVersionCheckpointer = 170000;   // pg_stat_checkpointer takes over from pg_stat_bgwriter.

// Replicas that hold the data, not tools that only receive the log, nor logical subscribers.
constexpr const char* kReplicas =
    "(SELECT count(*) FROM pg_catalog.pg_stat_replication r WHERE r.application_name NOT IN "
    "('pg_basebackup', 'pg_receivewal') AND NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots s "
    "WHERE s.active_pid = r.pid AND s.slot_type = 'logical'))";

// Our tables; $1 is the array of schemas.
constexpr const char* kOurTables =
    "SELECT c.oid, c.reltoastrelid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
    "ON n.oid = c.relnamespace WHERE n.nspname = ANY ($1::text[]) AND c.relname = 'files' AND c.relkind = "
    "'r'";

}  // namespace

Result<ServerMarks> read_marks(Connection& connection, const CallContext& call, const char* operation) {
  const auto rows =
      connection.query(call, operation,
                       "SELECT system_identifier, current_setting('server_version_num')::int / 10000, "
                       "current_setting('port') FROM pg_control_system()");
  if (!rows) return rows.error();
  return ServerMarks{.system_identifier = std::string(rows->text(0, 0)),
                     .major_version = static_cast<int>(rows->number(0, 1)),
                     .port = static_cast<int>(rows->number(0, 2))};
}

PostgresObserver::PostgresObserver(std::unique_ptr<Connection> connection, const pgwire::LabNamespace& place,
                                   std::filesystem::path directory)
    : connection_(std::move(connection)), directory_(std::move(directory)) {
  for (std::uint32_t number = 0; number < place.containers(); ++number)
    schemas_ += (number == 0 ? "{" : ",") + identifier(place.container(number));
  schemas_ += "}";
}

Result<std::unique_ptr<Observer>> PostgresObserver::open(const pgwire::Address& address,
                                                         const pgwire::LabNamespace& place,
                                                         std::filesystem::path directory,
                                                         const CallContext& call) {
  constexpr const char* kOperation = "postgresql.open_observer";
  LAB_TRY(allowed(call, kOperation));
  auto connection = Connection::open(address, call, kOperation);
  if (!connection) return std::move(connection).error();
  std::unique_ptr<PostgresObserver> observer(
      new PostgresObserver(std::move(*connection), place, std::move(directory)));
  LAB_TRY(observer->connection_->execute(call, kOperation, "SET search_path = pg_catalog"));
  const auto log = observer->connection_->query(
      call, kOperation, "SELECT has_function_privilege('pg_catalog.pg_ls_waldir()', 'EXECUTE')::int");
  if (!log) return log.error();
  observer->log_readable_ = log->number(0, 0) == 1;
  LAB_TRY(observer->find_statement_statistics(call));
  return std::unique_ptr<Observer>(std::move(observer));
}

/// The extension may be there without its library being loaded, or too old: then it keeps nothing for us.
Status PostgresObserver::find_statement_statistics(const CallContext& call) {
  constexpr const char* kOperation = "postgresql.open_observer";
  const auto found =
      connection_->query(call, kOperation,
                         "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
                         "WHERE e.extname = 'pg_stat_statements'");
  if (!found) return found.error();
  if (found->count() == 0) return ok();
  const std::string name = identifier(found->text(0, 0)) + ".pg_stat_statements";
  const auto tried = connection_->query(call, kOperation, "SELECT sum(total_exec_time) FROM " + name);
  if (tried) statement_statistics_ = name;
  if (!tried && connection_->lost()) return tried.error();
  return allowed(call, kOperation);
}

pgwire::Parameters PostgresObserver::schemas() const {
  pgwire::Parameters parameters;
  parameters.text(schemas_);
  return parameters;
}

/// After a crash the postmaster stays and starts its helpers anew: the checkpointer tells of that.
Result<ServerIdentity> PostgresObserver::identity(const CallContext& call) {
  constexpr const char* kOperation = "postgresql.identity";
  LAB_TRY(allowed(call, kOperation));
  const auto rows = connection_->query(
      call, kOperation,
      "SELECT current_setting('server_version'), (SELECT system_identifier FROM pg_control_system()), "
      "to_char(greatest(pg_postmaster_start_time(), (SELECT max(backend_start) FROM pg_stat_activity WHERE "
      "backend_type = 'checkpointer')) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')");
  if (!rows) return rows.error();
  return ServerIdentity{.name = "PostgreSQL",
                        .version = std::string(rows->text(0, 0)),
                        .identity = std::string(rows->text(0, 1)),
                        .started_at = std::string(rows->text(0, 2))};
}

Result<std::map<std::string, std::string>> PostgresObserver::settings(const CallContext& call) {
  constexpr const char* kOperation = "postgresql.settings";
  LAB_TRY(allowed(call, kOperation));
  // Of source 'override' only what initdb or the build decided; of this session not how we connect.
  const auto rows = connection_->query(
      call, kOperation,
      "SELECT name, setting || coalesce(' ' || unit, '') FROM pg_settings WHERE "
      "(source NOT IN ('default', 'override') AND "
      "name NOT IN ('application_name', 'client_encoding', 'search_path')) OR "
      "(name IN ('data_checksums', 'wal_segment_size', 'block_size', 'wal_block_size') AND "
      "setting IS DISTINCT FROM boot_val)");
  if (!rows) return rows.error();
  std::map<std::string, std::string> differing;
  for (int row = 0; row < rows->count(); ++row)
    differing[std::string(rows->text(row, 0))] = std::string(rows->text(row, 1));
  LAB_TRY(settings_of_tables(call, kOperation, differing));
  return differing;
}

/// The lab's own choices, as the catalog holds them.
Status PostgresObserver::settings_of_tables(const CallContext& call, const char* operation,
                                            std::map<std::string, std::string>& differing) {
  const bool compression = connection_->version() >= kVersionCompressionClause;
  const auto rows = connection_->query(
      call, operation,
      fmt::format(
          "SELECT DISTINCT coalesce(array_to_string(c.reloptions, ', '), ''), a.attstorage::text, {}, "
          "a.attname FROM ({}) t JOIN pg_class c ON c.oid = t.oid JOIN pg_attribute a ON a.attrelid = "
          "c.oid AND a.attname IN ('id', 'payload', 'document', 'content') ORDER BY 1, 2, 3, 4",
          compression ? "a.attcompression::text" : "''", kOurTables),
      schemas());
  if (!rows) return rows.error();
  for (int row = 0; row < rows->count(); ++row) {
    if (!rows->text(row, 0).empty()) differing["table files"] = std::string(rows->text(row, 0));
    if (rows->text(row, 1) == "p") continue;  // The id: it is never out of line.
    const std::string column = "column " + std::string(rows->text(row, 3));
    differing[column + " storage"] = rows->text(row, 1) == "e" ? "EXTERNAL" : "EXTENDED";
    if (compression) differing[column + " compression"] = rows->text(row, 2) == "l" ? "lz4" : "pglz";
  }
  return settings_of_indexes(call, operation, differing);
}

Status PostgresObserver::settings_of_indexes(const CallContext& call, const char* operation,
                                             std::map<std::string, std::string>& differing) {
  const auto rows = connection_->query(
      call, operation,
      fmt::format("SELECT DISTINCT array_to_string(i.reloptions, ', ') FROM ({}) t JOIN pg_index x ON "
                  "x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid WHERE i.reloptions IS NOT NULL "
                  "ORDER BY 1",
                  kOurTables),
      schemas());
  if (!rows) return rows.error();
  for (int row = 0; row < rows->count(); ++row)
    differing["indexes of files"] = std::string(rows->text(row, 0));
  return ok();
}

Result<std::map<std::string, double>> PostgresObserver::busy(const CallContext& call) {
  constexpr const char* kOperation = "postgresql.busy";
  LAB_TRY(allowed(call, kOperation));
  constexpr std::array<const char*, 7> kNames{"vacuum",      "analyze",    "rewrite",   "index_build",
                                              "base_backup", "autovacuum", "checkpoint"};
  const auto rows =
      connection_->query(call, kOperation,
                         "SELECT (SELECT count(*) FROM pg_stat_progress_vacuum), (SELECT count(*) FROM "
                         "pg_stat_progress_analyze), "
                         "(SELECT count(*) FROM pg_stat_progress_cluster), (SELECT count(*) FROM "
                         "pg_stat_progress_create_index), "
                         "(SELECT count(*) FROM pg_stat_progress_basebackup), "
                         "(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'), "
                         "(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'checkpointer' AND "
                         "wait_event = 'CheckpointWriteDelay')");
  if (!rows) return rows.error();
  std::map<std::string, double> work;
  for (std::size_t column = 0; column < kNames.size(); ++column)
    work[kNames[column]] = rows->real(0, static_cast<int>(column));
  return work;
}

Result<std::vector<Counter>> PostgresObserver::activity(const CallContext& call) {
  constexpr const char* kOperation = "postgresql.activity";
  LAB_TRY(allowed(call, kOperation));
  struct Column {
    const char* name;
    const char* unit;
    const char* sql;
  };
  std::vector<Column> columns{{"transactions_committed", "1", "d.xact_commit"},
                              {"blocks_read", "pages", "d.blks_read"},
                              {"blocks_hit", "pages", "d.blks_hit"},
                              {"rows_inserted", "1", "d.tup_inserted"},
                              {"rows_updated", "1", "d.tup_updated"},
                              {"rows_deleted", "1", "d.tup_deleted"},
                              {"temporary_bytes", "bytes", "d.temp_bytes"},
                              {"wal_position", "bytes", "pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"}};
  std::string from = "pg_stat_database d";
  if (connection_->version() >= kVersionCheckpointer) {
    columns.push_back({"checkpoints", "1", "k.num_timed + k.num_requested"});
    columns.push_back({"checkpoint_buffers", "pages", "k.buffers_written"});
    from += ", pg_stat_checkpointer k";
  } else {
    columns.push_back({"checkpoints", "1", "b.checkpoints_timed + b.checkpoints_req"});
    columns.push_back({"checkpoint_buffers", "pages", "b.buffers_checkpoint"});
    from += ", pg_stat_bgwriter b";
  }
  if (connection_->version() >= kVersionWalStatistics) {
    columns.push_back({"wal_records", "1", "w.wal_records"});
    columns.push_back({"wal_full_page_images", "1", "w.wal_fpi"});
    columns.push_back({"wal_bytes", "bytes", "w.wal_bytes"});
    from += ", pg_stat_wal w";
  }
  std::vector<std::string> wanted;
  for (const Column& column : columns) wanted.emplace_back(column.sql);
  const auto rows = connection_->query(
      call, kOperation,
      fmt::format("SELECT {} FROM {} WHERE d.datname = current_database()", join(wanted, ", "), from));
  if (!rows) return rows.error();
  std::vector<Counter> counters;
  for (std::size_t at = 0; at < columns.size(); ++at)
    counters.push_back({columns[at].name, rows->real(0, static_cast<int>(at)), columns[at].unit});
  return counters;
}

Result<Footprint> PostgresObserver::footprint(const CallContext& call) {
  constexpr const char* kOperation = "postgresql.footprint";
  LAB_TRY(allowed(call, kOperation));
  const auto rows = connection_->query(
      call, kOperation,
      fmt::format(
          "SELECT coalesce(sum(pg_table_size(t.oid)), 0), coalesce(sum(pg_indexes_size(t.oid)), 0), {}, {} "
          "FROM ({}) t",
          log_readable_ ? "(SELECT coalesce(sum(size), 0) FROM pg_ls_waldir())" : "0", kReplicas, kOurTables),
      schemas());
  if (!rows) return rows.error();
  Footprint figure{.parts = {{"payload", Bytes{rows->number(0, 0)}}, {"index", Bytes{rows->number(0, 1)}}}};
  if (log_readable_) figure.parts["log"] = Bytes{rows->number(0, 2)};
  for (const auto& [part, bytes] : figure.parts) figure.total += bytes;
  if (rows->number(0, 3) > 0) figure.scope = CopyScope::kOneCopy;
  return figure;
}

Result<std::vector<std::filesystem::path>> PostgresObserver::directories(const CallContext& call) {
  constexpr const char* kOperation = "postgresql.directories";
  LAB_TRY(allowed(call, kOperation));
  if (directory_.empty()) return std::vector<std::filesystem::path>{};
  if (!directory_checked_) {
    const auto marks = read_marks(*connection_, call, kOperation);
    if (!marks) return marks.error();
    LAB_TRY(check_data_directory(directory_, *marks));
    directory_checked_ = true;
  }
  const auto rows = connection_->query(
      call, kOperation,
      fmt::format("WITH t AS ({}) SELECT 0, pg_relation_filepath(oid) FROM t "
                  "UNION ALL SELECT 0, pg_relation_filepath(reltoastrelid) FROM t WHERE reltoastrelid <> 0 "
                  "UNION ALL SELECT 0, pg_relation_filepath(i.indexrelid) FROM t JOIN pg_index i "
                  "ON i.indrelid = t.reltoastrelid "
                  "UNION ALL SELECT 1, pg_relation_filepath(i.indexrelid) FROM t JOIN pg_index i "
                  "ON i.indrelid = t.oid UNION ALL SELECT 2, {}::text "
                  "UNION ALL SELECT 3, oid::text FROM pg_database WHERE datname = current_database()",
                  kOurTables, kReplicas),
      schemas());
  if (!rows) return rows.error();
  ours_ = {};
  for (int row = 0; row < rows->count(); ++row) {
    if (rows->number(row, 0) == 2 && rows->number(row, 1) > 0)
      return Error{
          ErrorCode::kUnsupported, kOperation,
          fmt::format("{} replica(s) hold copies elsewhere: the files here are of one copy, so a figure of "
                      "all cannot be had; require probes = [\"engine\"]",
                      rows->number(row, 1))};
    if (rows->number(row, 0) == 2 || rows->null(row, 1)) continue;
    if (rows->number(row, 0) == 3)
      ours_.database = rows->text(row, 1);
    else
      ours_.relations[relation_key(std::string(rows->text(row, 1)))] =
          rows->number(row, 0) == 0 ? FilePart::kPayload : FilePart::kIndex;
  }
  return roots_of(directory_);
}

std::optional<FilePart> PostgresObserver::part_of(const std::filesystem::path& relative) const {
  return part_of_file(relative, ours_);
}

Result<double> PostgresObserver::copies(const CallContext& call) {
  constexpr const char* kOperation = "postgresql.copies";
  LAB_TRY(allowed(call, kOperation));
  const auto rows = connection_->query(call, kOperation, fmt::format("SELECT 1 + {}", kReplicas));
  if (!rows) return rows.error();
  return rows->real(0, 0);
}

Result<std::map<std::string, double>> PostgresObserver::statement_seconds(const CallContext& call) {
  constexpr const char* kOperation = "postgresql.statement_seconds";
  LAB_TRY(allowed(call, kOperation));
  std::map<std::string, double> seconds;
  if (statement_statistics_.empty()) return seconds;
  const auto rows = connection_->query(
      call, kOperation,
      fmt::format(
          "SELECT upper(substring(query from '^\\s*([A-Za-z]+)')), sum(total_exec_time) / 1000 FROM {} "
          "WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY 1",
          statement_statistics_));
  if (!rows) return rows.error();
  constexpr std::array<std::string_view, 8> kClasses{"COPY", "INSERT", "DELETE",     "TRUNCATE",
                                                     "DROP", "VACUUM", "CHECKPOINT", "SELECT"};
  for (int row = 0; row < rows->count(); ++row) {
    const std::string_view word = rows->text(row, 0);
    const bool known = std::find(kClasses.begin(), kClasses.end(), word) != kClasses.end();
    seconds[known ? std::string(word) : "OTHER"] += rows->real(row, 1);
  }
  return seconds;
}

}  // namespace lab::postgres
