// SPDX-License-Identifier: Apache-2.0
#include "probe/extents_probe.hpp"

#include <fmt/format.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/files.hpp"
#include "probe/mount.hpp"
#include "probe/tree_walk.hpp"

namespace lab {
namespace {

constexpr std::uint32_t kExtentsAtATime = 256;

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Bytes that at least one of the ranges covers.
std::uint64_t covered(std::vector<Range>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& left, const Range& right) { return left.begin < right.begin; });
  std::uint64_t total = 0;
  std::uint64_t end = 0;
  for (const Range& range : ranges) {
    const std::uint64_t from = std::max(range.begin, end);
    if (range.end > from) total += range.end - from;
    end = std::max(end, range.end);
  }
  return total;
}

/// Room for one answer of FS_IOC_FIEMAP: its head, with the extents behind it.
struct FiemapAnswer {
  alignas(struct fiemap)
      std::array<std::byte, sizeof(struct fiemap) + kExtentsAtATime * sizeof(struct fiemap_extent)> room{};
  struct fiemap* head() { return reinterpret_cast<struct fiemap*>(room.data()); }
  struct fiemap_extent extent(std::uint32_t number) const {
    struct fiemap_extent one{};
    std::memcpy(&one, room.data() + sizeof(struct fiemap) + number * sizeof(one), sizeof(one));
    return one;
  }
};

class ExtentSum {
 public:
  Status add(const FoundFile& file) {
    const auto opened = opener_.open(file);
    if (!opened) return opened.error();
    if (!*opened) return ok();
    files_ += 1;
    return add_extents((*opened)->handle, file.path, spaces_[(*opened)->file_system]);
  }

  Result<ExtentSize> size() {
    if (encoded_files_ > 0)
      return Error{
          ErrorCode::kUnsupported, "probe.extents",
          fmt::format("the file system compresses or encrypts {} of {} files and tells their extents' "
                      "length from before that; on btrfs the probe 'btrfs' counts them",
                      encoded_files_, files_)};
    std::uint64_t total = unplaced_;
    for (auto& [key, ranges] : spaces_) total += covered(ranges);
    return ExtentSize{Bytes{static_cast<std::int64_t>(total)}, files_};
  }

 private:
  Status add_extents(const FileHandle& file, const std::filesystem::path& path, std::vector<Range>& space) {
    FiemapAnswer answer;
    std::uint64_t from = 0;
    bool encoded = false;
    // Ends: each answer begins behind the one before, or is the last.
    for (bool more = true; more;) {
      answer.head()->fm_start = from;
      answer.head()->fm_length = FIEMAP_MAX_OFFSET - from;
      answer.head()->fm_flags = FIEMAP_FLAG_SYNC;
      answer.head()->fm_extent_count = kExtentsAtATime;
      if (::ioctl(file.get(), FS_IOC_FIEMAP, answer.head()) != 0) return refused(path, errno);
      const std::uint32_t count = std::min(answer.head()->fm_mapped_extents, kExtentsAtATime);
      more = count > 0;
      for (std::uint32_t number = 0; number < count; ++number) {
        const auto extent = answer.extent(number);
        encoded = encoded || (extent.fe_flags & FIEMAP_EXTENT_ENCODED) != 0;
        add_extent(extent, space);
        const std::uint64_t behind = extent.fe_logical + extent.fe_length;
        more = (extent.fe_flags & FIEMAP_EXTENT_LAST) == 0 && behind > from && behind < FIEMAP_MAX_OFFSET;
        from = std::max(from, behind);
      }
    }
    encoded_files_ += encoded ? 1 : 0;
    return ok();
  }

  void add_extent(const struct fiemap_extent& extent, std::vector<Range>& space) {
    constexpr std::uint32_t kNoPlace =
        FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_DATA_INLINE;
    if ((extent.fe_flags & kNoPlace) != 0)
      unplaced_ += extent.fe_length;
    else
      space.push_back({extent.fe_physical, extent.fe_physical + extent.fe_length});
  }

  static Error refused(const std::filesystem::path& path, int number) {
    if (number != EOPNOTSUPP && number != ENOTTY && number != EINVAL)
      return errno_error("probe.extents", path.string(), number);
    const auto mount = find_mount(path);
    return {ErrorCode::kUnsupported, "probe.extents",
            fmt::format("the file system ({}) does not tell where its extents lie (FIEMAP)",
                        mount ? mount->type : "of an unknown kind")};
  }

  FileOpener opener_{};
  std::map<std::string, std::vector<Range>> spaces_{};  // By file system.
  std::uint64_t unplaced_ = 0;
  std::uint64_t files_ = 0;
  std::uint64_t encoded_files_ = 0;
};

}  // namespace

Result<ExtentSize> measure_extents(std::span<const std::filesystem::path> roots, const CallContext& call) {
  ExtentSum sum;
  const auto add = [&](const FoundFile& file) -> Status {
    const Status in_time = allowed(call, "probe.extents");
    return in_time ? sum.add(file) : in_time;
  };
  LAB_TRY(walk_files(roots, [&] { sum = {}; }, add));
  return sum.size();
}

ExtentsProbe::ExtentsProbe(RootsOf roots, Bytes block, std::shared_ptr<LastExtents> last)
    : roots_(std::move(roots)),
      last_(std::move(last)),
      info_{.name = "extents",
            .counts = "physical bytes of the files' extents (FIEMAP, written out first), shared ones once",
            .quantum = block} {}

Result<ByteMap> ExtentsProbe::read(const CallContext& call) {
  if (last_) last_->reset();
  const auto roots = roots_(call);
  if (!roots) return roots.error();
  if (roots->empty()) return Error{ErrorCode::kUnsupported, "probe.extents", "no files on the local machine"};
  const auto size = measure_extents(*roots, call);
  if (last_) *last_ = size;
  if (!size) return size.error();
  return ByteMap{{info_.name, size->physical.count}};
}

}  // namespace lab
