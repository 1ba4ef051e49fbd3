// SPDX-License-Identifier: Apache-2.0
#include "drivers/cockroach/driver.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "driver/waiting.hpp"
#include "drivers/cockroach/cluster.hpp"
#include "drivers/pgwire/sqlstate.hpp"

namespace lab::cockroach {
namespace {

constexpr int kTransactionsMax = 10;
constexpr Millis kCollectionLimit{120'000};  // For the garbage to leave, once asked for; its TTL is in it.
constexpr Millis kCollectionPoll{500};

DriverInfo info_of(const Setup& setup) {
  DriverInfo info{.system = "cockroachdb",
                  .variant = setup.variant,
                  .bulk_path = "COPY ... FROM STDIN (FORMAT binary) into the table, one transaction a batch",
                  .durability = "COMMIT: the log of a majority of the replicas is synced",
                  .capabilities = {Capability::kBatch, Capability::kGet, Capability::kEraseEach,
                                   Capability::kDeleteLogical, Capability::kDeleteTruncate,
                                   Capability::kDeleteDrop, Capability::kReplace},
                  .second_put = SecondPut::kReplace,
                  .background_work = true,
                  .object_size_max = 8LL << 20};  // Above it values come near the limits of message and log.
  if (setup.gc_ttl_seconds > 0) info.capabilities.insert(Capability::kMaintenance);
  return info;
}

}  // namespace

CockroachDriver::CockroachDriver(std::unique_ptr<pgwire::Connection> connection, pgwire::LabNamespace place,
                                 std::string run_id, const Setup& setup)
    : TableDriver(std::move(connection), std::move(place), std::move(run_id), info_of(setup)) {}

Result<std::unique_ptr<Driver>> CockroachDriver::open(const pgwire::Address& address,
                                                      pgwire::LabNamespace place, const std::string& run_id,
                                                      const Setup& setup, const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.open_driver";
  LAB_TRY(allowed(call, kOperation));
  auto connection = connect(address, call, kOperation);
  if (!connection) return std::move(connection).error();
  return std::unique_ptr<Driver>(
      new CockroachDriver(std::move(*connection), std::move(place), run_id, setup));
}

Status CockroachDriver::whole(const CallContext& call, const char* operation,
                              const std::function<Status()>& work) {
  for (int transactions = 1;; ++transactions) {
    Status done = connection().transaction(call, operation, work);
    const bool conflict = !done && done.error().retryable && !connection().lost() &&
                          connection().last_state() == pgwire::kSerializationFailure;
    if (!conflict || transactions == kTransactionsMax) return done;
    LAB_TRY(allowed(call, operation));
  }
}

std::string CockroachDriver::insert_sql(const std::string& table) const {
  return fmt::format("UPSERT INTO {} ({}) VALUES ({})", table, shape().columns(), shape().placeholders());
}

/// Temporary tables are experimental here, so a batch that replaces goes row by row in its transaction.
Status CockroachDriver::load(const CallContext& call, const char* operation, std::uint32_t container,
                             std::span<const Object* const> objects, bool again) {
  const std::string table = place().table(container);
  if (!again) return copy(call, operation, table, source_of(objects), false);
  for (const Object* object : objects) {
    LAB_TRY(allowed(call, operation));
    LAB_TRY(insert(call, operation, *object));
  }
  return ok();
}

/// There is no CHECKPOINT: what is acknowledged is durable in the log, and compaction brings it to its place.
Status CockroachDriver::flush(const CallContext& call) {
  const char* const operation = name("flush");
  LAB_TRY(allowed(call, operation));
  return compact_stores(connection(), call, operation);
}

Result<MaintenanceOutcome> CockroachDriver::maintain(const CallContext& call) {
  const char* const operation = name("maintain");
  LAB_TRY(allowed(call, operation));
  if (!info().has(Capability::kMaintenance)) return unsupported(info(), "maintain");
  const auto before = range_sums(connection(), place(), call, operation);
  if (!before) return before.error();
  RangeSums now = *before;
  const CallContext limited = within(call, kCollectionLimit);
  const Status collected = poll_until(limited, kCollectionPoll, operation, [&]() -> Result<bool> {
    LAB_TRY(enqueue_garbage_collection(connection(), place(), call, operation));
    const auto sums = range_sums(connection(), place(), call, operation);
    if (!sums) return sums.error();
    now = *sums;
    return now.garbage_bytes <= 0;
  });
  LAB_TRY(allowed(call, operation));
  if (!collected && collected.error().code != ErrorCode::kTimeout) return collected.error();
  LAB_TRY(compact_stores(connection(), call, operation));
  return outcome_of(*before, now);
}

}  // namespace lab::cockroach
