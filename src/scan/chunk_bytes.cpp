// SPDX-License-Identifier: Apache-2.0
#include "scan/chunk_bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace lab::scan {
namespace {

Error changed(const ScanFile& file, const std::string& reason) {
  return {ErrorCode::kIo, "scan",
          "--verify: " + file.path.string() + ": " + reason + "; only files that rest can be compared"};
}

}  // namespace

Status FileBytes::read(std::uint64_t position, std::span<std::byte> bytes) {
  const auto behind =
      std::upper_bound(list_.files.begin(), list_.files.end(), position,
                       [](std::uint64_t at, const ScanFile& file) { return at < file.start; });
  LAB_CHECK(behind != list_.files.begin(), "a chunk lies in a file of the list");
  const auto number = static_cast<std::size_t>(behind - list_.files.begin()) - 1;
  const ScanFile& file = list_.files[number];
  const auto descriptor = open(number);
  if (!descriptor) return descriptor.error();
  std::uint64_t at = position - file.start;
  while (!bytes.empty()) {
    const ssize_t got = ::pread(*descriptor, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("scan", "--verify: " + file.path.string(), errno);
    if (got == 0) return changed(file, "it has become shorter");
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    at += static_cast<std::uint64_t>(got);
  }
  return ok();
}

Status FileBytes::unchanged() const {
  for (std::size_t i = 0; i < compared_.size(); ++i) {
    if (!compared_[i]) continue;
    const ScanFile& file = list_.files[i];
    struct stat info{};
    if (::stat(file.path.c_str(), &info) != 0)
      return errno_error("scan", "--verify: " + file.path.string(), errno);
    if (const std::string reason = changed_since(file, info); !reason.empty()) return changed(file, reason);
  }
  return ok();
}

Result<int> FileBytes::open(std::size_t file) {
  Open& slot = open_[file % open_.size()];
  if (slot.handle && slot.file == file) return slot.handle.get();
  const ScanFile& wanted = list_.files[file];
  slot.handle = FileHandle(::open(wanted.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  slot.file = file;
  struct stat info{};
  if (!slot.handle || ::fstat(slot.handle.get(), &info) != 0)
    return errno_error("scan", "--verify: " + wanted.path.string(), errno);
  if (!S_ISREG(info.st_mode)) return changed(wanted, "it is another kind of file now");
  // What the kernel would read ahead is not what comes next.
  static_cast<void>(::posix_fadvise(slot.handle.get(), 0, 0, POSIX_FADV_RANDOM));
  compared_[file] = true;
  return slot.handle.get();
}

}  // namespace lab::scan
