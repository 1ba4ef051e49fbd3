// A driver that only notes which calls reached it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "driver/driver.hpp"

namespace lab {

struct RecordingDriver final : Driver {
  explicit RecordingDriver(std::vector<std::string>& log) : calls(log) {}
  const DriverInfo& info() const noexcept override { return info_; }
  Status prove(const CallContext&) override { return note("prove"); }
  Status reset(const CallContext&) override { return note("reset"); }
  Status put(const CallContext&, const Object&) override { return note("put"); }
  Status read_all(const CallContext&, const ObjectSink&) override { return note("read_all"); }
  Result<std::uint64_t> count(const CallContext&) override { return noted("count", std::uint64_t{42}); }
  Status flush(const CallContext&) override { return note("flush"); }
  Status put_batch(const CallContext&, std::span<const Object>) override { return note("put_batch"); }
  /// Takes what the source gives.
  Status put_stream(const CallContext&, const ObjectSource& source) override {
    calls.emplace_back("put_stream");
    while (true) {
      const auto object = source();
      if (!object) return object.error();
      if (*object == nullptr) return ok();
    }
  }
  Result<std::string> get(const CallContext&, const ObjectKey&) override {
    return noted("get", std::string("x"));
  }
  Status erase(const CallContext&, std::span<const ObjectKey>) override { return note("erase"); }
  Status erase_all(const CallContext&, DeleteAll) override { return note("erase_all"); }
  Result<MaintenanceOutcome> maintain(const CallContext&) override {
    return noted("maintain", MaintenanceOutcome{"done", true});
  }

  Status note(const char* name) {
    calls.emplace_back(name);
    return ok();
  }

  template <class T>
  Result<T> noted(const char* name, T answer) {
    calls.emplace_back(name);
    return answer;
  }

  std::vector<std::string>& calls;
  DriverInfo info_{.system = "recording", .variant = "default", .object_size_max = 100};
};

}  // namespace lab
