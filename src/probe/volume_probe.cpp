// SPDX-License-Identifier: Apache-2.0
#include "probe/volume_probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <set>

#include "core/files.hpp"
#include "core/text.hpp"
#include "probe/hidden_growth.hpp"
#include "probe/mount.hpp"
#include "probe/tool.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSector = 512;    // Of stat(2) and of device-mapper, whatever the device has.
constexpr Bytes kThinBlock{64 << 10};    // The smallest block of a thin pool.
constexpr std::size_t kDevicesMax = 64;  // Below one file system.
constexpr int kTrimsMax = 10;
constexpr Millis kBetweenTrims{100};    // XFS frees the blocks of a deleted file in the background.
constexpr long kZfsMagic = 0x2FC12FC1;  // Not in linux/magic.h.

fs::path sys_of(dev_t device) {
  return fmt::format("/sys/dev/block/{}:{}", ::major(device), ::minor(device));
}

/// A line of /sys; nothing where it is not there.
std::optional<std::string> sys_line(const fs::path& path) {
  const auto text = read_file(path, 1_MiB);
  if (!text) return std::nullopt;
  return std::string(trim(*text));
}

std::optional<dev_t> parse_device(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  unsigned major = 0;
  unsigned minor = 0;
  if (std::sscanf(text->c_str(), "%u:%u", &major, &minor) != 2) return std::nullopt;
  return ::makedev(major, minor);
}

/// Devices that `device` is made from: what device-mapper and md put together, and the disk of a partition.
std::vector<dev_t> devices_below(dev_t device) {
  std::vector<dev_t> below;
  const fs::path sys = sys_of(device);
  std::error_code failure;
  for (fs::directory_iterator slave(sys / "slaves", failure), end; !failure && slave != end;
       slave.increment(failure))
    if (const auto found = parse_device(sys_line(slave->path() / "dev"))) below.push_back(*found);
  if (fs::exists(sys / "partition", failure)) {
    const fs::path whole = fs::canonical(sys, failure).parent_path();
    if (const auto found = failure ? std::nullopt : parse_device(sys_line(whole / "dev")))
      below.push_back(*found);
  }
  return below;
}

/// The device that a file system lies on. Of btrfs the mount's source tells it.
Result<dev_t> device_of(const fs::path& root) {
  struct stat info{};
  const auto mount = find_mount(root);
  if (!mount) return mount.error();
  if (::stat(mount->source.c_str(), &info) == 0 && S_ISBLK(info.st_mode)) return info.st_rdev;
  if (::stat(root.c_str(), &info) != 0) return errno_error("probe.volume", root.string(), errno);
  return info.st_dev;
}

bool same_file(const fs::path& left, const struct stat& right) {
  struct stat info{};
  return ::stat(left.c_str(), &info) == 0 && info.st_dev == right.st_dev && info.st_ino == right.st_ino;
}

/// Whether `device`, or what it is made from, is the volume.
bool lies_on(dev_t device, const struct stat& volume) {
  std::vector<dev_t> open{device};
  std::set<dev_t> seen;
  while (!open.empty() && seen.size() < kDevicesMax) {
    const dev_t one = open.back();
    open.pop_back();
    if (!seen.insert(one).second) continue;
    if (S_ISBLK(volume.st_mode) && one == volume.st_rdev) return true;
    const auto image = sys_line(sys_of(one) / "loop/backing_file");
    if (image && S_ISREG(volume.st_mode) && same_file(*image, volume)) return true;
    for (const dev_t below : devices_below(one)) open.push_back(below);
  }
  return false;
}

/// An image: written out, then its blocks.
Result<Volume::Allocation> image_allocation(const fs::path& path) {
  const auto file = open_file(path, O_RDONLY | O_CLOEXEC);
  if (!file) return file.error();
  struct stat info{};
  struct statfs system{};
  if (::fsync(file->get()) != 0 || ::fstat(file->get(), &info) != 0 || ::fstatfs(file->get(), &system) != 0)
    return errno_error("probe.volume", path.string(), errno);
  return Volume::Allocation{.bytes = Bytes{info.st_blocks * kSector},
                            .block = Bytes{info.st_blksize},
                            .all_paid = static_cast<long>(system.f_type) != kZfsMagic};
}

Result<Volume::Allocation> device_allocation(const fs::path& path, dev_t device, const CallContext& call) {
  if (const auto image = sys_line(sys_of(device) / "loop/backing_file")) return image_allocation(*image);
  const auto mapped = sys_line(sys_of(device) / "dm/name");
  if (!mapped)
    return Error{ErrorCode::kUnsupported, "probe.volume",
                 path.string() +
                     " is a device that keeps no count of what it holds: name an image file, a loop "
                     "device or a thin device"};
  const auto text = run_tool({"dmsetup", "status", *mapped}, "Debian's package dmsetup", call);
  if (!text) return text.error();
  const auto bytes = parse_thin_status(*text);
  if (!bytes) return bytes.error();
  return Volume::Allocation{.bytes = *bytes, .block = kThinBlock, .all_paid = true};
}

