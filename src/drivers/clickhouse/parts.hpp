// The functions behind the registry's line, each in a file of its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "drivers/clickhouse/session.hpp"

namespace lab::clickhouse {

inline constexpr const char* kDefaultNamespace = "dedup_lab";
inline constexpr const char* kPasswordEnv = "DEDUP_CLICKHOUSE_PASSWORD";

/// A reached server with the lab's home on it; writes nothing. Errors: kInvalidArgument, kConnectionLost,
/// kRefused (login), kUnsupported (version).
struct Reached {
  Connection connection;
  Home home;
};
Result<Reached> reach(const SystemConfig& config, const CallContext& call);

std::vector<Finding> examine(const SystemConfig& config, const CallContext& call);
Result<std::unique_ptr<Admin>> make_admin(const SystemConfig& config);

}  // namespace lab::clickhouse
