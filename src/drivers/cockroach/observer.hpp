// What a CockroachDB cluster tells about itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/cockroach/setup.hpp"
#include "drivers/pgwire/lab_namespace.hpp"

namespace lab::cockroach {

/// Of a store's file: SSTables and blob files are payload, Pebble's numbered logs the log, the rest meta.
FilePart part_of_store_file(const std::filesystem::path& relative);

/// The port at the end of "host:port", as a store's own address file holds it; empty where there is none.
std::string port_in(std::string_view address);

/// Errors: kRefused when the store's own address file names another server than ours, or more nodes than one
/// hold the cluster's files; errno's.
Status check_store(pgwire::Connection& connection, const std::filesystem::path& directory,
                   const CallContext& call, const char* operation);

class CockroachObserver final : public Observer {
 public:
  static Result<std::unique_ptr<Observer>> open(const pgwire::Address& address, pgwire::LabNamespace place,
                                                const Setup& setup, std::filesystem::path directory,
                                                const CallContext& call);

  Result<ServerIdentity> identity(const CallContext& call) override;
  Result<std::map<std::string, std::string>> settings(const CallContext& call) override;
  Result<std::map<std::string, double>> busy(const CallContext& call) override;
  Result<std::vector<Counter>> activity(const CallContext& call) override;
  Result<Footprint> footprint(const CallContext& call) override;
  Result<std::vector<std::filesystem::path>> directories(const CallContext& call) override;
  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override;
  Bytes quantum() const override { return Bytes{32'768}; }  // Pebble's block.
  Result<double> copies(const CallContext& call) override;
  Result<std::map<std::string, double>> statement_seconds(const CallContext& call) override;

 private:
  CockroachObserver(std::unique_ptr<pgwire::Connection> connection, pgwire::LabNamespace place, Setup setup,
                    std::filesystem::path directory);

  std::unique_ptr<pgwire::Connection> connection_;
  pgwire::LabNamespace place_;
  Setup setup_;
  std::filesystem::path directory_;
  bool directory_checked_ = false;
};

}  // namespace lab::cockroach
