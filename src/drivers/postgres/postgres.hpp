// The postgresql system: a PostgreSQL server, 13 or later.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/server_namespace.hpp"
#include "driver/system.hpp"
#include "drivers/pgwire/address.hpp"
#include "drivers/postgres/setup.hpp"

namespace lab {

SystemEntry postgresql_system();

namespace postgres {

/// A configuration, checked.
struct Target {
  pgwire::Address address{};
  ServerNamespace place{};
  Setup setup{};
  std::string role{};  // Whom `setup` gives the rights to.
};

/// Errors: kInvalidArgument.
Result<Target> make_target(const SystemConfig& config);

}  // namespace postgres
}  // namespace lab
