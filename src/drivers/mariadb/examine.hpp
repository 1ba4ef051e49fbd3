// Looking at a server before a run, at what is left of ours after one, and removing it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "drivers/mariadb/connection.hpp"
#include "drivers/mariadb/layout.hpp"

namespace lab::mariadb {

/// Errors: kUnsupported (older than 10.6, a Galera node, or without what the variant needs), kRefused (tables
/// that would not have files of their own).
Status check_fit(Use& use, const Setup& setup);

std::vector<Finding> examine_server(const Server& server, const Setup& setup, const SystemConfig& config,
                                    const CallContext& call);

Result<std::vector<std::string>> leftovers_of(const Server& server, const ServerNamespace& space,
                                              const CallContext& call);

/// Errors: kRefused for a namespace without our mark, kInUse while another run is at work.
Status remove_from(const Server& server, const ServerNamespace& space, const std::string& run_id,
                   const CallContext& call);

}  // namespace lab::mariadb
