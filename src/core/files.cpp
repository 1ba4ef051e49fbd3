// Whole-file operations by POSIX calls: every error carries its path and the system's words.
// SPDX-License-Identifier: Apache-2.0
#include "core/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace lab {

namespace fs = std::filesystem;

void FileHandle::reset() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

Result<FileHandle> open_file(const fs::path& path, int flags, unsigned mode) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (descriptor < 0) return errno_error("open", path.string(), errno);
  return FileHandle(descriptor);
}

Status write_all(const FileHandle& file, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error("write", path.string(), errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ok();
}

Result<std::string> read_file(const fs::path& path, Bytes limit) {
  auto file = open_file(path, O_RDONLY | O_NONBLOCK);
  if (!file) return std::move(file).error();
  struct stat info{};
  if (::fstat(file->get(), &info) != 0) return errno_error("read", path.string(), errno);
  // A pipe without a writer would be waited for, and no signal ends that.
  if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
    return Error{ErrorCode::kInvalidArgument, "read", path.string() + ": is not a regular file"};
  std::string bytes;
  std::string buffer(1U << 16U, '\0');
  while (true) {
    const ssize_t got = ::read(file->get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read", path.string(), errno);
    if (got == 0) return bytes;
    bytes.append(buffer, 0, static_cast<std::size_t>(got));
    if (static_cast<std::int64_t>(bytes.size()) > limit.count)
      return Error{ErrorCode::kResourceExhausted, "read",
                   path.string() + ": larger than " + format_bytes(limit)};
  }
}

Status write_file_atomic(const fs::path& path, std::string_view bytes, unsigned mode) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::path temporary = folder / fmt::format(".{}.{}.tmp", path.filename().string(), ::getpid());
  const auto fill = [&]() -> Status {
    auto file = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (!file) return std::move(file).error();
    LAB_TRY(write_all(*file, bytes, temporary));
    if (::fsync(file->get()) != 0) return errno_error("fsync", temporary.string(), errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0) return errno_error("rename", path.string(), errno);
    return ok();
  };
  if (Status filled = fill(); !filled) {
    ::unlink(temporary.c_str());
    return filled;
  }
  return sync_directory(folder);
}

Status sync_file(const fs::path& path) {
  auto file = open_file(path, O_RDONLY);
  if (!file) return std::move(file).error();
  if (::fsync(file->get()) != 0) return errno_error("fsync", path.string(), errno);
  return ok();
}

Status sync_directory(const fs::path& path) {
  auto folder = open_file(path, O_RDONLY | O_DIRECTORY);
  if (!folder) return std::move(folder).error();
  // EINVAL: some network file systems cannot sync a folder; there the rename itself is synchronous.
  if (::fsync(folder->get()) != 0 && errno != EINVAL) return errno_error("fsync", path.string(), errno);
  return ok();
}

Status sync_file_system(const fs::path& path) {
  auto any = open_file(path, O_RDONLY);
  if (!any) return std::move(any).error();
  if (::syncfs(any->get()) != 0) return errno_error("syncfs", path.string(), errno);
  return ok();
}

Status make_directories(const fs::path& path) {
  if (path.empty() || path == path.root_path()) return ok();
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return ok();
    return Error{ErrorCode::kRefused, "mkdir", path.string() + ": exists and is no directory"};
  }
  const fs::path above = path.has_filename() ? path.parent_path() : path.parent_path().parent_path();
  LAB_TRY(make_directories(above));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return errno_error("mkdir", path.string(), errno);
  return ok();
}

Status remove_tree(const fs::path& path) {
  std::error_code failure;
  fs::remove_all(path, failure);
  if (failure) return errno_error("remove", path.string(), failure.value());
  return ok();
}

Result<bool> has_entries(const fs::path& path) {
  std::error_code failure;
  fs::directory_iterator entry(path, failure);
  if (failure) return errno_error("list", path.string(), failure.value());
  return entry != fs::directory_iterator{};
}

}  // namespace lab