/// As fstrim(8): the whole file system, pieces of any length.
Status trim_file_system(const fs::path& root) {
  const auto folder = open_file(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!folder) return folder.error();
  struct fstrim_range range{};
  range.len = std::numeric_limits<std::uint64_t>::max();
  if (::ioctl(folder->get(), FITRIM, &range) == 0) return ok();
  if (errno == EOPNOTSUPP || errno == ENOTTY)
    return Error{ErrorCode::kUnsupported, "probe.trim",
                 "the file system of " + root.string() + ", or its device, cannot be trimmed"};
  return errno_error("probe.trim", root.string(), errno);
}

/// The roots, one on each file system, on the volume; none where the files are not on the local machine.
Result<std::vector<fs::path>> roots_upon(const Volume& volume, const RootsOf& roots_of,
                                         const CallContext& call) {
  const auto roots = roots_of(call);
  if (!roots) return roots.error();
  auto each = one_root_each(*roots);
  if (!each) return each;
  LAB_TRY(volume.check_below(*each));
  for (const fs::path& root : *each) LAB_TRY(sync_file_system(root));
  return each;
}

Result<Bytes> used_by(const std::vector<fs::path>& roots) {
  Bytes used;
  for (const fs::path& root : roots) {
    const auto use = file_system_use(root);
    if (!use) return use.error();
    used += use->used;
  }
  return used;
}

/// What the volume has grown by more than the file systems upon it, where that is more than the hidden growth
/// that is let pass.
std::optional<Bytes> unexplained(const std::optional<VolumeUse>& empty, const std::optional<VolumeUse>& now) {
  if (!empty || !now) return std::nullopt;
  return hidden_growth(now->allocated - empty->allocated, now->used - empty->used);
}

/// Errors: why the growth of the file system is not that of our files alone.
Status all_ours(const std::shared_ptr<const ForeignGrowth>& foreign) {
  if (foreign && *foreign) return **foreign;
  return ok();
}

}  // namespace

Result<Bytes> parse_thin_status(std::string_view text) {
  // "0 2097152 thin 524288 2097151": start, length, target, mapped sectors, highest one.
  const auto fields = split(trim(text), ' ');
  if (fields.size() < 4 || fields[2] != "thin")
    return Error{ErrorCode::kUnsupported, "probe.volume",
                 fmt::format("no thin device; dmsetup says '{}'", trim(text))};
  const auto sectors = parse_tool_bytes("dmsetup", fields[3]);
  if (!sectors) return sectors.error();
  return Bytes{sectors->count * kSector};
}

Result<Volume::Allocation> Volume::allocation(const CallContext& call) const {
  LAB_TRY(allowed(call, "probe.volume"));
  struct stat info{};
  if (::stat(path_.c_str(), &info) != 0) return errno_error("probe.volume", path_.string(), errno);
  if (S_ISREG(info.st_mode)) return image_allocation(path_);
  if (S_ISBLK(info.st_mode)) return device_allocation(path_, info.st_rdev, call);
  return Error{ErrorCode::kUnsupported, "probe.volume",
               path_.string() + " is neither an image file nor a block device"};
}

Status Volume::check_below(const std::vector<fs::path>& roots) const {
  struct stat info{};
  if (::stat(path_.c_str(), &info) != 0) return errno_error("probe.volume", path_.string(), errno);
  for (const fs::path& root : roots) {
    const auto device = device_of(root);
    if (!device) return device.error();
    if (!lies_on(*device, info))
      return Error{ErrorCode::kRefused, "probe.volume",
                   fmt::format("the file system of {} does not lie on {}", root.string(), path_.string())};
  }
  return ok();
}

VolumeProbe::VolumeProbe(RootsOf roots, std::shared_ptr<const Volume> volume,
                         std::shared_ptr<const ForeignGrowth> foreign, Handling handling)
    : roots_(std::move(roots)),
      volume_(std::move(volume)),
      foreign_(std::move(foreign)),
      handling_(std::move(handling)),
      info_{.name = "volume",
            .counts = "bytes that the volume below the file system has allocated",
            .quantum = Bytes{4096}} {}

