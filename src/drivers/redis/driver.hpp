// The data connection of the redis system.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "driver/driver.hpp"
#include "drivers/redis/site.hpp"

namespace lab::redis {

class RedisDriver final : public Driver {
 public:
  RedisDriver(const Site& site, std::unique_ptr<Link> link);

  const DriverInfo& info() const noexcept override { return info_; }
  Status prove(const CallContext& call) override;
  Status reset(const CallContext& call) override;
  Status put(const CallContext& call, const Object& object) override;
  Status put_batch(const CallContext& call, std::span<const Object> objects) override;
  Status read_all(const CallContext& call, const ObjectSink& sink) override;
  Result<std::uint64_t> count(const CallContext& call) override;
  Status flush(const CallContext& call) override;
  Result<std::string> get(const CallContext& call, const ObjectKey& key) override;
  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override;
  Status erase_all(const CallContext& call, DeleteAll how) override;
  Result<MaintenanceOutcome> maintain(const CallContext& call) override;

 private:
  const Site& site_;  // The session's, which outlives its connections.
  std::unique_ptr<Link> link_;
  std::unique_ptr<Layout> layout_;
  DriverInfo info_;
};

}  // namespace lab::redis
