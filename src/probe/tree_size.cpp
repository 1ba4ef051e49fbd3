// SPDX-License-Identifier: Apache-2.0
#include "probe/tree_size.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

namespace lab {
namespace {

namespace fs = std::filesystem;

// Each walk starts anew after a folder vanished under the one before; a server that removes many needs a
// moment.
constexpr int kWalksMax = 20;
constexpr std::chrono::milliseconds kBetweenWalks{20};

class Walk {
 public:
  explicit Walk(const PartOf& part_of) : part_of_(part_of) {}

  /// Errors: errno's; ENOENT below the root means that the tree changed and the walk should start anew.
  Status add_root(const fs::path& root) {
    std::error_code failure;
    fs::recursive_directory_iterator entry(root, failure);
    while (!failure && entry != fs::recursive_directory_iterator{}) {
      LAB_TRY(add_file(root, entry->path()));
      entry.increment(failure);
    }
    if (failure) return errno_error("probe.walk", root.string(), failure.value());
    return ok();
  }

  TreeSize size{};

 private:
  Status add_file(const fs::path& root, const fs::path& path) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) {
      if (errno == ENOENT) return ok();  // Engines delete files while we walk.
      return errno_error("probe.lstat", path.string(), errno);
    }
    if (!S_ISREG(info.st_mode) || !seen_.emplace(info.st_dev, info.st_ino).second) return ok();
    const Bytes apparent{info.st_size};
    const Bytes allocated{info.st_blocks * 512};
    size.files += 1;
    size.apparent += apparent;
    size.allocated += allocated;
    const auto part = part_of_(path.lexically_relative(root));
    size.all_classified = size.all_classified && part.has_value();
    if (part) {
      size.apparent_parts[std::string(to_string(*part))] += apparent;
      size.allocated_parts[std::string(to_string(*part))] += allocated;
    }
    return ok();
  }

  const PartOf& part_of_;
  std::set<std::pair<dev_t, ino_t>> seen_{};
};

}  // namespace

Result<TreeSize> measure_tree(std::span<const fs::path> roots, const PartOf& part_of) {
  Status failure = ok();
  for (int walks = 0; walks < kWalksMax; ++walks) {
    if (walks > 0) std::this_thread::sleep_for(kBetweenWalks);
    Walk walk(part_of);
    failure = ok();
    for (const fs::path& root : roots) {
      failure = walk.add_root(root);
      if (!failure) break;
    }
    if (failure) return walk.size;
    if (failure.error().code != ErrorCode::kNotFound) break;
  }
  return std::move(failure).error();
}

}  // namespace lab
