// An observer whose answers a test writes down.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "driver/observer.hpp"

namespace lab {

struct FakeObserver final : Observer {
  std::vector<std::filesystem::path> roots{};
  std::optional<FilePart> part = FilePart::kPayload;
  Result<Footprint> figure = Error{ErrorCode::kUnsupported, "fake.footprint", "no figure"};
  ServerIdentity who{"fake", "1", "fake-id", "t0"};
  std::function<std::vector<Counter>()> counters = [] { return std::vector<Counter>{}; };

  Result<ServerIdentity> identity(const CallContext&) override { return who; }
  Result<std::map<std::string, std::string>> settings(const CallContext&) override {
    return std::map<std::string, std::string>{};
  }
  Result<std::map<std::string, double>> busy(const CallContext&) override {
    return std::map<std::string, double>{};
  }
  Result<std::vector<Counter>> activity(const CallContext&) override { return counters(); }
  Result<Footprint> footprint(const CallContext&) override { return figure; }
  Result<std::vector<std::filesystem::path>> directories(const CallContext&) override { return roots; }
  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override {
    if (relative.extension() == ".log") return FilePart::kLog;
    return part;
  }
  Bytes quantum() const override { return Bytes{4096}; }
  Result<double> copies(const CallContext&) override { return 1.0; }
  Result<std::map<std::string, double>> statement_seconds(const CallContext&) override {
    return std::map<std::string, double>{};
  }
};

}  // namespace lab
