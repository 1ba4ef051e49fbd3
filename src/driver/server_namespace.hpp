// The lab's own namespace on a server: its name, and whether we may make and drop it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "driver/system.hpp"

namespace lab {

struct ServerNamespace {
  std::string name{};
  bool create = true;  // False: it exists and is managed by others; we empty it and never drop it.

  /// Name of a container: the namespace itself for 0, then NAME_1, NAME_2, ... (with `separator`).
  std::string container(std::uint32_t number, char separator = '_') const;
};

/// True for "undo001" with the prefix "undo": the prefix, then one digit or more and nothing else.
bool is_numbered(std::string_view name, std::string_view prefix);

/// The options that every server has: "namespace" and "namespace_mode"; a driver adds its own.
std::vector<std::string> server_options(std::vector<std::string> own = {});

/// From the configuration's options. A name is 1 to 40 of a-z 0-9 - _ and begins with a letter, so that it
/// needs no quoting where quoting is forgotten. Errors: kInvalidArgument.
Result<ServerNamespace> server_namespace(const SystemConfig& config, const std::string& default_name);

}  // namespace lab
