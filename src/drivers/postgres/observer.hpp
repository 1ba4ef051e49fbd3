// What a PostgreSQL server tells about itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "drivers/pgwire/lab_namespace.hpp"
#include "drivers/postgres/data_directory.hpp"
#include "drivers/postgres/setup.hpp"

namespace lab::postgres {

/// Read from the server by one statement; pg_control_system is open to all.
Result<ServerMarks> read_marks(pgwire::Connection& connection, const CallContext& call,
                               const char* operation);

class PostgresObserver final : public Observer {
 public:
  /// A fresh connection. `directory` empty: its files are not known on the local machine.
  static Result<std::unique_ptr<Observer>> open(const pgwire::Address& address,
                                                const pgwire::LabNamespace& place,
                                                std::filesystem::path directory, const CallContext& call);

  Result<ServerIdentity> identity(const CallContext& call) override;
  Result<std::map<std::string, std::string>> settings(const CallContext& call) override;
  Result<std::map<std::string, double>> busy(const CallContext& call) override;
  Result<std::vector<Counter>> activity(const CallContext& call) override;
  Result<Footprint> footprint(const CallContext& call) override;
  Result<std::vector<std::filesystem::path>> directories(const CallContext& call) override;
  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override;
  Bytes quantum() const override { return Bytes{8192}; }
  Result<double> copies(const CallContext& call) override;
  Result<std::map<std::string, double>> statement_seconds(const CallContext& call) override;

 private:
  PostgresObserver(std::unique_ptr<pgwire::Connection> connection, const pgwire::LabNamespace& place,
                   std::filesystem::path directory);

  Status find_statement_statistics(const CallContext& call);
  Status settings_of_tables(const CallContext& call, const char* operation,
                            std::map<std::string, std::string>& differing);
  Status settings_of_indexes(const CallContext& call, const char* operation,
                             std::map<std::string, std::string>& differing);
  pgwire::Parameters schemas() const;

  std::unique_ptr<pgwire::Connection> connection_;
  std::string schemas_;  // An array literal of the session's schemas.
  std::filesystem::path directory_;
  bool directory_checked_ = false;
  OurFiles ours_{};                     // As of the last directories().
  std::string statement_statistics_{};  // pg_stat_statements with its schema; empty: there is none.
  bool log_readable_ = false;
};

}  // namespace lab::postgres
