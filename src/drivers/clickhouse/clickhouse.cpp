// Session and registry line of the clickhouse system.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/clickhouse.hpp"

#include <fmt/format.h>

#include <utility>

#include "drivers/clickhouse/parts.hpp"

namespace lab {
namespace clickhouse {

namespace {

struct Chosen {
  std::string variant{};
  ServerNamespace names{};
  Target target{};
};

Result<Chosen> chosen(const SystemConfig& config) {
  auto variant = resolve_config(clickhouse_system(), config);
  if (!variant) return std::move(variant).error();
  auto names = server_namespace(config, kDefaultNamespace);
  if (!names) return std::move(names).error();
  auto target = target_of(config);
  if (!target) return std::move(target).error();
  return Chosen{std::move(*variant), std::move(*names), std::move(*target)};
}

}  // namespace

Result<Reached> reach(const SystemConfig& config, const CallContext& call) {
  auto what = chosen(config);
  if (!what) return std::move(what).error();
  Connection connection(std::move(what->target), std::make_shared<Lifetime>());
  auto server = read_server(connection, call);
  if (!server) return std::move(server).error();
  Setup setup = setup_of(what->variant);
  setup.schema = schema_of(config);
  Home home(std::move(what->names), config.containers, std::move(setup), std::move(*server));
  return Reached{std::move(connection), std::move(home)};
}

namespace {

class ClickhouseSession final : public Session {
 public:
  ClickhouseSession(Shared shared, std::unique_ptr<LabLock> lock)
      : shared_(std::move(shared)), lock_(std::move(lock)) {}

  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    LAB_TRY(allowed(call, "clickhouse.open_driver"));
    auto driver = make_driver(shared_);
    LAB_TRY(driver->prove(call));
    return driver;
  }

  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    LAB_TRY(allowed(call, "clickhouse.open_observer"));
    auto observer = make_observer(shared_);
    const auto identity = observer->identity(call);
    if (!identity) return identity.error();
    return observer;
  }

 private:
  Shared shared_;
  std::unique_ptr<LabLock> lock_;
};

Status check_clickhouse(const SystemConfig& config) {
  LAB_TRY(chosen(config));
  return ok();
}

Result<std::unique_ptr<Session>> open_clickhouse(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "clickhouse.open"));
  auto reached = reach(config, call);
  if (!reached) return std::move(reached).error();
  auto& [connection, home] = *reached;
  LAB_TRY(check_supported(home.setup(), home.server()));
  if (!config.directory.empty()) LAB_TRY(check_directory(connection, call, home.server(), config.directory));
  LAB_TRY(home.prepare(connection, call));
  const Target target = connection.target();
  auto lock = LabLock::take(std::make_unique<RowLock>(target, home.database(0)), config.run_id, call);
  if (!lock) return std::move(lock).error();
  Shared shared{.target = target,
                .lifetime = std::make_shared<Lifetime>(),
                .home = std::move(home),
                .run_id = config.run_id,
                .directory = config.directory};
  return std::unique_ptr<Session>(new ClickhouseSession(std::move(shared), std::move(*lock)));
}

Result<ServerIdentity> identify_clickhouse(const SystemConfig& config, const CallContext& call) {
  auto reached = reach(config, call);
  if (!reached) return std::move(reached).error();
  ClickhouseSession session({.target = reached->connection.target(),
                             .lifetime = std::make_shared<Lifetime>(),
                             .home = std::move(reached->home)},
                            nullptr);
  return identity_of(session, call);
}

Status reach_clickhouse(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(reach(config, call));
  return ok();
}

Status remove_clickhouse(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "clickhouse.remove"));
  auto reached = reach(config, call);
  if (!reached) return std::move(reached).error();
  return reached->home.remove(reached->connection, call, config.run_id);
}

Result<std::vector<std::string>> leftovers_of_clickhouse(const SystemConfig& config,
                                                         const CallContext& call) {
  LAB_TRY(allowed(call, "clickhouse.leftovers"));
  auto reached = reach(config, call);
  if (!reached) return std::move(reached).error();
  return reached->home.leftovers(reached->connection, call);
}

}  // namespace
}  // namespace clickhouse

SystemEntry clickhouse_system() {
  namespace ours = clickhouse;
  return {.name = "clickhouse",
          .what = "ClickHouse over HTTP, a MergeTree table with a String an object",
          .embedded = false,
          .native = true,
          .variants = ours::variants(),
          .options = server_options(),
          .mechanisms =
              {{"ingestion", "missing",
                "clickhouse.com/docs, MergeTree: an INSERT writes its rows as they are; what drops repeated "
                "blocks (insert_deduplicate) is off"},
               {"compaction", "full",
                "variants replacing and deduplicate: merges keep one row of those with equal sha256, whole "
                "rows go"},
               {"compression", "partial",
                "codec of a block of 64 KiB to 1 MiB: copies inside one block, helped by order_by_hash"},
               {"storage", "full",
                "variant low_cardinality: a dictionary of up to 8192 values in each part; missing in the "
                "others"}},
          .library = "HTTP interface",
          .password_env = ours::kPasswordEnv,
          .protocol = Protocol::kClickhouse,
          .check = ours::check_clickhouse,
          .open = ours::open_clickhouse,
          .remove = ours::remove_clickhouse,
          .reach = ours::reach_clickhouse,
          .examine = ours::examine,
          .identify = ours::identify_clickhouse,
          .leftovers = ours::leftovers_of_clickhouse,
          .admin = ours::make_admin};
}

}  // namespace lab
