// SPDX-License-Identifier: Apache-2.0
#include "drivers/postgres/driver.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "driver/waiting.hpp"

namespace lab::postgres {
namespace {

using pgwire::Connection;
using pgwire::literal;

constexpr Millis kStatisticsLimit{5'000};  // Before version 15 a vacuum's count comes by way of a collector.
constexpr Millis kStatisticsPoll{20};
constexpr const char* kStaging = "pg_temp.deduplab_staging";

std::string words_of(const Commit& commit) {
  if (!commit.fsync) return "COMMIT; fsync is off on this server, so it does not survive a power loss";
  if (commit.synchronous == "off")
    return "COMMIT; synchronous_commit is off on this server, so the last ones may be lost in a crash";
  return fmt::format("COMMIT, its write-ahead log flushed to disk (synchronous_commit={})",
                     commit.synchronous);
}

DriverInfo info_of(const Setup& setup, const Commit& commit) {
  DriverInfo info{
      .system = "postgresql",
      .variant = setup.variant,
      .bulk_path = "COPY ... FROM STDIN (FORMAT binary) into the table, one transaction",
      .durability = words_of(commit),
      .capabilities = {Capability::kBatch, Capability::kStream, Capability::kGet, Capability::kEraseEach,
                       Capability::kDeleteLogical, Capability::kDeleteTruncate, Capability::kDeleteDrop,
                       Capability::kMaintenance, Capability::kReplace},
      .second_put = SecondPut::kReplace,
      .background_work = true,
      .object_size_max = 500'000'000};  // A message of the protocol and a value end below 1 GiB.
  if (setup.one_per_content) {
    info.bulk_path =
        "COPY ... (FORMAT binary) into a temporary table, INSERT ... SELECT ... ON CONFLICT DO NOTHING, one "
        "transaction a batch";
    info.capabilities.erase(Capability::kReplace);
    info.capabilities.erase(Capability::kStream);  // It goes by way of another table.
    info.second_put = SecondPut::kRefuse;
    info.keeps = Keeps::kOnePerKeyAtIngestion;
  }
  info.maintenance_shrinks = setup.vacuum_full;
  return info;
}

/// What an INSERT does with an id, or a content, that is there.
std::string on_conflict(const Setup& setup, const pgwire::RowShape& shape) {
  if (setup.one_per_content) return " ON CONFLICT (sha256) DO NOTHING";
  return " ON CONFLICT (id) DO UPDATE SET " + shape.replacement();
}

}  // namespace

PostgresDriver::PostgresDriver(std::unique_ptr<Connection> connection, pgwire::LabNamespace place,
                               std::string run_id, const Setup& setup, const Commit& commit)
    : TableDriver(std::move(connection), std::move(place), std::move(run_id), info_of(setup, commit),
                  setup.schema),
      setup_(setup) {}

Result<std::unique_ptr<Driver>> PostgresDriver::open(const pgwire::Address& address,
                                                     pgwire::LabNamespace place, const std::string& run_id,
                                                     const Setup& setup, const CallContext& call) {
  constexpr const char* kOperation = "postgresql.open_driver";
  LAB_TRY(allowed(call, kOperation));
  auto connection = Connection::open(address, call, kOperation);
  if (!connection) return std::move(connection).error();
  LAB_TRY((*connection)
              ->execute(call, kOperation,
                        "SET statement_timeout = 0; SET lock_timeout = 0; "
                        "SET idle_in_transaction_session_timeout = 0; SET search_path = pg_catalog"));
  const auto commit =
      (*connection)
          ->query(call, kOperation, "SELECT current_setting('fsync'), current_setting('synchronous_commit')");
  if (!commit) return commit.error();
  return std::unique_ptr<Driver>(new PostgresDriver(
      std::move(*connection), std::move(place), run_id, setup,
      {.fsync = commit->text(0, 0) == "on", .synchronous = std::string(commit->text(0, 1))}));
}

std::string PostgresDriver::insert_sql(const std::string& table) const {
  return fmt::format("INSERT INTO {} ({}) VALUES ({}){}", table, shape().columns(), shape().placeholders(),
                     on_conflict(setup_, shape()));
}

Status PostgresDriver::load(const CallContext& call, const char* operation, std::uint32_t container,
                            std::span<const Object* const> objects, bool again) {
  const std::string table = place().table(container);
  if (!again && !setup_.one_per_content) return copy(call, operation, table, source_of(objects), false);
  LAB_TRY(connection().execute(
      call, operation,
      // Kept for the next batch: each new table would make the catalogs grow.
      fmt::format("CREATE TEMPORARY TABLE IF NOT EXISTS deduplab_staging ({}, ordinal bigint) ON COMMIT "
                  "DELETE ROWS; {}DELETE FROM {}",
                  shape().definitions(),
                  setup_.schema != nullptr
                      ? ""
                      : fmt::format("ALTER TABLE {} ALTER COLUMN payload SET STORAGE EXTERNAL; ", kStaging),
                  kStaging)));
  LAB_TRY(copy(call, operation, kStaging, source_of(objects), true));
  // The last one of an id counts, as if they had been put one after another.
  const char* const select = setup_.one_per_content
                                 ? "INSERT INTO {0} ({1}) SELECT {1} FROM {2} ORDER BY ordinal"
                                 : "INSERT INTO {0} ({1}) SELECT DISTINCT ON (id) {1} FROM {2} ORDER BY id, "
                                   "ordinal DESC";
  return connection().execute(
      call, operation,
      fmt::format(fmt::runtime(select), table, shape().columns(), kStaging) + on_conflict(setup_, shape()));
}

Status PostgresDriver::put_stream(const CallContext& call, const ObjectSource& source) {
  const char* const operation = name("put_stream");
  LAB_TRY(allowed(call, operation));
  if (!info().has(Capability::kStream)) return unsupported(info(), "put_stream");
  return copy(call, operation, place().table(0), source, false);
}

/// The log goes on in a new file first, where that is allowed: the checkpoint then frees all before it, and
/// what is left of the log does not depend on how full its last file happened to be.
Status PostgresDriver::flush(const CallContext& call) {
  const char* const operation = name("flush");
  LAB_TRY(allowed(call, operation));
  const auto switched = connection().query(
      call, operation,
      "SELECT CASE WHEN has_function_privilege('pg_catalog.pg_switch_wal()', 'EXECUTE') THEN 1 ELSE 0 END");
  if (!switched) return switched.error();
  if (switched->number(0, 0) == 1) LAB_TRY(connection().execute(call, operation, "SELECT pg_switch_wal()"));
  return connection().execute(call, operation, "CHECKPOINT");
}

Result<std::string> PostgresDriver::vacuum_mark(const CallContext& call, const char* operation,
                                                const std::string& table) {
  pgwire::Parameters parameters;
  parameters.text(table);
  const auto rows =
      connection().query(call, operation,
                         setup_.vacuum_full ? "SELECT pg_relation_filenode($1::regclass)"
                                            : "SELECT coalesce(pg_stat_get_vacuum_count($1::regclass), 0)",
                         parameters);
  if (!rows) return rows.error();
  return std::string(rows->text(0, 0));
}

Result<std::int64_t> PostgresDriver::table_bytes(const CallContext& call, const char* operation) {
  std::int64_t all = 0;
  for (const std::string& table : tables()) {
    pgwire::Parameters parameters;
    parameters.text(table);
    const auto rows =
        connection().query(call, operation, "SELECT pg_total_relation_size($1::regclass)", parameters);
    if (!rows) return rows.error();
    all += rows->number(0, 0);
  }
  return all;
}

Result<MaintenanceOutcome> PostgresDriver::maintain(const CallContext& call) {
  const char* const operation = name("maintain");
  LAB_TRY(allowed(call, operation));
  const auto before = table_bytes(call, operation);
  if (!before) return before.error();
  const std::string statement = setup_.vacuum_full ? "VACUUM (FULL, ANALYZE)" : "VACUUM (ANALYZE)";
  connection().take_warnings();
  bool worked = true;
  for (const std::string& table : tables()) {
    const auto mark = vacuum_mark(call, operation, table);
    if (!mark) return mark.error();
    LAB_TRY(connection().execute(call, operation, statement + " " + table));
    const CallContext counted = within(call, kStatisticsLimit);
    const Status seen = poll_until(counted, kStatisticsPoll, operation, [&]() -> Result<bool> {
      const auto now = vacuum_mark(call, operation, table);
      if (!now) return now.error();
      return *now != *mark;
    });
    LAB_TRY(allowed(call, operation));
    if (!seen && seen.error().code != ErrorCode::kTimeout) return seen.error();
    worked = worked && seen.has_value();
  }
  const auto after = table_bytes(call, operation);
  if (!after) return after.error();
  const std::string warnings = connection().take_warnings();
  return MaintenanceOutcome{fmt::format("{} of {} table(s): {} -> {} bytes{}", statement, tables().size(),
                                        *before, *after, warnings.empty() ? "" : "; " + warnings),
                            worked};
}

}  // namespace lab::postgres
