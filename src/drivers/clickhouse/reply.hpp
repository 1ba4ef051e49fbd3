// What a server's answer says: tab-separated rows, and exceptions as our errors.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace lab::clickhouse {

using Rows = std::vector<std::vector<std::string>>;

/// FORMAT TabSeparated taken apart, its escapes undone.
Rows parse_rows(std::string_view text);

/// The number behind "Code: " where `text` holds an exception: "Code: 62, e.displayText() = DB::Exception:
/// ..." of old servers, "Code: 62. DB::Exception: ..." of new ones.
std::optional<int> exception_code(std::string_view text);

/// The exception as our error: its code and the server's words, shortened.
Error exception_error(std::string_view text, const char* operation);

/// A literal in single quotes.
std::string literal(std::string_view text);
/// An identifier in backticks.
std::string identifier(std::string_view name);

}  // namespace lab::clickhouse
