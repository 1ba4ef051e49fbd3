// SPDX-License-Identifier: Apache-2.0
#include "server_table.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/text.hpp"

namespace lab::e2e {
namespace {

std::string text_of(const toml::table& table) {
  std::ostringstream text;
  text << table;
  return text.str();
}

}  // namespace

std::optional<std::string> table_of(const std::string& system) {
  const char* const file = std::getenv("LAB_SERVERS");
  if (file == nullptr) return std::nullopt;
  const toml::table root = toml::parse_file(file);
  const toml::table* const table = root["systems"][system].as_table();
  if (table == nullptr) return std::nullopt;
  return text_of(*table);
}

std::optional<std::string> password_of(const std::string& table) {
  const auto name = toml::parse(table)["password_file"].value<std::string>();
  if (!name) return std::nullopt;
  std::ifstream file(*name);
  std::string password;
  return std::getline(file, password) ? std::optional(password) : std::nullopt;
}

std::string with_password_of(const std::string& variable, const std::string& table) {
  toml::table changed = toml::parse(table);
  changed.erase("password_file");
  changed.insert_or_assign("password_env", variable);
  return text_of(changed);
}

bool required(const std::string& system) {
  const char* const list = std::getenv("LAB_REQUIRE");
  if (list == nullptr) return false;
  const auto names = split(list, ',');
  return std::find(names.begin(), names.end(), system) != names.end();
}

}  // namespace lab::e2e
