// The address of a server as a plan writes it: scheme://user@host:port/path?key=value, never with a password.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace lab {

struct ServerUrl {
  std::string scheme{};                             // Lower case.
  std::string user{};                               // Decoded; empty: none.
  std::string host{};                               // An IPv6 address without its brackets.
  std::uint16_t port = 0;                           // The default that was given where the text has none.
  std::string path{};                               // Decoded, without its leading '/': a database, a bucket.
  std::map<std::string, std::string> parameters{};  // Decoded.
};

/// Errors: kInvalidArgument for text that is no URL, a scheme not among `schemes`, a password, a parameter
/// not among `parameters` (with the nearest one), or one that stands twice. Errors never repeat the text.
Result<ServerUrl> parse_server_url(std::string_view text, std::span<const std::string> schemes,
                                   std::uint16_t default_port, std::span<const std::string> parameters = {});

/// Whether what is sent to `host` stays on the local host: "localhost", 127.0.0.0/8 and ::1, as they are
/// written. A name is not looked up.
bool is_loopback(const std::string& host);

}  // namespace lab
