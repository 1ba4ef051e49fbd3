// Questions to a CockroachDB cluster that driver, observer and examination share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/driver.hpp"
#include "drivers/pgwire/lab_namespace.hpp"

namespace lab::cockroach {

/// A fresh connection, without the cluster's limits on time, and with crdb_internal opened where a cluster
/// (25.4 and later) closes it to ordinary sessions. Errors: as Connection::open; kRefused for another system,
/// kUnsupported for a cluster that is too old.
Result<std::unique_ptr<pgwire::Connection>> connect(const pgwire::Address& address, const CallContext& call,
                                                    const char* operation);

/// Sums over the ranges of our tables. All are of the newest readings that the ranges have.
struct RangeSums {
  std::int64_t ranges = 0;
  std::int64_t replicas = 0;       // Over all ranges.
  std::int64_t disk_bytes = 0;     // approximate_disk_bytes: SSTables and blob files, compressed.
  std::int64_t garbage_bytes = 0;  // Keys and values that are not live, before compression.
};
Result<RangeSums> range_sums(pgwire::Connection& connection, const pgwire::LabNamespace& place,
                             const CallContext& call, const char* operation);

/// Asks each range of our tables to collect garbage now: the scanner comes by every ten minutes only.
Status enqueue_garbage_collection(pgwire::Connection& connection, const pgwire::LabNamespace& place,
                                  const CallContext& call, const char* operation);

/// Compacts each store, and so brings to its place what is in the log alone. Blocks until it is done.
Status compact_stores(pgwire::Connection& connection, const CallContext& call, const char* operation);

/// What a maintenance did: it has worked only if there is less garbage than before.
MaintenanceOutcome outcome_of(const RangeSums& before, const RangeSums& now);

}  // namespace lab::cockroach
