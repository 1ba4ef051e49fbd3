// The guard around each driver: deadline and stop before each call, a byte limit, the largest object.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "driver/driver.hpp"

namespace lab {

/// Passes each call on unless it must not start: kTimeout or kCancelled (the system is not touched),
/// kResourceExhausted before the put that would exceed `max_bytes`, kInvalidArgument for a payload above
/// info().object_size_max.
class GuardedDriver final : public Driver {
 public:
  explicit GuardedDriver(std::unique_ptr<Driver> inner, std::optional<Bytes> max_bytes = std::nullopt);

  const DriverInfo& info() const noexcept override { return inner_->info(); }
  Status prove(const CallContext& call) override;
  Status reset(const CallContext& call) override;
  Status put(const CallContext& call, const Object& object) override;
  Status read_all(const CallContext& call, const ObjectSink& sink) override;
  Result<std::uint64_t> count(const CallContext& call) override;
  Status flush(const CallContext& call) override;
  Status put_batch(const CallContext& call, std::span<const Object> objects) override;
  Status put_stream(const CallContext& call, const ObjectSource& source) override;
  Result<std::string> get(const CallContext& call, const ObjectKey& key) override;
  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override;
  Status erase_all(const CallContext& call, DeleteAll how) override;
  Result<MaintenanceOutcome> maintain(const CallContext& call) override;

  /// Payload bytes acknowledged since the last reset or deletion of all. A deletion by id takes off the mean
  /// size.
  Bytes bytes_held() const noexcept { return held_; }

 private:
  /// `under_way`: of this call, and not counted yet.
  Status admit(const CallContext& call, std::span<const Object> objects, Bytes under_way,
               const char* operation) const;
  void note_put(std::span<const Object> objects);

  std::unique_ptr<Driver> inner_;
  std::optional<Bytes> max_bytes_;
  Bytes held_{};
  std::int64_t objects_ = 0;
};

}  // namespace lab
