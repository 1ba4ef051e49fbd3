// SPDX-License-Identifier: Apache-2.0
#include "driver/server_namespace.hpp"

#include <fmt/format.h>

#include "core/text.hpp"

namespace lab {
namespace {

constexpr std::size_t kNameMax = 40;  // Leaves room for a container's number below the 63 of PostgreSQL.
constexpr const char* kName = "namespace";
constexpr const char* kMode = "namespace_mode";

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= kNameMax && text[0] >= 'a' && text[0] <= 'z' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos;
}

}  // namespace

std::string ServerNamespace::container(std::uint32_t number, char separator) const {
  return number == 0 ? name : fmt::format("{}{}{}", name, separator, number);
}

bool is_numbered(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && name.size() > prefix.size() &&
         name.find_first_not_of("0123456789", prefix.size()) == std::string_view::npos;
}

std::vector<std::string> server_options(std::vector<std::string> own) {
  own.insert(own.begin(), {kName, kMode});
  return own;
}

Result<ServerNamespace> server_namespace(const SystemConfig& config, const std::string& default_name) {
  ServerNamespace made{.name = default_name};
  if (const auto found = config.options.find(kName); found != config.options.end()) made.name = found->second;
  if (!is_name(made.name))
    return bad_option(kName, made.name,
                      fmt::format(": write 1 to {} of a-z 0-9 - _, beginning with a letter", kNameMax));
  const auto mode = config.options.find(kMode);
  if (mode == config.options.end() || mode->second == "create") return made;
  const std::vector<std::string> modes{"create", "existing"};
  if (mode->second != "existing") return bad_option(kMode, mode->second, suggestion(mode->second, modes));
  made.create = false;
  return made;
}

}  // namespace lab
