// Which file system holds a folder, and what lies below it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"

namespace lab {

/// One line of /proc/self/mountinfo (proc(5)).
struct Mount {
  std::filesystem::path point{};
  std::string root{};    // Of the file system's tree that is mounted: "/" is all of it.
  std::string type{};    // "ext4", "xfs", "btrfs", "zfs"
  std::string source{};  // "/dev/loop0", "pool/dataset"
};

/// The mount that `path` lies on. Errors: errno's; kNotFound where the kernel does not list it.
Result<Mount> find_mount(const std::filesystem::path& path);

/// The line of `mount_id` in the text of a mountinfo file.
std::optional<Mount> parse_mountinfo(std::string_view text, std::uint64_t mount_id);

/// Bytes in use, and the block size by which they grow (statfs(2)).
struct FileSystemUse {
  Bytes used{};
  Bytes block{};
  std::optional<Bytes> available{};  // To those who are not root; absent where it tells no size at all.
};
Result<FileSystemUse> file_system_use(const std::filesystem::path& path);

/// Has the file system of `path` finish what it frees in the background. Only XFS needs it and can be told
/// to, by root from Linux 5.16 on; elsewhere nothing happens, and settling has to wait for it.
void finish_frees(const std::filesystem::path& path);

/// What tells the address space of one file system from another's: of btrfs its UUID, since each of its
/// subvolumes has a device number of its own; else the device number.
Result<std::string> file_system_key(int descriptor, dev_t device);

/// One folder of `roots` on each file system. Errors: errno's.
Result<std::vector<std::filesystem::path>> one_root_each(const std::vector<std::filesystem::path>& roots);

}  // namespace lab
