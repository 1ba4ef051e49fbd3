// SPDX-License-Identifier: Apache-2.0
#include "probe/tree_walk.hpp"

#include <fcntl.h>

#include <cerrno>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

#include "probe/mount.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

// Each walk starts anew after a folder vanished under the one before; a server that removes many needs a
// moment.
constexpr int kWalksMax = 20;
constexpr std::chrono::milliseconds kBetweenWalks{20};

using Seen = std::set<std::pair<dev_t, ino_t>>;

Status visit_one(const fs::path& root, const fs::path& path, Seen& seen,
                 const std::function<Status(const FoundFile&)>& visit) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return ok();  // Engines delete files while we walk.
    return errno_error("probe.lstat", path.string(), errno);
  }
  if (!S_ISREG(info.st_mode) || !seen.emplace(info.st_dev, info.st_ino).second) return ok();
  return visit({root, path, info});
}

/// Errors: errno's; ENOENT below the root means that the tree changed and the walk should start anew.
Status walk_root(const fs::path& root, Seen& seen, const std::function<Status(const FoundFile&)>& visit) {
  std::error_code failure;
  fs::recursive_directory_iterator entry(root, failure);
  while (!failure && entry != fs::recursive_directory_iterator{}) {
    LAB_TRY(visit_one(root, entry->path(), seen, visit));
    entry.increment(failure);
  }
  if (failure) return errno_error("probe.walk", root.string(), failure.value());
  return ok();
}

}  // namespace

Status walk_files(std::span<const fs::path> roots, const std::function<void()>& begin,
                  const std::function<Status(const FoundFile&)>& visit) {
  Status walked = ok();
  for (int walks = 0; walks < kWalksMax; ++walks) {
    if (walks > 0) std::this_thread::sleep_for(kBetweenWalks);
    begin();
    Seen seen;
    walked = ok();
    for (const fs::path& root : roots) {
      walked = walk_root(root, seen, visit);
      if (!walked) break;
    }
    if (walked || walked.error().code != ErrorCode::kNotFound) return walked;
  }
  return walked;
}

Result<std::optional<FileOpener::Opened>> FileOpener::open(const FoundFile& file) {
  // A pipe cannot be here, but may have taken the name since: O_NONBLOCK.
  auto opened = open_file(file.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (!opened && opened.error().code == ErrorCode::kNotFound) return std::optional<Opened>{};
  if (!opened) return opened.error();
  auto key = keys_.find(file.info.st_dev);
  if (key == keys_.end()) {
    const auto found = file_system_key(opened->get(), file.info.st_dev);
    if (!found) return found.error();
    key = keys_.emplace(file.info.st_dev, *found).first;
  }
  return std::optional<Opened>(Opened{std::move(*opened), key->second});
}

}  // namespace lab
