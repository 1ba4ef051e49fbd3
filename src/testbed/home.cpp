// SPDX-License-Identifier: Apache-2.0
#include "testbed/home.hpp"

#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"

namespace lab::testbed {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMark = ".deduplab-testbed";

Error refused(const fs::path& path, const std::string& why) {
  return {ErrorCode::kRefused, "testbed.home", path.string() + " " + why};
}

/// mkdir -p. What is made for another user can be passed through by everybody, and listed by nobody else.
Status make_parents(const fs::path& path, bool for_another) {
  std::error_code failure;
  if (path.empty() || fs::is_directory(path, failure)) return ok();
  LAB_TRY(make_parents(path.parent_path(), for_another));
  const mode_t mode = for_another ? 0711 : 0700;
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    return errno_error("testbed.home", path.string(), errno);
  // Whatever the umask says.
  if (::chmod(path.c_str(), mode) != 0) return errno_error("testbed.home", path.string(), errno);
  return ok();
}

}  // namespace

bool can_enter(const fs::path& path, const UserId& user) {
  for (fs::path folder = fs::absolute(path).lexically_normal();; folder = folder.parent_path()) {
    struct stat info{};
    if (::stat(folder.c_str(), &info) == 0) {
      const mode_t right = info.st_uid == user.user ? S_IXUSR : info.st_gid == user.group ? S_IXGRP : S_IXOTH;
      if ((info.st_mode & right) == 0) return false;
    }
    if (folder == folder.root_path()) return true;
  }
}

Status check_free(const fs::path& home) {
  std::error_code failure;
  if (!fs::exists(fs::symlink_status(home, failure))) return ok();
  return refused(home, "exists and is not ours: name another folder with --directory");
}

Status make_home(const fs::path& home, const std::string& token, const std::optional<UserId>& user) {
  LAB_TRY(make_parents(home.parent_path(), user.has_value()));
  if (user && !can_enter(home.parent_path(), *user))
    return refused(home.parent_path(),
                   "cannot be entered by the user that the server runs as (no server of this kind runs as "
                   "root): name another folder with --directory");
  if (::mkdir(home.c_str(), 0700) != 0) {
    if (errno == EEXIST) return refused(home, "exists and is not ours: name another folder with --directory");
    return errno_error("testbed.home", home.string(), errno);
  }
  LAB_TRY(write_file_atomic(home / kMark, token + "\n"));
  if (user && ::chown(home.c_str(), user->user, user->group) != 0)
    return errno_error("testbed.home", home.string(), errno);
  return ok();
}

std::optional<std::string> mark_of(const fs::path& home) {
  std::error_code failure;
  if (!fs::is_directory(fs::symlink_status(home, failure))) return std::nullopt;
  const auto mark = read_file(home / kMark, Bytes{1 << 10});
  if (!mark) return std::nullopt;
  return std::string(trim(*mark));
}

Status remove_home(const fs::path& home, const std::string& token) {
  std::error_code failure;
  if (!fs::exists(fs::symlink_status(home, failure))) return ok();
  if (!fs::is_directory(fs::symlink_status(home, failure))) return refused(home, "is not a folder of ours");
  const bool ours = mark_of(home) == token;
  if (ours) {
    // The mark goes last: what is left by a crash is still known as ours.
    for (fs::directory_iterator entry(home, failure), end; !failure && entry != end; entry.increment(failure))
      if (entry->path().filename() != kMark) LAB_TRY(remove_tree(entry->path()));
    if (failure) return errno_error("testbed.home", home.string(), failure.value());
    LAB_TRY(remove_tree(home / kMark));
  }
  if (::rmdir(home.c_str()) == 0) return ok();
  if (!ours && (errno == ENOTEMPTY || errno == EEXIST)) return refused(home, "has not our mark; it is left");
  return errno_error("testbed.home", home.string(), errno);
}

Result<std::string> random_word() {
  std::array<std::byte, kTokenDigits / 2> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return errno_error("testbed.random", "getrandom", errno);
  return to_hex(bytes);
}

}  // namespace lab::testbed
