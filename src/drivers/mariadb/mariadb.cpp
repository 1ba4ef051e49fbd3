// Session and registry entry of the mariadb system.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/mariadb.hpp"

#include <fmt/format.h>
#include <mysql.h>

#include "driver/lab_lock.hpp"
#include "driver/lab_user.hpp"
#include "drivers/mariadb/admin.hpp"
#include "drivers/mariadb/driver.hpp"
#include "drivers/mariadb/examine.hpp"
#include "drivers/mariadb/namespace.hpp"
#include "drivers/mariadb/observer.hpp"

namespace lab {
namespace {

using mariadb::Connection;
using mariadb::Server;
using mariadb::Setup;

constexpr const char* kLabUser = "lab_user";

struct Chosen {
  Server server{};
  Setup setup{};
};

Result<Chosen> chosen(const SystemConfig& config) {
  const auto variant = resolve_config(mariadb_system(), config);
  if (!variant) return variant.error();
  auto space = server_namespace(config, mariadb::kDefaultNamespace);
  if (!space) return space.error();
  auto server = mariadb::server_of(config);
  if (!server) return server.error();
  Setup setup = mariadb::setup_of(*variant, std::move(*space), config.containers);
  setup.schema = schema_of(config);
  return Chosen{std::move(*server), std::move(setup)};
}

class MariadbSession final : public Session {
 public:
  MariadbSession(Chosen what, const SystemConfig& config)
      : chosen_(std::move(what)), directory_(config.directory), run_id_(config.run_id) {}

  Status prepare(const CallContext& call) {
    auto connection = Connection::open(chosen_.server, call, "mariadb.open");
    if (!connection) return std::move(connection).error();
    auto use = (*connection)->use(call, "mariadb.open");
    if (!use) return std::move(use).error();
    LAB_TRY(mariadb::check_fit(**use, chosen_.setup));
    const ServerNamespace& space = chosen_.setup.space;
    LAB_TRY(mariadb::make_namespace(**use, space, chosen_.setup.containers));
    auto lock = LabLock::take(mariadb::lock_store(chosen_.server, space), run_id_, call);
    if (!lock) return std::move(lock).error();
    lock_ = std::move(*lock);
    if (directory_.empty()) return ok();
    return mariadb::prove_directory(**use, space, directory_);
  }

  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    return mariadb::open_mariadb_driver(chosen_.server, chosen_.setup, run_id_, call);
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    return mariadb::MariadbObserver::open(chosen_.server, chosen_.setup, directory_, call);
  }

 private:
  Chosen chosen_;
  std::filesystem::path directory_;
  std::string run_id_;
  std::unique_ptr<LabLock> lock_{};
};

Status check_mariadb(const SystemConfig& config) {
  LAB_TRY(chosen(config));
  return ok();
}

Result<std::unique_ptr<Session>> open_mariadb(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "mariadb.open"));
  auto what = chosen(config);
  if (!what) return std::move(what).error();
  auto session = std::make_unique<MariadbSession>(std::move(*what), config);
  LAB_TRY(session->prepare(call));
  return std::unique_ptr<Session>(std::move(session));
}

Result<ServerIdentity> identify_mariadb(const SystemConfig& config, const CallContext& call) {
  auto what = chosen(config);
  if (!what) return std::move(what).error();
  MariadbSession session(std::move(*what), config);
  return identity_of(session, call);
}

Status reach_mariadb(const SystemConfig& config, const CallContext& call) {
  const auto what = chosen(config);
  if (!what) return what.error();
  auto connection = Connection::open(what->server, call, "mariadb.reach");
  if (!connection) return std::move(connection).error();
  return ok();
}

Status remove_mariadb(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "mariadb.remove"));
  const auto what = chosen(config);
  if (!what) return what.error();
  return mariadb::remove_from(what->server, what->setup.space, config.run_id, call);
}

std::vector<Finding> examine_mariadb(const SystemConfig& config, const CallContext& call) {
  const auto what = chosen(config);
  if (!what) return {{.what = "configuration", .passed = false, .detail = what.error().text()}};
  return mariadb::examine_server(what->server, what->setup, config, call);
}

Result<std::vector<std::string>> leftovers_mariadb(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "mariadb.leftovers"));
  const auto what = chosen(config);
  if (!what) return what.error();
  return mariadb::leftovers_of(what->server, what->setup.space, call);
}

Result<std::unique_ptr<Admin>> admin_mariadb(const SystemConfig& config) {
  auto what = chosen(config);
  if (!what) return std::move(what).error();
  const auto user = config.options.find(kLabUser);
  return mariadb::make_admin(what->server, what->setup.space, what->setup.containers,
                             user == config.options.end() ? kLabUserName : user->second);
}

}  // namespace

SystemEntry mariadb_system() {
  return {
      .name = "mariadb",
      .what = "MariaDB, InnoDB, a row with a LONGBLOB an object",
      .embedded = false,
      .native = true,
      .variants = mariadb::variants(),
      .options = server_options({kLabUser}),
      .mechanisms =
          {{"ingestion", "missing", "mariadb.com/kb, InnoDB Row Formats: a long BLOB has pages of its own"},
           {"ingestion", "full", "variant insert_if_absent: UNIQUE sha256, removes whole rows"},
           {"compaction", "missing", "mariadb.com/kb, OPTIMIZE TABLE: the table is rebuilt row by row"},
           {"compression", "indirect",
            "variants page_compressed and row_compressed: mariadb.com/kb, InnoDB Page Compression and "
            "ROW_FORMAT=COMPRESSED: each page and each BLOB by itself, a copy lies in other pages"},
           {"storage", "missing", "mariadb.com/kb, InnoDB Tablespaces: no page belongs to two rows' BLOBs"}},
      .library = std::string("MariaDB Connector/C ") + mysql_get_client_info(),
      .quantum = 4_MiB,
      .password_env = "DEDUP_MARIADB_PASSWORD",
      .protocol = Protocol::kMysql,
      .check = check_mariadb,
      .open = open_mariadb,
      .remove = remove_mariadb,
      .reach = reach_mariadb,
      .examine = examine_mariadb,
      .identify = identify_mariadb,
      .leftovers = leftovers_mariadb,
      .admin = admin_mariadb,
  };
}

}  // namespace lab
