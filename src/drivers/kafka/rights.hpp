// The rights of a run that can be asked about without writing anything.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"
#include "drivers/kafka/store.hpp"

namespace lab::kafka {

/// A finding for each right that is missing, else one that says which are there. Of topics that are not there
/// a client is told nothing about reading, writing and deleting.
std::vector<Finding> examine_rights(const Store& store, const NamespaceState& state, Client& client,
                                    const CallContext& call, const char* operation);

/// Before the first object of a session: that what it will make can be deleted again. Its topics are there.
/// Errors: kRefused.
Status check_deletion(const Store& store, Client& client, const CallContext& call, const char* operation);

}  // namespace lab::kafka
