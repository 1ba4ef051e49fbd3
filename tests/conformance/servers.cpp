// SPDX-License-Identifier: Apache-2.0
#include "servers.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <cstdlib>

#include "core/files.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

Error no_server(const std::string& why) {
  return {ErrorCode::kNotFound, "servers",
          why +
              "; start one with `deduplab testbed up`, and set LAB_SERVERS to a file with the output of "
              "`deduplab testbed env`"};
}

}  // namespace

Result<SystemConfig> server_config(const std::string& system) try {
  const char* const file = std::getenv("LAB_SERVERS");
  if (file == nullptr) return no_server("no server of " + system);
  const toml::table root = toml::parse_file(file);
  const toml::table* const table = root["systems"][system].as_table();
  if (table == nullptr) return no_server(std::string(file) + " has no [systems." + system + "]");
  SystemConfig config;
  config.url = (*table)["url"].value_or(std::string());
  config.directory = (*table)["directory"].value_or(std::string());
  if (const auto password_file = (*table)["password_file"].value<std::string>()) {
    const auto password = read_file(*password_file);
    if (!password) return password.error();
    config.password = std::string(trim(*password));
  }
  if (const toml::table* const options = (*table)["options"].as_table())
    for (const auto& [key, value] : *options)
      config.options[std::string(key.str())] = value.value_or(std::string());
  return config;
} catch (const toml::parse_error& bad) {
  return Error{ErrorCode::kInvalidArgument, "servers", bad.what()};
}

bool server_required(const std::string& system) {
  const char* const list = std::getenv("LAB_REQUIRE");
  if (list == nullptr) return false;
  const auto names = split(list, ',');
  return std::find(names.begin(), names.end(), system) != names.end();
}

}  // namespace lab
