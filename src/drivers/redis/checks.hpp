// What is looked at before a run, what is left after one, and the rights that the lab needs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/redis/site.hpp"

namespace lab::redis {

std::vector<Finding> examine(const Site& site, const CallContext& call);
Result<std::vector<std::string>> leftovers(const Site& site, const CallContext& call);

/// The lab's own user is `dedup_lab`.
std::unique_ptr<Admin> make_admin(const Site& site);

/// The rules of ACL SETUSER that a session needs, without the password: a part of a rule each.
std::vector<std::string> rules_of(const KeySpace& space);

}  // namespace lab::redis
