// One question to a server on the local machine, within bounds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace lab::testbed {

/// Connects to 127.0.0.1:port, sends `question` and returns the first bytes of the answer: at least `enough`,
/// or all until the other side closes. Takes at most 2 s. Errors: kConnectionLost, kTimeout, kCancelled.
Result<std::string> ask(std::uint16_t port, std::string_view question, std::size_t enough,
                        const CallContext& call);

/// "200" of HTTP/1.1 GET `path`, with the body after it: "200 Ok.\n".
Result<std::string> http_get(std::uint16_t port, std::string_view path, const CallContext& call);

/// Whether a server of PostgreSQL's protocol lets a client begin to log in, which it refuses while it starts
/// or recovers.
bool accepts_login(std::uint16_t port, std::string_view user, std::string_view database,
                   const CallContext& call);

}  // namespace lab::testbed
