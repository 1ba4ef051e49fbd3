// What a MariaDB server says about itself: tablespaces, logs, purge, settings.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "drivers/mariadb/connection.hpp"
#include "drivers/mariadb/layout.hpp"

namespace lab::mariadb {

class MariadbObserver final : public Observer {
 public:
  /// `directory`: where the server's files are on the local machine; empty: not known here.
  static Result<std::unique_ptr<Observer>> open(const Server& server, const Setup& setup,
                                                std::filesystem::path directory, const CallContext& call);

  Result<ServerIdentity> identity(const CallContext& call) override;
  Result<std::map<std::string, std::string>> settings(const CallContext& call) override;

  /// The purge of deleted rows, and writes that have begun. Dirty pages are no work in this sense: an idle
  /// server keeps them for as long as it likes, and a flush has written ours.
  Result<std::map<std::string, double>> busy(const CallContext& call) override;
  Result<std::vector<Counter>> activity(const CallContext& call) override;

  /// payload: allocated blocks of the tables' files, their indexes included; log: redo, undo tablespaces and
  /// binary logs; meta: system and temporary tablespace, and the marker.
  Result<Footprint> footprint(const CallContext& call) override;

  /// The configured directory, once the marker of our namespace has been found in it. Errors: kRefused when
  /// it is not this server's.
  Result<std::vector<std::filesystem::path>> directories(const CallContext& call) override;
  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override;

  Bytes quantum() const override;
  Result<double> copies(const CallContext& call) override;
  Result<std::map<std::string, double>> statement_seconds(const CallContext& call) override;

 private:
  MariadbObserver(std::unique_ptr<Connection> connection, const Setup& setup, std::filesystem::path directory)
      : connection_(std::move(connection)), setup_(setup), directory_(std::move(directory)) {}
  Status learn(const CallContext& call);

  std::unique_ptr<Connection> connection_;
  Setup setup_;
  std::filesystem::path directory_;
  LogNames names_{};
  bool proven_ = false;  // That directory_ is this server's.
};

/// Whether `directory` is the data directory of the server behind `use`: its file of the namespace's marker
/// holds the marker's random word. Errors: kRefused, kNotFound where there is no marker yet.
Status prove_directory(Use& use, const ServerNamespace& space, const std::filesystem::path& directory);

}  // namespace lab::mariadb