Result<ByteMap> VolumeProbe::read(const CallContext& call) {
  const auto roots = roots_upon(*volume_, roots_, call);
  if (!roots) return roots.error();
  const auto allocation = volume_->allocation(call);
  if (!allocation) return allocation.error();
  const auto used = used_by(*roots);
  if (!used) return used.error();
  const VolumeUse now{allocation->bytes, *used};
  info_.quantum = allocation->block;
  last_ = now;
  all_paid_ = allocation->all_paid;
  if (!empty_) trimmed_ = handling_.trimmed && *handling_.trimmed;
  if (!empty_) return ByteMap{{info_.name, now.allocated.count}};
  LAB_TRY(all_ours(foreign_));
  if (allocation->all_paid && handling_.hook && !trimmed_)
    return Error{
        ErrorCode::kRefused, "probe.volume",
        "a hook may free blocks before this reading, and what went into blocks that the volume had from "
        "before cannot be told then; with trim = true it is emptied first"};
  const Bytes grown = now.used - empty_->used;
  const auto hidden = hidden_growth(grown, now.allocated - empty_->allocated);
  if (allocation->all_paid && hidden)
    return Error{ErrorCode::kRefused, "probe.volume",
                 fmt::format("the file system has grown by {} bytes and the volume by {}: the rest went into "
                             "blocks that the volume had from before; with trim = true it is emptied first",
                             grown.count, (grown - *hidden).count)};
  return ByteMap{{info_.name, now.allocated.count}};
}

/// Of what was written since the empty system, the bytes that may lie in blocks which the volume had from
/// before. The journal's first pass goes into new ones and would make up for them, so that both growths
/// together do not tell; a volume that was trimmed had none.
Bytes VolumeProbe::hidden_at_most(const VolumeUse& now) const {
  if (!all_paid_ || !empty_) return {};
  const Bytes grown = std::max(now.used - empty_->used, Bytes{});
  const Bytes unseen = grown - std::max(now.allocated - empty_->allocated, Bytes{});
  const Bytes old = trimmed_ ? Bytes{} : empty_->allocated - empty_->used;
  return std::max({std::min(grown, old), unseen, Bytes{}});
}

std::optional<Bytes> VolumeProbe::uncertain() const {
  if (!empty_ || !last_) return std::nullopt;
  const Bytes most = std::max(hidden_at_most(*last_), unexplained(empty_, last_).value_or(Bytes{}));
  return most > Bytes{} ? std::optional(most) : std::nullopt;
}

Result<std::string> VolumeProbe::remarks(const CallContext&) {
  std::vector<std::string> said;
  if (const auto more = unexplained(empty_, last_))
    said.push_back(fmt::format(
        "the volume has grown by {} bytes more than the file system on it uses: its journal, written for the "
        "first time, or blocks that are free again and not trimmed",
        more->count));
  const Bytes hidden = empty_ && last_ ? hidden_at_most(*last_) : Bytes{};
  if (!trimmed_ && hidden > Bytes{})
    said.push_back(
        fmt::format("up to {} bytes may lie in blocks that the volume had from before; with trim = true it "
                    "is emptied first",
                    hidden.count));
  return join(said, "; ");
}

/// Also where it is none: a figure without its own would be taken for a part of `volume`, with its
/// uncertainty.
std::optional<Bytes> TrimmedVolumeProbe::uncertain() const {
  return unexplained(empty_, last_).value_or(Bytes{});
}

TrimmedVolumeProbe::TrimmedVolumeProbe(RootsOf roots, std::shared_ptr<const Volume> volume,
                                       std::shared_ptr<const ForeignGrowth> foreign,
                                       std::shared_ptr<bool> done)
    : roots_(std::move(roots)),
      volume_(std::move(volume)),
      foreign_(std::move(foreign)),
      done_(std::move(done)),
      info_{.name = "volume:trimmed",
            .counts = "bytes that the volume has allocated after fstrim",
            .quantum = Bytes{4096},
            .disturbs = true} {}

Result<ByteMap> TrimmedVolumeProbe::read(const CallContext& call) {
  std::optional<Bytes> before;
  for (int trims = 0; trims < kTrimsMax; ++trims) {
    if (trims > 0 && !sleep_until(call.stop, Clock::now() + kBetweenTrims))
      LAB_TRY(allowed(call, "probe.trim"));
    const auto roots = roots_upon(*volume_, roots_, call);
    if (!roots) return roots.error();
    if (roots->empty())
      return Error{ErrorCode::kUnsupported, info_.name, "no file system on the local machine to trim"};
    for (const fs::path& root : *roots) {
      finish_frees(root);
      LAB_TRY(sync_file_system(root));
      LAB_TRY(trim_file_system(root));
    }
    const auto allocation = volume_->allocation(call);
    if (!allocation) return allocation.error();
    info_.quantum = allocation->block;
    if (before == allocation->bytes) {
      const auto used = used_by(*roots);
      if (!used) return used.error();
      last_ = VolumeUse{allocation->bytes, *used};
      if (done_) *done_ = true;
      LAB_TRY(all_ours(foreign_));
      return ByteMap{{info_.name, before->count}};
    }
    before = allocation->bytes;
  }
  return Error{ErrorCode::kUnsettled, info_.name, fmt::format("still moving after {} trims", kTrimsMax)};
}

}  // namespace lab
