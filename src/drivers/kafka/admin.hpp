// The rights that the lab needs where a Kafka cluster has an authorizer, and who gives them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "driver/system.hpp"
#include "drivers/kafka/admin_calls.hpp"
#include "drivers/kafka/store.hpp"

namespace lab::kafka {

/// One binding for each right of `user` on the lab's topics and on the cluster; nothing more.
std::vector<AclRule> rules_of(const Store& store, const std::string& user);

/// `user` is whom the rights are given to. Errors: kInvalidArgument where its name cannot be printed as a
/// command.
Result<std::unique_ptr<Admin>> make_admin(const Store& store, const std::string& user);

}  // namespace lab::kafka
