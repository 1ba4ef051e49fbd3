// SPDX-License-Identifier: Apache-2.0
#include "scan/file_list.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

#include "core/files.hpp"

namespace lab::scan {
namespace {

namespace fs = std::filesystem;

std::string words_of(int number) { return std::generic_category().message(number); }

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISCHR(mode)) return "a character device";
  return "a block device that is not named itself";
}

Result<std::uint64_t> size_of_device(const fs::path& path) {
  auto file = open_file(path, O_RDONLY);
  if (!file) return std::move(file).error();
  std::uint64_t size = 0;
  if (::ioctl(file->get(), BLKGETSIZE64, &size) != 0) return errno_error("scan.device", path.string(), errno);
  return size;
}

class Lister {
 public:
  Lister(const ClassOf& class_of, std::stop_token stop) : class_of_(class_of), stop_(std::move(stop)) {}

  Status add_root(const fs::path& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return errno_error("scan.stat", path.string(), errno);
    if (S_ISREG(info.st_mode)) return add_file(path, info), ok();
    if (S_ISDIR(info.st_mode)) return walk(path);
    if (!S_ISBLK(info.st_mode))
      return Error{ErrorCode::kInvalidArgument, "scan",
                   path.string() + ": " + kind_of(info.st_mode) + ", no file, folder or block device"};
    const auto size = size_of_device(path);
    if (!size) return size.error();
    if (!devices_.insert(info.st_rdev).second) return leave_out(path, "named more than once"), ok();
    add({path, *size, 0, true, {}});
    return ok();
  }

  FileList take() {
    std::sort(list_.left_out.begin(), list_.left_out.end());
    return std::move(list_);
  }

 private:
  void leave_out(const fs::path& path, std::string reason) {
    list_.left_out.push_back({path.string(), std::move(reason)});
  }

  void add(ScanFile file) {
    file.file_class = static_cast<std::uint8_t>(class_of_(file.path));
    file.start = list_.bytes;
    list_.bytes += file.size;
    list_.files.push_back(std::move(file));
  }

  void add_file(const fs::path& path, const struct stat& info) {
    if (!seen_.emplace(info.st_dev, info.st_ino).second)
      return leave_out(path, "another name of a file that is counted");
    add({path, static_cast<std::uint64_t>(info.st_size), 0, false, info.st_mtim, info.st_ctim});
  }

  /// Sorted, so that the first name of a file is the same one each time.
  Status walk(const fs::path& folder) {
    if (stop_.stop_requested()) return Error{ErrorCode::kCancelled, "scan"};
    std::vector<fs::path> entries;
    std::error_code failure;
    for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure))
      entries.push_back(entry->path());
    if (failure) leave_out(folder, "a folder that cannot be read whole: " + failure.message());
    std::sort(entries.begin(), entries.end());
    for (const fs::path& path : entries) LAB_TRY(visit(path));
    return ok();
  }

  Status visit(const fs::path& path) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) return leave_out(path, words_of(errno)), ok();
    if (S_ISDIR(info.st_mode)) return walk(path);
    if (S_ISREG(info.st_mode))
      add_file(path, info);
    else
      leave_out(path, kind_of(info.st_mode));
    return ok();
  }

  const ClassOf& class_of_;
  std::stop_token stop_;
  FileList list_{};
  std::set<std::pair<dev_t, ino_t>> seen_{};
  std::set<dev_t> devices_{};
};

}  // namespace

Result<FileList> list_files(std::span<const fs::path> paths, const ClassOf& class_of,
                            const std::stop_token& stop) {
  Lister lister(class_of, stop);
  for (const fs::path& path : paths) LAB_TRY(lister.add_root(path));
  return lister.take();
}

std::string changed_since(const ScanFile& file, const struct stat& info) {
  if (file.device) return "";
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size != file.size)
    return "its size changed from " + std::to_string(file.size) + " to " + std::to_string(size);
  const auto same = [](const struct timespec& a, const struct timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
  };
  if (!same(info.st_mtim, file.modified)) return "it was written to";
  return same(info.st_ctim, file.touched) ? "" : "it or its attributes were written to";
}

}  // namespace lab::scan
