// Where a server of PostgreSQL's protocol is and how it is logged into: a plan's url as libpq's keywords.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/system.hpp"

namespace lab::pgwire {

struct Address {
  std::string host{};
  std::uint16_t port = 0;
  std::string user{};  // Empty: libpq's own default, the user that runs this program.
  std::string database{};
  std::string password{};                                  // Empty: libpq looks into its password file.
  std::vector<std::pair<std::string, std::string>> tls{};  // sslmode, sslrootcert, sslcert, sslkey
  bool checked_unasked = false;                            // verify-full though the url does not name it.

  /// "host:port/database", for people.
  std::string text() const;
  /// libpq's keywords with their values; the host's addresses are looked up elsewhere.
  std::vector<std::pair<std::string, std::string>> keywords() const;
};

/// From `config.url` and `config.password`. Without an `sslmode` the mode is verify-full, whatever PGSSLMODE
/// says: a password and the data go to nobody else, and never as plain text unless the url says so. To this
/// machine itself, with no `sslrootcert` either, it is libpq's (prefer, or PGSSLMODE). Errors:
/// kInvalidArgument, which never repeat the text.
Result<Address> parse_address(const SystemConfig& config, std::uint16_t default_port,
                              std::string_view default_database);

}  // namespace lab::pgwire
