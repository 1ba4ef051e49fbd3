// What of a server's settings may be kept: a server tells some of its own credentials to whoever may ask.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace lab {

/// In the place of a value that may hold a credential.
inline constexpr std::string_view kHiddenSetting = "(set; not shown)";

/// Hides each value that may hold a credential: by its name (PostgreSQL's primary_conninfo and commands,
/// MariaDB's REPORT_PASSWORD, keys, tokens, ...), or by how it reads (a password in an address or in a
/// statement). Two values that are hidden cannot be told apart.
std::map<std::string, std::string> without_credentials(std::map<std::string, std::string> settings);

}  // namespace lab
