// SPDX-License-Identifier: Apache-2.0
#include "drivers/cockroach/cluster.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "drivers/cockroach/setup.hpp"

namespace lab::cockroach {

using pgwire::Connection;
using pgwire::LabNamespace;

Result<std::unique_ptr<Connection>> connect(const pgwire::Address& address, const CallContext& call,
                                            const char* operation) {
  auto connection = Connection::open(address, call, operation);
  if (!connection) return connection;
  const auto version = (*connection)->query(call, operation, "SELECT version()");
  if (!version) return version.error();
  const auto major = major_version(version->text(0, 0));
  if (!major)
    return Error{ErrorCode::kRefused, operation,
                 "the server is not CockroachDB: " + to_valid_utf8(version->text(0, 0))};
  if (*major < kMajorMin)
    return Error{
        ErrorCode::kUnsupported, operation,
        fmt::format("the cluster is version {}, CockroachDB {}.1 or later is needed", *major, kMajorMin)};
  LAB_TRY((*connection)->execute(call, operation, "SET statement_timeout = 0"));
  LAB_TRY((*connection)->execute(call, operation, "SET idle_in_transaction_session_timeout = 0"));
  LAB_TRY((*connection)->execute(call, operation, "SET sql_safe_updates = off"));
  const Status opened = (*connection)->execute(call, operation, "SET allow_unsafe_internals = on");
  const bool unknown =
      !opened && opened.error().code == ErrorCode::kInternal;  // Before 25.4 it is not closed.
  if (!opened && !unknown) return opened.error();
  return connection;
}

Result<RangeSums> range_sums(Connection& connection, const LabNamespace& place, const CallContext& call,
                             const char* operation) {
  RangeSums sums;
  for (std::uint32_t container = 0; container < place.containers(); ++container) {
    LAB_TRY(allowed(call, operation));
    const auto rows = connection.query(
        call, operation,
        fmt::format("SELECT count(*), coalesce(sum(array_length(replicas, 1)), 0)::INT8, "
                    "sum((span_stats->>'approximate_disk_bytes')::INT8)::INT8, "
                    "sum((span_stats->>'key_bytes')::INT8 + (span_stats->>'val_bytes')::INT8 - "
                    "(span_stats->>'live_bytes')::INT8)::INT8 FROM [SHOW RANGES FROM TABLE {} WITH DETAILS]",
                    place.table(container)));
    if (!rows) return rows.error();
    if (rows->null(0, 2) || rows->null(0, 3))
      return Error{ErrorCode::kUnsupported, operation, "the cluster gives no span_stats of our ranges"};
    sums.ranges += rows->number(0, 0);
    sums.replicas += rows->number(0, 1);
    sums.disk_bytes += rows->number(0, 2);
    sums.garbage_bytes += rows->number(0, 3);
  }
  return sums;
}

Status enqueue_garbage_collection(Connection& connection, const LabNamespace& place, const CallContext& call,
                                  const char* operation) {
  for (std::uint32_t container = 0; container < place.containers(); ++container) {
    // Ranges split and merge, so they are read again right before.
    const auto ranges = connection.query(
        call, operation,
        fmt::format("SELECT range_id FROM [SHOW RANGES FROM TABLE {} WITH DETAILS]", place.table(container)));
    if (!ranges) return ranges.error();
    for (int row = 0; row < ranges->count(); ++row) {
      LAB_TRY(allowed(call, operation));
      LAB_TRY(connection.execute(call, operation,
                                 fmt::format("SELECT crdb_internal.kv_enqueue_replica({}, 'mvccGC', true)",
                                             ranges->number(row, 0))));
    }
  }
  return ok();
}

Status compact_stores(Connection& connection, const CallContext& call, const char* operation) {
  const auto stores =
      connection.query(call, operation, "SELECT node_id, store_id FROM crdb_internal.kv_store_status");
  if (!stores) return stores.error();
  if (stores->count() == 0) return Error{ErrorCode::kInternal, operation, "the cluster lists no store"};
  for (int row = 0; row < stores->count(); ++row) {
    LAB_TRY(allowed(call, operation));
    LAB_TRY(connection.execute(
        call, operation,
        fmt::format("SELECT crdb_internal.compact_engine_span({}, {}, '\\x01'::BYTES, '\\xff'::BYTES)",
                    stores->number(row, 0), stores->number(row, 1))));
  }
  return ok();
}

MaintenanceOutcome outcome_of(const RangeSums& before, const RangeSums& now) {
  return {fmt::format("MVCC garbage collection and compaction of all stores: {} -> {} bytes of garbage in {} "
                      "range(s)",
                      before.garbage_bytes, now.garbage_bytes, now.ranges),
          now.garbage_bytes < before.garbage_bytes};
}

}  // namespace lab::cockroach
