// A driver that hands on what every driver has to do: tests derive those that declare, or do, something else.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "driver/driver.hpp"

namespace lab {

class ForwardingDriver : public Driver {
 public:
  explicit ForwardingDriver(std::unique_ptr<Driver> inner)
      : inner_(std::move(inner)), info_(inner_->info()) {}

  const DriverInfo& info() const noexcept override { return info_; }
  Status prove(const CallContext& call) override { return inner_->prove(call); }
  Status reset(const CallContext& call) override { return inner_->reset(call); }
  Status put(const CallContext& call, const Object& object) override { return inner_->put(call, object); }
  Status read_all(const CallContext& call, const ObjectSink& sink) override {
    return inner_->read_all(call, sink);
  }
  Result<std::uint64_t> count(const CallContext& call) override { return inner_->count(call); }
  Status flush(const CallContext& call) override { return inner_->flush(call); }

 protected:
  std::unique_ptr<Driver> inner_;
  DriverInfo info_;
};

}  // namespace lab
