// Session and entry of the cockroachdb system.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/cockroach/cockroach.hpp"

#include <fmt/format.h>

#include "drivers/cockroach/cluster.hpp"
#include "drivers/cockroach/driver.hpp"
#include "drivers/cockroach/observer.hpp"

namespace lab {
namespace {

using cockroach::CockroachDialect;
using cockroach::Setup;
using pgwire::Connection;
using pgwire::LabNamespace;

constexpr std::uint16_t kDefaultPort = 26'257;
constexpr const char* kDefaultDatabase = "defaultdb";
constexpr const char* kDefaultNamespace = "dedup_lab";

struct Target {
  pgwire::Address address{};
  ServerNamespace place{};
  Setup setup{};
};

Result<Target> make_target(const SystemConfig& config) {
  const auto variant = resolve_config(cockroachdb_system(), config);
  if (!variant) return variant.error();
  auto address = pgwire::parse_address(config, kDefaultPort, kDefaultDatabase);
  if (!address) return std::move(address).error();
  auto place = server_namespace(config, kDefaultNamespace);
  if (!place) return std::move(place).error();
  auto setup = cockroach::make_setup(*variant, config);
  if (!setup) return std::move(setup).error();
  return Target{std::move(*address), std::move(*place), std::move(*setup)};
}

class CockroachSession final : public Session {
 public:
  CockroachSession(Target target, const SystemConfig& config)
      : target_(std::move(target)),
        dialect_(target_.setup),
        place_(dialect_, target_.place, config.containers),
        run_id_(config.run_id),
        directory_(config.directory) {}

  /// Marks the namespace and takes its lock.
  Status prepare(Connection& connection, const CallContext& call) {
    LAB_TRY(place_.claim(connection, call, "cockroachdb.open"));
    auto lock = LabLock::take(pgwire::lock_store(target_.address, place_), run_id_, call);
    if (!lock) return std::move(lock).error();
    lock_ = std::move(*lock);
    return ok();
  }

  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    return cockroach::CockroachDriver::open(target_.address, place_, run_id_, target_.setup, call);
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    return cockroach::CockroachObserver::open(target_.address, place_, target_.setup, directory_, call);
  }

 private:
  Target target_;
  CockroachDialect dialect_;
  LabNamespace place_;
  std::string run_id_;
  std::filesystem::path directory_;
  std::unique_ptr<LabLock> lock_{};
};

Status check_cockroachdb(const SystemConfig& config) {
  LAB_TRY(make_target(config));
  return ok();
}

Result<std::unique_ptr<Session>> open_cockroachdb(const SystemConfig& config, const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.open";
  LAB_TRY(allowed(call, kOperation));
  auto target = make_target(config);
  if (!target) return std::move(target).error();
  const auto connection = cockroach::connect(target->address, call, kOperation);
  if (!connection) return connection.error();
  auto session = std::make_unique<CockroachSession>(std::move(*target), config);
  LAB_TRY(session->prepare(**connection, call));
  return std::unique_ptr<Session>(std::move(session));
}

Result<ServerIdentity> identify_cockroachdb(const SystemConfig& config, const CallContext& call) {
  auto target = make_target(config);
  if (!target) return std::move(target).error();
  CockroachSession session(std::move(*target), config);
  return identity_of(session, call);
}

template <class Work>
auto with_namespace(const SystemConfig& config, const CallContext& call, const char* operation, Work&& work)
    -> decltype(work(std::declval<LabNamespace&>(), std::declval<Connection&>())) {
  LAB_TRY(allowed(call, operation));
  const auto target = make_target(config);
  if (!target) return target.error();
  const auto connection = cockroach::connect(target->address, call, operation);
  if (!connection) return connection.error();
  const CockroachDialect dialect(target->setup);
  LabNamespace place(dialect, target->place, config.containers);
  return work(place, **connection);
}

Status reach_cockroachdb(const SystemConfig& config, const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.reach";
  return with_namespace(config, call, kOperation, [](LabNamespace&, Connection&) { return ok(); });
}

Status remove_cockroachdb(const SystemConfig& config, const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.remove";
  return with_namespace(config, call, kOperation, [&](LabNamespace& place, Connection& connection) {
    return place.remove(connection, call, kOperation, config.run_id);
  });
}

Result<std::vector<std::string>> leftovers_cockroachdb(const SystemConfig& config, const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.leftovers";
  return with_namespace(config, call, kOperation, [&](LabNamespace& place, Connection& connection) {
    return place.leftovers(connection, call, kOperation);
  });
}

std::vector<Finding> examine_cockroachdb(const SystemConfig& config, const CallContext& call) {
  constexpr const char* kOperation = "cockroachdb.examine";
  const auto target = make_target(config);
  if (!target) return {{"configuration", false, target.error().text()}};
  const auto connection = cockroach::connect(target->address, call, kOperation);
  if (!connection) return {not_connected(connection.error())};
  std::vector<Finding> findings{{"connection", true, "reached " + target->address.text()}};
  const auto add = [&](const char* what, const Result<std::string>& result) {
    findings.push_back({what, result.has_value(), result ? *result : result.error().text()});
  };
  const CockroachDialect dialect(target->setup);
  const LabNamespace place(dialect, target->place, config.containers);
  add("namespace", place.owner(**connection, call, kOperation, config.run_id));
  const auto admin = (*connection)->query(call, kOperation, "SHOW is_superuser");
  if (!admin) {
    add("rights", admin.error());
  } else {
    const bool may = admin->text(0, 0) == "on";
    findings.push_back(
        {"rights", may,
         may ? "the user is an admin"
             : "the user is no admin, and only an admin may compact stores and collect garbage"});
  }
  if (config.directory.empty()) {
    findings.push_back({"files", true, "no directory is given, so there are no file sizes", true});
    return findings;
  }
  const Status store = cockroach::check_store(**connection, config.directory, call, kOperation);
  add("files", store ? Result<std::string>(config.directory.string() + " is this server's")
                     : Result<std::string>(store.error()));
  return findings;
}

}  // namespace

SystemEntry cockroachdb_system() {
  const int library = PQlibVersion();
  return {
      .name = "cockroachdb",
      .what = "CockroachDB 23.1 and later, a row with a BYTES an object",
      .embedded = false,
      .variants = cockroach::variants(),
      .options = server_options({"gc_ttl_seconds"}),
      .mechanisms =
          {{"ingestion", "missing",
            "cockroachlabs.com/docs, Storage Layer: a row is a key-value pair of its own, none looks for an "
            "equal value"},
           {"compaction", "missing",
            "cockroachlabs.com/docs, Storage Layer: compactions drop old versions of a key, each key keeps "
            "its value"},
           {"compression", "partial",
            "github.com/cockroachdb/pebble, sstable: a block of 32 KiB is compressed alone, so only equal "
            "neighbours in key order inside one block can help each other"},
           {"storage", "missing",
            "github.com/cockroachdb/pebble: each version of each key has its bytes in a table or blob file"}},
      .library = fmt::format("libpq {}.{}", library / 10000, library % 10000),
      .quantum = Bytes{32'768},
      .password_env = "DEDUP_CRDB_PASSWORD",
      .protocol = Protocol::kPostgresql,
      .check = check_cockroachdb,
      .open = open_cockroachdb,
      .remove = remove_cockroachdb,
      .reach = reach_cockroachdb,
      .examine = examine_cockroachdb,
      .identify = identify_cockroachdb,
      .leftovers = leftovers_cockroachdb};
}

}  // namespace lab
