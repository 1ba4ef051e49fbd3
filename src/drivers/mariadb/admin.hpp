// The statements that give the lab's user its rights.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "drivers/mariadb/connection.hpp"
#include "drivers/mariadb/layout.hpp"

namespace lab::mariadb {

/// `lab_user`: who is made and given the rights to exactly these databases. Errors: kRefused for the url's
/// own user.
Result<std::unique_ptr<Admin>> make_admin(const Server& server, const ServerNamespace& space,
                                          std::uint32_t containers, const std::string& lab_user);

}  // namespace lab::mariadb
