// Session and entry of the postgresql system.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/postgres/postgres.hpp"

#include <fmt/format.h>

#include "driver/lab_user.hpp"
#include "drivers/postgres/driver.hpp"
#include "drivers/postgres/examine.hpp"
#include "drivers/postgres/observer.hpp"

namespace lab {
namespace {

using pgwire::Connection;
using pgwire::LabNamespace;
using postgres::make_target;
using postgres::PostgresDialect;
using postgres::Target;

constexpr std::uint16_t kDefaultPort = 5432;
constexpr const char* kDefaultDatabase = "postgres";
constexpr const char* kDefaultNamespace = "dedup_lab";
constexpr std::size_t kRoleMax = 40;

class PostgresSession final : public Session {
 public:
  PostgresSession(Target target, int version, const SystemConfig& config)
      : target_(std::move(target)),
        dialect_(target_.setup, version),
        place_(dialect_, target_.place, config.containers),
        run_id_(config.run_id),
        directory_(config.directory) {}

  /// Marks the namespace and takes its lock.
  Status prepare(Connection& connection, const CallContext& call) {
    constexpr const char* kOperation = "postgresql.open";
    LAB_TRY(place_.claim(connection, call, kOperation));
    auto lock = LabLock::take(pgwire::lock_store(target_.address, place_), run_id_, call);
    if (!lock) return std::move(lock).error();
    lock_ = std::move(*lock);
    return ok();
  }

  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    return postgres::PostgresDriver::open(target_.address, place_, run_id_, target_.setup, call);
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    return postgres::PostgresObserver::open(target_.address, place_, directory_, call);
  }

 private:
  Target target_;
  PostgresDialect dialect_;
  LabNamespace place_;
  std::string run_id_;
  std::filesystem::path directory_;
  std::unique_ptr<LabLock> lock_{};
};

Result<std::unique_ptr<Session>> open_postgresql(const SystemConfig& config, const CallContext& call) {
  constexpr const char* kOperation = "postgresql.open";
  LAB_TRY(allowed(call, kOperation));
  auto target = make_target(config);
  if (!target) return std::move(target).error();
  const auto connection = Connection::open(target->address, call, kOperation);
  if (!connection) return connection.error();
  LAB_TRY(postgres::check_server(**connection, target->setup, call, kOperation));
  auto session = std::make_unique<PostgresSession>(std::move(*target), (*connection)->version(), config);
  LAB_TRY(session->prepare(**connection, call));
  return std::unique_ptr<Session>(std::move(session));
}

Result<ServerIdentity> identify_postgresql(const SystemConfig& config, const CallContext& call) {
  auto target = make_target(config);
  if (!target) return std::move(target).error();
  const auto connection = Connection::open(target->address, call, "postgresql.identify");
  if (!connection) return connection.error();
  PostgresSession session(std::move(*target), (*connection)->version(), config);
  return identity_of(session, call);
}

/// Does `work` with the namespace on a connection of its own.
template <class Work>
auto with_namespace(const SystemConfig& config, const CallContext& call, const char* operation, Work&& work)
    -> decltype(work(std::declval<LabNamespace&>(), std::declval<Connection&>())) {
  LAB_TRY(allowed(call, operation));
  const auto target = make_target(config);
  if (!target) return target.error();
  const auto connection = Connection::open(target->address, call, operation);
  if (!connection) return connection.error();
  const PostgresDialect dialect(target->setup, (*connection)->version());
  LabNamespace place(dialect, target->place, config.containers);
  return work(place, **connection);
}

Status check_postgresql(const SystemConfig& config) {
  LAB_TRY(postgres::make_target(config));
  return ok();
}

Status reach_postgresql(const SystemConfig& config, const CallContext& call) {
  constexpr const char* kOperation = "postgresql.reach";
  return with_namespace(config, call, kOperation, [](LabNamespace&, Connection&) { return ok(); });
}

Status remove_postgresql(const SystemConfig& config, const CallContext& call) {
  constexpr const char* kOperation = "postgresql.remove";
  return with_namespace(config, call, kOperation, [&](LabNamespace& place, Connection& connection) {
    return place.remove(connection, call, kOperation, config.run_id);
  });
}

Result<std::vector<std::string>> leftovers_postgresql(const SystemConfig& config, const CallContext& call) {
  constexpr const char* kOperation = "postgresql.leftovers";
  return with_namespace(config, call, kOperation, [&](LabNamespace& place, Connection& connection) {
    return place.leftovers(connection, call, kOperation);
  });
}

}  // namespace

namespace postgres {
namespace {

Result<std::string> role_of(const SystemConfig& config) {
  const auto role = config.options.find("role");
  if (role == config.options.end()) return std::string(kLabUserName);
  const bool ordinary =
      role->second.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos;
  if (role->second.empty() || role->second.size() > kRoleMax || !ordinary)
    return bad_option("role", role->second, fmt::format(": write 1 to {} of a-z 0-9 - _", kRoleMax));
  return role->second;
}

}  // namespace

Result<Target> make_target(const SystemConfig& config) {
  const auto variant = resolve_config(postgresql_system(), config);
  if (!variant) return variant.error();
  auto address = pgwire::parse_address(config, kDefaultPort, kDefaultDatabase);
  if (!address) return std::move(address).error();
  auto place = server_namespace(config, kDefaultNamespace);
  if (!place) return std::move(place).error();
  if (place->name.starts_with("pg_"))
    return bad_option("namespace", place->name, ": PostgreSQL keeps names that begin with pg_ for itself");
  auto setup = make_setup(*variant, config);
  if (!setup) return std::move(setup).error();
  auto role = role_of(config);
  if (!role) return std::move(role).error();
  return Target{std::move(*address), std::move(*place), std::move(*setup), std::move(*role)};
}

}  // namespace postgres

SystemEntry postgresql_system() {
  const int library = PQlibVersion();
  return {
      .name = "postgresql",
      .what = "PostgreSQL 13 and later, a row with a bytea an object",
      .embedded = false,
      .native = true,
      .variants = postgres::variants(),
      .options = server_options({"autovacuum", "role"}),
      .mechanisms = {{"ingestion", "missing",
                      "postgresql.org/docs/current/storage-toast.html: each value has chunks of its own"},
                     {"ingestion", "full", "variant insert_if_absent: UNIQUE sha256, removes whole rows"},
                     {"compaction", "missing",
                      "postgresql.org/docs/current/routine-vacuuming.html: VACUUM removes dead rows, VACUUM "
                      "FULL writes each live one again"},
                     {"compression", "indirect",
                      "postgresql.org/docs/current/storage-toast.html: TOAST compresses one value at a time "
                      "and never sees another"},
                     {"storage", "indirect",
                      "postgresql.org/docs/current/btree.html, deduplication: equal keys of an index alone"}},
      .library = fmt::format("libpq {}.{}", library / 10000, library % 10000),
      .quantum = Bytes{8192},
      .password_env = "DEDUP_PG_PASSWORD",
      .protocol = Protocol::kPostgresql,
      .check = check_postgresql,
      .open = open_postgresql,
      .remove = remove_postgresql,
      .reach = reach_postgresql,
      .examine = postgres::examine,
      .identify = identify_postgresql,
      .leftovers = leftovers_postgresql,
      .admin = postgres::make_admin};
}

}  // namespace lab
