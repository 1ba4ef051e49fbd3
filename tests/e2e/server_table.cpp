// SPDX-License-Identifier: Apache-2.0
#include "server_table.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "core/text.hpp"

namespace lab::e2e {

std::optional<std::string> table_of(const std::string& system) {
  const char* const file = std::getenv("LAB_SERVERS");
  if (file == nullptr) return std::nullopt;
  const toml::table root = toml::parse_file(file);
  const toml::table* const table = root["systems"][system].as_table();
  if (table == nullptr) return std::nullopt;
  std::ostringstream text;
  text << *table;
  return text.str();
}

bool required(const std::string& system) {
  const char* const list = std::getenv("LAB_REQUIRE");
  if (list == nullptr) return false;
  const auto names = split(list, ',');
  return std::find(names.begin(), names.end(), system) != names.end();
}

}  // namespace lab::e2e
