// SPDX-License-Identifier: Apache-2.0
#include "probe/btrfs_probe.hpp"

#include <endian.h>
#include <fmt/format.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>

#include "core/files.hpp"
#include "probe/mount.hpp"
#include "probe/tree_walk.hpp"

namespace lab {
namespace {

constexpr std::size_t kAnswerBytes = 64 << 10;
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

/// A little-endian field of an item, which is packed and unaligned.
std::uint64_t field(const std::byte* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof(value));
  return le64toh(value);
}

class BtrfsSum {
 public:
  Status add(const FoundFile& file) {
    const auto opened = opener_.open(file);
    if (!opened) return opened.error();
    if (!*opened) return ok();
    const std::string& key = (*opened)->file_system;
    if (!key.starts_with("btrfs ")) return not_btrfs(file.path);
    inode_ = {file.info.st_dev, file.info.st_ino};
    return add_items((*opened)->handle, file, extents_[key]);
  }

  ByteMap figures(const std::string& name) const {
    std::int64_t exclusive = inline_;
    std::int64_t shared = 0;
    for (const auto& [key, extents] : extents_)
      for (const auto& [place, extent] : extents) (extent.shared ? shared : exclusive) += extent.bytes;
    return {{name, exclusive + shared}, {name + ":exclusive", exclusive}, {name + ":shared", shared}};
  }

 private:
  using Inode = std::pair<dev_t, ino_t>;
  struct Extent {
    std::int64_t bytes = 0;
    Inode first{};
    bool shared = false;  // Another file refers to it too.
  };
  using Extents = std::map<std::uint64_t, Extent>;  // By their place.

  static Error not_btrfs(const std::filesystem::path& path) {
    const auto mount = find_mount(path);
    return {ErrorCode::kUnsupported, "probe.btrfs",
            fmt::format("the files lie on {}, not on btrfs", mount ? mount->type : "another file system")};
  }

  /// All items of the file in the tree of its subvolume.
  Status add_items(const FileHandle& file, const FoundFile& found, Extents& extents) {
    alignas(8) static thread_local std::array<std::byte, sizeof(btrfs_ioctl_search_args_v2) + kAnswerBytes>
        room;
    for (std::uint64_t from = 0;;) {
      room.fill(std::byte{0});
      auto* const ask = reinterpret_cast<btrfs_ioctl_search_args_v2*>(room.data());
      ask->key = {.tree_id = 0,
                  .min_objectid = found.info.st_ino,
                  .max_objectid = found.info.st_ino,
                  .min_offset = from,
                  .max_offset = kMost,
                  .min_transid = 0,
                  .max_transid = kMost,
                  .min_type = BTRFS_EXTENT_DATA_KEY,
                  .max_type = BTRFS_EXTENT_DATA_KEY,
                  .nr_items = std::numeric_limits<std::uint32_t>::max(),
                  .unused = 0,
                  .unused1 = 0,
                  .unused2 = 0,
                  .unused3 = 0,
                  .unused4 = 0};
      ask->buf_size = kAnswerBytes;
      if (::ioctl(file.get(), BTRFS_IOC_TREE_SEARCH_V2, ask) != 0)
        return errno_error("probe.btrfs", "BTRFS_IOC_TREE_SEARCH_V2 of " + found.path.string(), errno);
      const std::uint32_t count = ask->key.nr_items;
      const std::byte* at = room.data() + sizeof(btrfs_ioctl_search_args_v2);
      for (std::uint32_t number = 0; number < count; ++number) {
        btrfs_ioctl_search_header header{};
        std::memcpy(&header, at, sizeof(header));
        at += sizeof(header);
        add_item(at, header.len, extents);
        at += header.len;
        from = header.offset;
      }
      // Ends: each answer begins behind the item that ended the one before.
      if (count == 0 || from == kMost) return ok();
      ++from;
    }
  }

  void add_item(const std::byte* item, std::uint32_t length, Extents& extents) {
    constexpr std::size_t kInlineHead = offsetof(btrfs_file_extent_item, disk_bytenr);
    if (length < kInlineHead) return;
    const auto type = static_cast<unsigned>(item[offsetof(btrfs_file_extent_item, type)]);
    if (type == BTRFS_FILE_EXTENT_INLINE) {
      inline_ += static_cast<std::int64_t>(length - kInlineHead);
      return;
    }
    if (length < sizeof(btrfs_file_extent_item)) return;
    const std::uint64_t place = field(item + kInlineHead);
    if (place == 0) return;  // A hole.
    const std::uint64_t bytes = field(item + offsetof(btrfs_file_extent_item, disk_num_bytes));
    const auto [known, is_new] = extents.try_emplace(place, Extent{static_cast<std::int64_t>(bytes), inode_});
    if (!is_new && known->second.first != inode_) known->second.shared = true;
  }

  FileOpener opener_{};
  std::map<std::string, Extents> extents_{};  // By file system.
  Inode inode_{};
  std::int64_t inline_ = 0;
};

}  // namespace

BtrfsProbe::BtrfsProbe(RootsOf roots, Bytes block)
    : roots_(std::move(roots)),
      info_{.name = "btrfs",
            .counts = "bytes on disk of the files' extents, each once, after compression (tree search)",
            .quantum = block} {}

Result<ByteMap> BtrfsProbe::read(const CallContext& call) {
  const auto roots = roots_(call);
  if (!roots) return roots.error();
  if (roots->empty()) return Error{ErrorCode::kUnsupported, "probe.btrfs", "no files on the local machine"};
  BtrfsSum sum;
  const auto add = [&](const FoundFile& file) -> Status {
    const Status in_time = allowed(call, "probe.btrfs");
    return in_time ? sum.add(file) : in_time;
  };
  LAB_TRY(walk_files(*roots, [&] { sum = {}; }, add));
  return sum.figures(info_.name);
}

}  // namespace lab
