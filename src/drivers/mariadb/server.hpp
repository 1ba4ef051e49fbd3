// Which server a configuration names, and what its error numbers mean to us.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "driver/system.hpp"

namespace lab::mariadb {

struct Server {
  std::string host{};
  std::uint16_t port = 0;
  std::string user{};
  std::string password{};
  bool tls = false;          // Certificate and host name are verified; without TLS there is no connection.
  bool tls_unasked = false;  // The url says nothing of it, and the server is on another machine.
  std::string tls_ca{};      // Trusted besides nothing else; empty: the machine's own list.
};

/// From url and password. Where the url has neither tls nor tls_ca, TLS is on for each host but a loopback
/// one itself. Errors: kInvalidArgument (no URL of ours, no user, a database in it).
Result<Server> server_of(const SystemConfig& config);

/// One error of the server or of the client library. `words` are its own.
Error error_of(unsigned number, std::string_view words, const char* operation);

/// True for numbers after which the connection is of no more use.
bool ends_connection(unsigned number);

}  // namespace lab::mariadb
