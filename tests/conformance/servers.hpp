// Where the suite finds real servers: the file that LAB_SERVERS names, as `deduplab testbed env` prints it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "driver/system.hpp"

namespace lab {

/// Address, directory, password and options of the server of `system`. Errors: kNotFound, saying what to do,
/// where LAB_SERVERS names none.
Result<SystemConfig> server_config(const std::string& system);

/// True for the systems that LAB_REQUIRE lists ("redis,kafka"): there a missing server is a failure and not a
/// skip.
bool server_required(const std::string& system);

}  // namespace lab
