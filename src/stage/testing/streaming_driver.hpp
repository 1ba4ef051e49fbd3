// A driver that also takes streams, each object handed on by itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "driver/testing/forwarding_driver.hpp"

namespace lab {

class StreamingDriver final : public ForwardingDriver {
 public:
  explicit StreamingDriver(std::unique_ptr<Driver> inner) : ForwardingDriver(std::move(inner)) {
    info_.capabilities.insert(Capability::kStream);
  }

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
};

}  // namespace lab
