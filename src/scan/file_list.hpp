// What a scan reads, and what it leaves out and why.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "model/scan_record.hpp"

namespace lab::scan {

struct ScanFile {
  std::filesystem::path path{};
  std::uint64_t size = 0;  // When it was listed; what is written behind it later is not read.
  std::uint8_t file_class = 0;
  bool device = false;
  struct timespec modified{};
  struct timespec touched{};  // Its ctime: whoever puts `modified` back cannot put back this.
  std::uint64_t start = 0;    // The bytes of all files before it in the list.
};

struct FileList {
  std::vector<ScanFile> files{};
  std::vector<PathNote> left_out{};  // Everything that was found and is not in `files`.
  std::uint64_t bytes = 0;
};

/// The class of a file by its path; below the number of classes.
using ClassOf = std::function<std::size_t(const std::filesystem::path&)>;

/// Regular files below `paths`, sorted, each inode once, and block devices that `paths` names. A path that is
/// given may be a symbolic link; those below it are not followed. Errors: kNotFound (a path is missing),
/// kInvalidArgument (it is no file, folder or block device), kRefused, kIo, kCancelled.
Result<FileList> list_files(std::span<const std::filesystem::path> paths, const ClassOf& class_of,
                            const std::stop_token& stop);

/// Why `file` is not what it was when it was listed; empty if it is.
std::string changed_since(const ScanFile& file, const struct stat& info);

}  // namespace lab::scan
