// What Redis says about itself, over a connection of its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "driver/observer.hpp"
#include "drivers/redis/site.hpp"

namespace lab::redis {

class RedisObserver final : public Observer {
 public:
  RedisObserver(const Site& site, std::unique_ptr<Link> link) : site_(site), link_(std::move(link)) {}

  Result<ServerIdentity> identity(const CallContext& call) override;
  Result<std::map<std::string, std::string>> settings(const CallContext& call) override;
  Result<std::map<std::string, double>> busy(const CallContext& call) override;
  Result<std::vector<Counter>> activity(const CallContext& call) override;

  /// The persistent form of the variant: the append-only file by INFO, or the snapshot file by its length
  /// (INFO does not tell it, so kUnsupported without a directory). Memory is an activity counter.
  Result<Footprint> footprint(const CallContext& call) override;

  /// Errors: kUnsupported while replicas hold copies elsewhere.
  Result<std::vector<std::filesystem::path>> directories(const CallContext& call) override;
  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override;
  Bytes quantum() const override { return Bytes{4096}; }
  Result<double> copies(const CallContext& call) override;
  Result<std::map<std::string, double>> statement_seconds(const CallContext& call) override;

 private:
  const Site& site_;  // The session's, which outlives its connections.
  std::unique_ptr<Link> link_;
};

/// Replicas that are in step, by INFO replication.
int replicas_of(const Info& replication);

}  // namespace lab::redis
