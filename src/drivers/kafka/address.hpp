// Where a Kafka cluster is and how it is spoken to, from the url of a plan.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace lab::kafka {

struct Address {
  std::vector<std::string> hosts{};  // "host:port", an IPv6 address in brackets; one at least.
  std::string user{};                // Empty: none.
  std::string security{};            // plaintext, ssl, sasl_plaintext, sasl_ssl
  std::string mechanism{};           // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; empty without a user.
  std::string tls_ca{};              // File with the certificates that are trusted; empty: the system's own.

  bool encrypted() const { return security.ends_with("ssl"); }
};

/// kafka://user@host:port,host:port/?security=..&mechanism=..&tls_ca=.. Without `security` it is ssl, or
/// sasl_ssl with a user: plain text is spoken only where the url says so. Errors: kInvalidArgument; they
/// never repeat the text.
Result<Address> parse_address(std::string_view text);

}  // namespace lab::kafka
