// The driver of the postgresql system.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/pgwire/table_driver.hpp"
#include "drivers/postgres/setup.hpp"

namespace lab::postgres {

/// What the server promises with a commit.
struct Commit {
  bool fsync = true;
  std::string synchronous = "on";
};

class PostgresDriver final : public pgwire::TableDriver {
 public:
  /// A fresh connection, without the server's own limits on time.
  static Result<std::unique_ptr<Driver>> open(const pgwire::Address& address, pgwire::LabNamespace place,
                                              const std::string& run_id, const Setup& setup,
                                              const CallContext& call);

  Status put_stream(const CallContext& call, const ObjectSource& source) override;
  Status flush(const CallContext& call) override;
  Result<MaintenanceOutcome> maintain(const CallContext& call) override;

 protected:
  std::string insert_sql(const std::string& table) const override;
  Status load(const CallContext& call, const char* operation, std::uint32_t container,
              std::span<const Object* const> objects, bool again) override;

 private:
  PostgresDriver(std::unique_ptr<pgwire::Connection> connection, pgwire::LabNamespace place,
                 std::string run_id, const Setup& setup, const Commit& commit);

  /// What tells that a table was vacuumed: how often for VACUUM, its file for VACUUM FULL.
  Result<std::string> vacuum_mark(const CallContext& call, const char* operation, const std::string& table);
  Result<std::int64_t> table_bytes(const CallContext& call, const char* operation);

  Setup setup_;
};

}  // namespace lab::postgres
