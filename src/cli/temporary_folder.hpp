// Where temporary files go that may be large.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>

namespace lab::cli {

/// What the user named, else $TMPDIR.
inline std::filesystem::path temporary_folder(const std::filesystem::path& named) {
  if (!named.empty()) return named;
  const char* const variable = std::getenv("TMPDIR");
  // Not /tmp: in many places that is memory.
  return variable != nullptr && *variable != '\0' ? variable : "/var/tmp";
}

}  // namespace lab::cli
