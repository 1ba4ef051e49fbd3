// The data connection of the mariadb system.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "drivers/mariadb/connection.hpp"
#include "drivers/mariadb/layout.hpp"

namespace lab::mariadb {

/// `run_id` holds the lock; reset checks it.
Result<std::unique_ptr<Driver>> open_mariadb_driver(const Server& server, const Setup& setup,
                                                    const std::string& run_id, const CallContext& call);

}  // namespace lab::mariadb
