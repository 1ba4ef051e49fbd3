// What is looked at on a PostgreSQL server before a run, and who gets which rights.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/pgwire/lab_namespace.hpp"
#include "drivers/postgres/setup.hpp"

namespace lab::postgres {

/// Errors: kUnsupported where the server is too old for us or for the variant, kRefused for a standby.
Status check_server(pgwire::Connection& connection, const Setup& setup, const CallContext& call,
                    const char* operation);

/// Writes nothing.
std::vector<Finding> examine(const SystemConfig& config, const CallContext& call);

/// Statements that give a role of the lab's what the driver needs.
Result<std::unique_ptr<Admin>> make_admin(const SystemConfig& config);

}  // namespace lab::postgres
