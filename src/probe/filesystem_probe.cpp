// SPDX-License-Identifier: Apache-2.0
#include "probe/filesystem_probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "probe/mount.hpp"
#include "probe/tree_size.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

// What metadata may grow by itself. Measured with 400 files of 128 KiB: ext4 20 bytes a file, XFS 522, btrfs
// 1556 (it keeps a checksum of 4 bytes for each 4 KiB besides).
constexpr std::int64_t kMetadataOfAFile = 2 << 10;
constexpr std::int64_t kMetadataShare = 200;  // One 200th of the data.
constexpr std::int64_t kMetadataAtOnce = 64 << 10;

/// An entry of `folder` but for those that the way goes on with, what mkfs has made, and our own marker.
Result<std::optional<std::string>> other_entry(const fs::path& folder, std::span<const fs::path> roots) {
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const fs::path path = entry->path();
    const bool on_the_way = std::any_of(roots.begin(), roots.end(), [&](const fs::path& root) {
      return std::mismatch(path.begin(), path.end(), root.begin(), root.end()).first == path.end();
    });
    const bool known = path.filename() == "lost+found" || path.filename() == ".deduplab";
    if (!on_the_way && !known) return std::optional(path.string());
  }
  if (failure) return errno_error("probe.filesystem", folder.string(), failure.value());
  return std::optional<std::string>{};
}

/// Whether all that such a file system has in use is told by the extents and blocks of its files, by the
/// measurements above. Others keep whole extents of which a part is overwritten, or free in the background.
bool is_plain(const std::string& type) { return type.starts_with("ext") || type == "xfs" || type == "tmpfs"; }

}  // namespace

Result<std::optional<std::string>> find_stranger(std::span<const fs::path> roots) {
  std::vector<fs::path> whole;
  std::error_code failure;
  for (const fs::path& root : roots) {
    whole.push_back(fs::canonical(root, failure));
    if (failure) return errno_error("probe.filesystem", root.string(), failure.value());
  }
  for (const fs::path& root : whole) {
    const auto mount = find_mount(root);
    if (!mount) return mount.error();
    if (mount->root != "/")
      return std::optional("all but " + mount->root + " of the file system of " + mount->point.string());
    if (mount->type == "overlay") return std::optional("the layers of " + mount->point.string());
    for (fs::path folder = root; folder != mount->point && folder != folder.root_path();) {
      folder = folder.parent_path();
      const auto other = other_entry(folder, whole);
      if (!other || *other) return other;
    }
  }
  return std::optional<std::string>{};
}

FilesystemProbe::FilesystemProbe(RootsOf roots, Bytes block, Millis lag, std::shared_ptr<LastExtents> extents,
                                 std::shared_ptr<ForeignGrowth> foreign)
    : roots_(std::move(roots)),
      extents_(std::move(extents)),
      foreign_(std::move(foreign)),
      info_{.name = "filesystem",
            .counts = "bytes of the file system in use (statfs), behind syncfs, metadata included",
            .quantum = block,
            .lag = lag} {}

Result<FilesystemProbe::State> FilesystemProbe::look(const CallContext& call) const {
  const auto roots = roots_(call);
  if (!roots) return roots.error();
  if (roots->empty())
    return Error{ErrorCode::kUnsupported, "probe.filesystem", "no files on the local machine"};
  const auto each = one_root_each(*roots);
  if (!each) return each.error();
  State now;
  for (const fs::path& root : *each) {
    finish_frees(root);
    const auto use = file_system_use(root);
    if (!use) return use.error();
    now.used += use->used;
    const auto mount = find_mount(root);
    if (!mount) return mount.error();
    now.plain = now.plain && is_plain(mount->type);
  }
  const auto stranger = find_stranger(*roots);
  if (!stranger) return stranger.error();
  now.stranger = *stranger;
  // Also where nobody else is seen: an open file without a name, and lost+found, are in no folder.
  const auto extents = extents_of(*roots, call);
  if (extents) {
    now.own = extents->physical;
    now.files = extents->files;
    now.placed = true;
    return now;
  }
  LAB_TRY(allowed(call, "probe.filesystem"));
  // Where extents are not told nothing is shared, or it is compressed; then the growth is refused below.
  const auto tree = measure_tree(*roots, [](const fs::path&) { return FilePart::kPayload; });
  if (!tree) return tree.error();
  now.own = tree->allocated;
  now.files = tree->files;
  return now;
}

Result<ExtentSize> FilesystemProbe::extents_of(const std::vector<fs::path>& roots,
                                               const CallContext& call) const {
  if (!extents_ || !*extents_) return measure_extents(roots, call);
  auto taken = std::move(**extents_);
  extents_->reset();
  return taken;
}

Status FilesystemProbe::check(const State& now) {
  uncertain_.reset();
  if (!empty_) return ok();
  const std::int64_t own = (now.own - empty_->own).count;
  const std::int64_t rest = (now.used - empty_->used).count - own;
  const auto files = static_cast<std::int64_t>(now.files) - static_cast<std::int64_t>(empty_->files);
  most_files_ = std::max<std::int64_t>(most_files_, std::llabs(files));
  const std::int64_t allowance =
      kMetadataAtOnce + std::llabs(own) / kMetadataShare + most_files_ * kMetadataOfAFile;
  const bool much = std::llabs(rest) > allowance;
  if (now.stranger || empty_->stranger) {
    if (much)
      return Error{
          ErrorCode::kRefused, "probe.filesystem",
          fmt::format("the file system is shared (with {}) and moves by itself: since the empty system was "
                      "read {} bytes of its growth are not of the system's files, more than {}",
                      now.stranger ? *now.stranger : *empty_->stranger, rest, allowance)};
    uncertain_ = Bytes{std::llabs(rest)};
    return ok();
  }
  // Less than our own blocks is compression where these are not told as they lie on the disk.
  if (!much || (rest < 0 && !(now.plain && now.placed && empty_->placed))) return ok();
  if (!now.plain) {
    uncertain_ = Bytes{std::llabs(rest)};
    return ok();
  }
  return Error{ErrorCode::kRefused, "probe.filesystem",
               fmt::format("since the empty system was read {} bytes of the file system's growth are in none "
                           "of the system's files, more than {}: an open file without a name, or lost+found?",
                           rest, allowance)};
}

Result<ByteMap> FilesystemProbe::read(const CallContext& call) {
  auto now = look(call);
  if (now) last_ = *now;
  const Status ours = now ? check(*now) : Status(now.error());
  if (foreign_) *foreign_ = ours ? ForeignGrowth{} : ours.error();
  LAB_TRY(ours);
  return ByteMap{{info_.name, now->used.count}};
}

}  // namespace lab
