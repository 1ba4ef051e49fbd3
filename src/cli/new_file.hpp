// A file that a flag names and that the program will make. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

namespace lab::cli {

/// Why no new file can be made at `path`, for after the flag; empty where one can, as far as names tell.
inline std::string why_no_new_file(const std::filesystem::path& path) {
  std::error_code unknown;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, unknown)))
    return path.string() + " exists already; name a new file";
  if (path.has_parent_path() && !std::filesystem::is_directory(path.parent_path(), unknown))
    return path.parent_path().string() + " is not a folder";
  if (!path.has_filename()) return path.string() + " is not the name of a file";
  return "";
}

}  // namespace lab::cli
