// SPDX-License-Identifier: Apache-2.0
#include "core/spill_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "core/process_stamp.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "deduplab-scan-";

/// "deduplab-scan-PID-START-XXXXXX": whose it is, for good.
bool left_by_a_dead_process(const std::string& name) {
  if (!name.starts_with(kPrefix)) return false;
  const auto parts = split(name, '-');
  if (parts.size() != 5) return false;
  const auto stat = process_stat(parts[2]);
  return !stat || stat->ended() || stat->started != parts[3];
}

Error write_error(const fs::path& folder, const std::string& advice, int number) {
  Error error = errno_error("spill", folder.string(), number);
  if (error.code == ErrorCode::kResourceExhausted) error.detail += "; " + advice;
  return error;
}

}  // namespace

std::filesystem::path temporary_folder() {
  const char* const named = std::getenv("TMPDIR");
  return named != nullptr && *named != '\0' ? named : "/var/tmp";
}

Status remove_stale_spills(const fs::path& folder) {
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (!left_by_a_dead_process(entry->path().filename().string())) continue;
    // Others may write into the folder too: one of theirs, or one that somebody has made so, stays.
    struct stat info{};
    if (::lstat(entry->path().c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_size == 0 &&
        info.st_uid == ::geteuid())
      static_cast<void>(::unlink(entry->path().c_str()));
  }
  if (failure) return errno_error("spill.folder", folder.string(), failure.value());
  return ok();
}

Result<SpillFile> SpillFile::make(const fs::path& folder, std::string advice) {
  const auto self = process_stat("self");
  if (!self) return Error{ErrorCode::kInternal, "spill", "/proc/self/stat is not to be read"};
  std::string path = (folder / fmt::format("{}{}-{}-XXXXXX", kPrefix, ::getpid(), self->started)).string();
  FileHandle file(::mkostemp(path.data(), O_CLOEXEC));
  if (!file) return write_error(folder, advice, errno);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error("spill.unlink", path, errno);
  return SpillFile(std::move(file), folder, std::move(advice));
}

Status SpillFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return write_error(folder_, advice_, errno);
    size_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return ok();
}

Status SpillFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("spill", folder_.string(), errno);
    if (got == 0) return Error{ErrorCode::kCorruption, "spill", "a temporary file is too short"};
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return ok();
}

void SpillFile::give_back(std::uint64_t offset, std::uint64_t length) const {
  // Where the file system has no holes the space comes back with the file.
  static_cast<void>(::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                static_cast<off_t>(offset), static_cast<off_t>(length)));
}

}  // namespace lab
