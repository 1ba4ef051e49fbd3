// The words about a server that could not be reached or logged in to, the same in every command.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "driver/system.hpp"
#include "model/plan.hpp"

namespace lab {

/// One line: where, `detail`, and what to do about `code`. It may repeat what the server was sent:
/// log_redacted is the caller's.
std::string words_for_unreached(const SystemPlan& system, const SystemEntry& entry, ErrorCode code,
                                const std::string& detail);

/// reach_server, with these words in place of the error's own.
Status reach_system(const SystemPlan& system, const SystemEntry& entry, const SystemConfig& config,
                    const CallContext& call);

}  // namespace lab
