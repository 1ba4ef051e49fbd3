// The real servers that tests of the program run on: their tables of a plan.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace lab::e2e {

/// The table of one system out of the file that LAB_SERVERS names; nothing where it has none.
std::optional<std::string> table_of(const std::string& system);

/// Whether LAB_REQUIRE names it: then a missing server is a failure and no skip.
bool required(const std::string& system);

}  // namespace lab::e2e
