// The real servers that tests of the program run on: their tables of a plan.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace lab::e2e {

/// The table of one system out of the file that LAB_SERVERS names; nothing where it has none.
std::optional<std::string> table_of(const std::string& system);

/// What stands in the first line of its `password_file`; nothing where it names none.
std::optional<std::string> password_of(const std::string& table);

/// The same table with `password_env` in the place of `password_file`.
std::string with_password_of(const std::string& variable, const std::string& table);

/// Whether LAB_REQUIRE names it: then a missing server is a failure and no skip.
bool required(const std::string& system);

}  // namespace lab::e2e
