// Whole-file operations that are either done or not: read, atomic write, sync, remove.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"
#include "core/units.hpp"

namespace lab {

/// A file descriptor that closes itself.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
  ~FileHandle() { reset(); }
  FileHandle(FileHandle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept {
    if (this != &other) {
      reset();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }
  int get() const noexcept { return descriptor_; }
  explicit operator bool() const noexcept { return descriptor_ >= 0; }
  void reset() noexcept;

 private:
  int descriptor_ = -1;
};

/// Errors carry the path and errno's words (errno_error).
Result<FileHandle> open_file(const std::filesystem::path& path, int flags, unsigned mode = 0600);
Status write_all(const FileHandle& file, std::string_view bytes, const std::filesystem::path& path);

/// Errors: kResourceExhausted when the file is larger than `limit`.
Result<std::string> read_file(const std::filesystem::path& path, Bytes limit = Bytes{1LL << 30});

/// Temporary file beside it, write, fsync, rename, fsync of the folder: a reader sees the old or the new.
Status write_file_atomic(const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0600);

Status sync_file(const std::filesystem::path& path);
Status sync_directory(const std::filesystem::path& path);

/// syncfs(2) of the file system that holds `path`.
Status sync_file_system(const std::filesystem::path& path);

/// mkdir -p with mode 0700 for what it creates.
Status make_directories(const std::filesystem::path& path);

/// Removes what is below `path`, and `path` itself; does not follow symbolic links. Missing is fine.
Status remove_tree(const std::filesystem::path& path);

/// True when `path` exists and holds at least one entry. Errors: not a directory, not readable.
Result<bool> has_entries(const std::filesystem::path& path);

}  // namespace lab
