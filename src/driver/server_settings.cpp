// SPDX-License-Identifier: Apache-2.0
#include "driver/server_settings.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "model/plan_rules.hpp"

namespace lab {
namespace {

/// Of a name in lower case.
bool names_credential(std::string_view name) {
  constexpr std::array<std::string_view, 10> kParts{
      "passwd",     "passphrase", "secret",           "token",        "conninfo",
      "credential", "sst_auth",   "provider_options", "init_connect", "connection_string"};
  constexpr std::array<std::string_view, 3> kEnds{"_command", "_key", "password"};
  const auto within = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  const auto ends = [&](std::string_view end) { return name.ends_with(end); };
  return std::any_of(kParts.begin(), kParts.end(), within) || std::any_of(kEnds.begin(), kEnds.end(), ends);
}

bool reads_like_credential(std::string_view value) {
  return plan_rules::holds_password(value) || to_lower(value).find("identified by") != std::string::npos;
}

}  // namespace

std::map<std::string, std::string> without_credentials(std::map<std::string, std::string> settings) {
  for (auto& [name, value] : settings)
    if (names_credential(to_lower(name)) || reads_like_credential(value)) value = kHiddenSetting;
  return settings;
}

}  // namespace lab
