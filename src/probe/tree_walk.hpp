// A walk over the regular files below some folders, while the system may still make and remove some.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "core/files.hpp"
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

/// Opens files that a walk has found and tells which file system each lies on. Not thread-safe.
class FileOpener {
 public:
  struct Opened {
    FileHandle handle;
    const std::string& file_system;  // file_system_key(); valid as long as the opener.
  };
  /// Nothing where the file was deleted meanwhile. Errors: those of open_file and file_system_key.
  Result<std::optional<Opened>> open(const FoundFile& file);

 private:
  std::map<dev_t, std::string> keys_{};
};

}  // namespace lab
