// Host names become addresses without holding a call up.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/time.hpp"

namespace lab::pgwire {

/// The numeric addresses of `host`, itself if it is one. libpq would look a name up inside its own calls,
/// where neither deadline nor stop reach it. Errors: kTimeout, kCancelled, kConnectionLost (retryable) for a
/// name that the resolver does not know now.
Result<std::vector<std::string>> addresses_of(const std::string& host, const CallContext& call,
                                              const char* operation);

}  // namespace lab::pgwire
