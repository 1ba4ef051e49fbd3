// The driver of the cockroachdb system.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/cockroach/setup.hpp"
#include "drivers/pgwire/table_driver.hpp"

namespace lab::cockroach {

class CockroachDriver final : public pgwire::TableDriver {
 public:
  static Result<std::unique_ptr<Driver>> open(const pgwire::Address& address, pgwire::LabNamespace place,
                                              const std::string& run_id, const Setup& setup,
                                              const CallContext& call);

  Status flush(const CallContext& call) override;
  Result<MaintenanceOutcome> maintain(const CallContext& call) override;

 protected:
  /// A transaction that met another one (SQLSTATE 40001) is the client's to do again; at most ten times.
  Status whole(const CallContext& call, const char* operation, const std::function<Status()>& work) override;
  std::string insert_sql(const std::string& table) const override;
  Status load(const CallContext& call, const char* operation, std::uint32_t container,
              std::span<const Object* const> objects, bool again) override;

 private:
  CockroachDriver(std::unique_ptr<pgwire::Connection> connection, pgwire::LabNamespace place,
                  std::string run_id, const Setup& setup);
};

}  // namespace lab::cockroach
