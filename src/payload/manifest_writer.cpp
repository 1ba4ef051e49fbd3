// SPDX-License-Identifier: Apache-2.0
#include "payload/manifest_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBuffer = 1U << 20U;

bool is_there(const fs::path& path) {
  std::error_code unknown;
  return fs::exists(fs::symlink_status(path, unknown));
}

Error exists_already(const fs::path& path) {
  return {ErrorCode::kRefused, "generate", path.string() + " exists already; name a new file"};
}

/// rename(2) that replaces nothing, where the file system can do so.
Status give_name(const fs::path& temporary, const fs::path& path) {
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return ok();
  if (errno == EEXIST) return exists_already(path);
  if (errno != EINVAL && errno != ENOSYS) return errno_error("rename", path.string(), errno);
  if (is_there(path)) return exists_already(path);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return errno_error("rename", path.string(), errno);
  return ok();
}

}  // namespace

ManifestWriter::ManifestWriter(fs::path temporary, fs::path path, FileHandle file)
    : temporary_(std::move(temporary)), path_(std::move(path)), file_(std::move(file)) {}

ManifestWriter::ManifestWriter(ManifestWriter&& other) noexcept
    : temporary_(std::exchange(other.temporary_, {})),
      path_(std::move(other.path_)),
      file_(std::move(other.file_)),
      lines_(std::move(other.lines_)) {}

ManifestWriter::~ManifestWriter() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<ManifestWriter> ManifestWriter::open(const fs::path& path) {
  std::error_code failure;
  const fs::path whole = fs::absolute(path, failure);
  if (failure) return errno_error("generate", path.string(), failure.value());
  if (is_there(whole)) return exists_already(whole);
  fs::path temporary = whole.parent_path() / ("." + whole.filename().string() + ".tmp");
  auto file = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (!file) return std::move(file).error();
  return ManifestWriter(std::move(temporary), whole, std::move(*file));
}

Status ManifestWriter::add(const std::string& line) {
  lines_ += line;
  lines_ += '\n';
  return lines_.size() < kBuffer ? ok() : flush();
}

Status ManifestWriter::finish() {
  LAB_TRY(flush());
  if (::fsync(file_.get()) != 0) return errno_error("fsync", temporary_.string(), errno);
  LAB_TRY(give_name(temporary_, path_));
  temporary_.clear();
  return sync_directory(path_.parent_path());
}

Status ManifestWriter::flush() {
  LAB_TRY(write_all(file_, lines_, temporary_));
  lines_.clear();
  return ok();
}

}  // namespace lab
