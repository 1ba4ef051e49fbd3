// The lab's databases on a server: made, marked, locked, emptied and removed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/lab_lock.hpp"
#include "driver/server_namespace.hpp"
#include "drivers/clickhouse/connection.hpp"
#include "drivers/clickhouse/dialect.hpp"
#include "drivers/clickhouse/server.hpp"

namespace lab::clickhouse {

/// The marker of a database is its table `deduplab` with our columns; in the first database it also holds the
/// lock. A MergeTree of its own, since that survives a crash of the server at any moment. The table `files`
/// alone is what is measured.
inline constexpr const char* kMarker = "deduplab";

/// What a database is to us.
enum class Owner : std::uint8_t { kNobody, kOurs, kOthers, kEmpty };  // Not there; marked; not; no table.

class Home {
 public:
  Home(ServerNamespace names, std::uint32_t containers, Setup setup, Server server)
      : names_(std::move(names)),
        containers_(containers),
        setup_(std::move(setup)),
        server_(std::move(server)) {}

  std::uint32_t containers() const noexcept { return containers_; }
  std::string database(std::uint32_t container) const { return names_.container(container); }
  /// "'dedup_lab', 'dedup_lab_1'", for IN.
  std::string database_list() const;
  const Setup& setup() const noexcept { return setup_; }
  const Server& server() const noexcept { return server_; }
  const ServerNamespace& names() const noexcept { return names_; }

  Result<Owner> owner_of(Connection& connection, const CallContext& call, const std::string& database) const;

  /// Makes and marks what is missing. Errors: kRefused, before anything is written, where a database of one
  /// of our names is not ours.
  Status prepare(Connection& connection, const CallContext& call) const;

  /// Makes the tables that are missing, as the variant wants them.
  Status make_tables(Connection& connection, const CallContext& call) const;

  /// Drops our tables and makes them anew; tables of others stay. Errors: kRefused as prepare; kInUse when
  /// `run_id` does not hold the lock.
  Status reset(Connection& connection, const CallContext& call, const std::string& run_id) const;

  /// Drops our tables, and where we made them and nobody else uses them our databases, the first one last.
  /// Errors: kRefused, kInUse.
  Status remove(Connection& connection, const CallContext& call, const std::string& run_id) const;

  /// "database dedup_lab, 2 tables"
  Result<std::vector<std::string>> leftovers(Connection& connection, const CallContext& call) const;

  /// Errors: kInUse when another run holds the lock.
  Status check_lock(Connection& connection, const CallContext& call, const std::string& run_id,
                    const char* operation) const;

 private:
  Result<std::vector<std::string>> our_databases(Connection& connection, const CallContext& call) const;
  Status drop_table(Connection& connection, const CallContext& call, const std::string& database) const;
  Status refuse_foreign(Connection& connection, const CallContext& call, const std::string& database,
                        Owner owner, const char* operation) const;

  ServerNamespace names_;
  std::uint32_t containers_;
  Setup setup_;
  Server server_;
};

/// The lock as rows that are only ever added: the one with the highest serial number is in force. ClickHouse
/// has no conditional write, so a writer adds the next number and reads back: where two have added the same
/// one, at least the later sees both and gives up.
class RowLock final : public LockStore {
 public:
  RowLock(Target target, const std::string& database);
  Result<std::optional<LockState>> read(const CallContext& call) override;
  Result<bool> write(const CallContext& call, const std::optional<std::string>& expected,
                     const std::string& run_id) override;

 private:
  struct Newest {
    std::uint64_t serial = 0;
    LockState state{};
  };
  Result<std::optional<Newest>> newest(const CallContext& call);
  Connection& connection();

  Target target_;
  std::unique_ptr<Connection> connection_{};  // Made anew when it was lost: it carries no data of a stage.
  std::string table_;
  std::uint64_t written_ = 0;
};

}  // namespace lab::clickhouse
