// What is looked at before a run writes anything, and what earlier runs left.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"
#include "drivers/kafka/store.hpp"

namespace lab::kafka {

/// `store` is read from the configuration already.
std::vector<Finding> examine_cluster(const Store& store, const CallContext& call);

Result<std::vector<std::string>> leftovers_in(const Store& store, const CallContext& call);

}  // namespace lab::kafka
