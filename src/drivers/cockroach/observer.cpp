// SPDX-License-Identifier: Apache-2.0
#include "drivers/cockroach/observer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/files.hpp"
#include "core/text.hpp"
#include "drivers/cockroach/cluster.hpp"

namespace lab::cockroach {
namespace {

using pgwire::Connection;

// A node writes its addresses into its first store when it starts.
constexpr const char* kAddressFile = "cockroach.advertise-sql-addr";

}  // namespace

FilePart part_of_store_file(const std::filesystem::path& relative) {
  const std::string name = relative.filename().string();
  if (name.ends_with(".sst") || name.ends_with(".blob")) return FilePart::kPayload;
  const bool numbered = !name.empty() && name[0] >= '0' && name[0] <= '9';
  return numbered && name.ends_with(".log") ? FilePart::kLog : FilePart::kMeta;
}

std::string port_in(std::string_view address) {
  const std::string_view text = trim(address);
  const std::size_t colon = text.rfind(':');
  return colon == std::string_view::npos ? "" : std::string(text.substr(colon + 1));
}

Status check_store(Connection& connection, const std::filesystem::path& directory, const CallContext& call,
                   const char* operation) {
  const auto address = read_file(directory / kAddressFile);
  if (!address) return address.error();
  const auto nodes = connection.query(call, operation, "SELECT sql_address FROM crdb_internal.gossip_nodes");
  if (!nodes) return nodes.error();
  if (nodes->count() != 1)
    return Error{
        ErrorCode::kUnsupported, operation,
        fmt::format("the cluster has {} nodes, and the files here are of one: a figure of all cannot be "
                    "had; require probes = [\"engine\"]",
                    nodes->count())};
  if (port_in(*address).empty() || port_in(*address) != port_in(nodes->text(0, 0)))
    return Error{
        ErrorCode::kRefused, operation,
        fmt::format("{} is not the store of the server at the url: its server is at '{}', ours at '{}'",
                    directory.string(), trim(*address), nodes->text(0, 0))};
  return ok();
}

CockroachObserver::CockroachObserver(std::unique_ptr<Connection> connection, pgwire::LabNamespace place,
                                     Setup setup, std::filesystem::path directory)
    : connection_(std::move(connection)),
      place_(std::move(place)),
      setup_(std::move(setup)),
      directory_(std::move(directory)) {}

Result<std::unique_ptr<Observer>> CockroachObserver::open(const pgwire::Address& address,
                                                          pgwire::LabNamespace place, const Setup& setup,
                                                          std::filesystem::path directory,
                                                          const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.open_observer";
  LAB_TRY(allowed(call, kOperation));
  auto connection = connect(address, call, kOperation);
  if (!connection) return std::move(connection).error();
  return std::unique_ptr<Observer>(
      new CockroachObserver(std::move(*connection), std::move(place), setup, std::move(directory)));
}

Result<ServerIdentity> CockroachObserver::identity(const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.identity";
  LAB_TRY(allowed(call, kOperation));
  const auto rows = connection_->query(
      call, kOperation,
      "SELECT version(), crdb_internal.cluster_id()::STRING, "
      "(SELECT string_agg(node_id::STRING || ' ' || started_at::STRING, ', ' ORDER BY node_id) "
      "FROM crdb_internal.kv_node_status)");
  if (!rows) return rows.error();
  return ServerIdentity{.name = "CockroachDB",
                        .version = std::string(rows->text(0, 0)),
                        .identity = std::string(rows->text(0, 1)),
                        .started_at = std::string(rows->text(0, 2))};
}

Result<std::map<std::string, std::string>> CockroachObserver::settings(const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.settings";
  LAB_TRY(allowed(call, kOperation));
  const auto rows =
      connection_->query(call, kOperation,
                         "SELECT variable, value FROM [SHOW ALL CLUSTER SETTINGS] WHERE "
                         "value IS DISTINCT FROM default_value AND variable <> 'version' AND "
                         "variable NOT LIKE 'cluster.secret%' AND variable NOT LIKE '%license%'");
  if (!rows) return rows.error();
  std::map<std::string, std::string> differing;
  for (int row = 0; row < rows->count(); ++row)
    differing[std::string(rows->text(row, 0))] = std::string(rows->text(row, 1));
  if (setup_.gc_ttl_seconds > 0) differing["table gc.ttlseconds"] = std::to_string(setup_.gc_ttl_seconds);
  if (setup_.row_ttl) differing["table ttl_expire_after"] = "30 days";
  return differing;
}

/// Jobs that wait for a TTL are no work: in the default variant they wait for hours.
Result<std::map<std::string, double>> CockroachObserver::busy(const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.busy";
  LAB_TRY(allowed(call, kOperation));
  const auto rows = connection_->query(
      call, kOperation,
      "SELECT count(*) FROM [SHOW JOBS] WHERE status IN ('pending', 'running', 'reverting') AND "
      "job_type IN ('SCHEMA CHANGE', 'NEW SCHEMA CHANGE', 'IMPORT', 'BACKUP', 'RESTORE', 'ROW LEVEL TTL', "
      "'CREATE STATS')");
  if (!rows) return rows.error();
  return std::map<std::string, double>{{"jobs", rows->real(0, 0)}};
}

Result<std::vector<Counter>> CockroachObserver::activity(const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.activity";
  LAB_TRY(allowed(call, kOperation));
  const auto rows = connection_->query(
      call, kOperation,
      "SELECT name, sum(value) FROM crdb_internal.node_metrics WHERE name IN ('storage.wal.bytes_written', "
      "'capacity.used', 'livebytes', 'rocksdb.flushes', 'rocksdb.compactions', 'sql.insert.count', "
      "'sql.delete.count', 'sql.select.count') GROUP BY name ORDER BY name");
  if (!rows) return rows.error();
  std::vector<Counter> counters;
  for (int row = 0; row < rows->count(); ++row) {
    const std::string name(rows->text(row, 0));
    const bool bytes = name == "storage.wal.bytes_written" || name == "capacity.used" || name == "livebytes";
    counters.push_back({name, rows->real(row, 1), bytes ? "bytes" : "1"});
  }
  return counters;
}

Result<Footprint> CockroachObserver::footprint(const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.footprint";
  LAB_TRY(allowed(call, kOperation));
  const auto sums = range_sums(*connection_, place_, call, kOperation);
  if (!sums) return sums.error();
  return Footprint{.total = Bytes{sums->disk_bytes}, .parts = {{"payload", Bytes{sums->disk_bytes}}}};
}

Result<std::vector<std::filesystem::path>> CockroachObserver::directories(const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.directories";
  LAB_TRY(allowed(call, kOperation));
  if (directory_.empty()) return std::vector<std::filesystem::path>{};
  if (!directory_checked_) LAB_TRY(check_store(*connection_, directory_, call, kOperation));
  directory_checked_ = true;
  return std::vector<std::filesystem::path>{directory_};
}

std::optional<FilePart> CockroachObserver::part_of(const std::filesystem::path& relative) const {
  return part_of_store_file(relative);
}

Result<double> CockroachObserver::copies(const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.copies";
  LAB_TRY(allowed(call, kOperation));
  const auto sums = range_sums(*connection_, place_, call, kOperation);
  if (!sums) return sums.error();
  if (sums->ranges == 0) return Error{ErrorCode::kNotFound, kOperation, "our tables have no range"};
  return static_cast<double>(sums->replicas) / static_cast<double>(sums->ranges);
}

Result<std::map<std::string, double>> CockroachObserver::statement_seconds(const CallContext& call) {
  LAB_TRY(allowed(call, "cockroachdb.statement_seconds"));
  return std::map<std::string, double>{};
}

}  // namespace lab::cockroach
