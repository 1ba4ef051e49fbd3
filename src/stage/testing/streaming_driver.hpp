// A driver that also takes streams, each object handed on by itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "driver/driver.hpp"

namespace lab {

class StreamingDriver final : public Driver {
 public:
  explicit StreamingDriver(std::unique_ptr<Driver> inner) : inner_(std::move(inner)), info_(inner_->info()) {
    info_.capabilities.insert(Capability::kStream);
  }

  const DriverInfo& info() const noexcept override { return info_; }
  Status prove(const CallContext& call) override { return inner_->prove(call); }
  Status reset(const CallContext& call) override { return inner_->reset(call); }
  Status put(const CallContext& call, const Object& object) override { return inner_->put(call, object); }
  Status read_all(const CallContext& call, const ObjectSink& sink) override {
    return inner_->read_all(call, sink);
  }
  Result<std::uint64_t> count(const CallContext& call) override { return inner_->count(call); }
  Status flush(const CallContext& call) override { return inner_->flush(call); }
  Status put_stream(const CallContext& call, const ObjectSource& source) override {
    ++streams;
    while (true) {
      const auto object = source();
      if (!object) return object.error();
      if (*object == nullptr) return ok();
      LAB_TRY(inner_->put(call, **object));
    }
  }

  int streams = 0;

 private:
  std::unique_ptr<Driver> inner_;
  DriverInfo info_;
};

}  // namespace lab
