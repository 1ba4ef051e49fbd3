// SPDX-License-Identifier: Apache-2.0
#include "probe/mount.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <charconv>
#include <limits>
#include <set>

#include "core/files.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

/// mountinfo writes blank, tab, newline and backslash as three octal digits.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned value = 0;
    const char* const digits = text.data() + at + 1;
    if (text[at] == '\\' && at + 3 < text.size() &&
        std::from_chars(digits, digits + 3, value, 8).ptr == digits + 3) {
      out += static_cast<char>(value);
      at += 3;
    } else {
      out += text[at];
    }
  }
  return out;
}

/// The argument of XFS_IOC_FREE_EOFBLOCKS (xfsprogs, xfs_fs.h), which the kernel's own headers leave out.
struct XfsFreeEofblocks {
  std::uint32_t version = 1;
  std::uint32_t flags = 0;
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::uint32_t project = 0;
  std::uint32_t unused = 0;
  std::uint64_t min_file_size = 0;
  std::uint64_t reserved[12]{};
};
static_assert(sizeof(XfsFreeEofblocks) == 128);
constexpr unsigned long kXfsFreeEofblocks = _IOR('X', 58, XfsFreeEofblocks);
constexpr std::uint32_t kOnlyFrom = 1U << 4U;  // XFS_EOF_FLAGS_MINFILESIZE

}  // namespace

std::optional<Mount> parse_mountinfo(std::string_view text, std::uint64_t mount_id) {
  const std::string wanted = fmt::format("{}", mount_id);
  for (const std::string& line : split(text, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 10 || fields[0] != wanted) continue;
    // After optional fields a lone "-", then type and source.
    for (std::size_t at = 6; at + 2 < fields.size(); ++at)
      if (fields[at] == "-")
        return Mount{unescape(fields[4]), unescape(fields[3]), fields[at + 1], unescape(fields[at + 2])};
  }
  return std::nullopt;
}

Result<Mount> find_mount(const fs::path& path) {
  struct statx info{};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &info) != 0)
    return errno_error("probe.mount", path.string(), errno);
  const auto text = read_file("/proc/self/mountinfo", 16_MiB);
  if (!text) return text.error();
  const bool told = (info.stx_mask & STATX_MNT_ID) != 0;
  if (const auto mount = told ? parse_mountinfo(*text, info.stx_mnt_id) : std::nullopt) return *mount;
  return Error{ErrorCode::kNotFound, "probe.mount", "the kernel lists no mount for " + path.string()};
}

Result<FileSystemUse> file_system_use(const fs::path& path) {
  struct statfs info{};
  if (::statfs(path.c_str(), &info) != 0) return errno_error("probe.statfs", path.string(), errno);
  const std::int64_t block = info.f_frsize > 0 ? info.f_frsize : info.f_bsize;
  FileSystemUse use{Bytes{static_cast<std::int64_t>(info.f_blocks - info.f_bfree) * block}, Bytes{block}};
  if (info.f_blocks > 0) use.available = Bytes{static_cast<std::int64_t>(info.f_bavail) * block};
  return use;
}

void finish_frees(const fs::path& path) {
  const auto folder = open_file(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct statfs info{};
  if (!folder || ::fstatfs(folder->get(), &info) != 0) return;
  if (info.f_type != static_cast<decltype(info.f_type)>(XFS_SUPER_MAGIC)) return;
  // Frees preallocated blocks of files of at least this size, of none that is; and waits for deleted files.
  XfsFreeEofblocks none{.flags = kOnlyFrom, .min_file_size = std::numeric_limits<std::uint64_t>::max()};
  ::ioctl(folder->get(), kXfsFreeEofblocks, &none);
}

Result<std::string> file_system_key(int descriptor, dev_t device) {
  struct statfs info{};
  if (::fstatfs(descriptor, &info) != 0) return errno_error("probe.statfs", "a file", errno);
  if (info.f_type != static_cast<decltype(info.f_type)>(BTRFS_SUPER_MAGIC)) return fmt::format("{}", device);
  struct btrfs_ioctl_fs_info_args btrfs{};
  if (::ioctl(descriptor, BTRFS_IOC_FS_INFO, &btrfs) != 0)
    return errno_error("probe.btrfs", "BTRFS_IOC_FS_INFO", errno);
  std::string key = "btrfs ";
  for (const unsigned byte : btrfs.fsid) key += fmt::format("{:02x}", byte);
  return key;
}

Result<std::vector<fs::path>> one_root_each(const std::vector<fs::path>& roots) {
  std::vector<fs::path> chosen;
  std::set<std::string> seen;
  for (const fs::path& root : roots) {
    const auto folder = open_file(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!folder) return folder.error();
    struct stat info{};
    if (::fstat(folder->get(), &info) != 0) return errno_error("probe.stat", root.string(), errno);
    const auto key = file_system_key(folder->get(), info.st_dev);
    if (!key) return key.error();
    if (seen.insert(*key).second) chosen.push_back(root);
  }
  return chosen;
}

}  // namespace lab
