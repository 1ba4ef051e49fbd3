// A walk over the regular files below some folders, while the system may still make and remove some.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <span>

#include "core/result.hpp"

namespace lab {

struct FoundFile {
  const std::filesystem::path& root;
  const std::filesystem::path& path;
  const struct stat& info;
};

/// Calls `visit` for each regular file, each inode once (hard links); symbolic links are not followed. A file
/// that vanishes meanwhile is left out. When a folder vanishes the walk begins anew, a bounded number of
/// times, and `begin` is called before each. Errors: kNotFound (a root is missing), kRefused, kIo, visit's.
Status walk_files(std::span<const std::filesystem::path> roots, const std::function<void()>& begin,
                  const std::function<Status(const FoundFile&)>& visit);

}  // namespace lab
