// Marker, lock and removal of an embedded system's folder.
// SPDX-License-Identifier: Apache-2.0
#include "driver/embedded_home.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/plain_text.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMarker = ".deduplab";

enum class Kind { kMissing, kFile, kFolder, kOther };

/// What lies at `path` itself; a symbolic link is kOther.
Result<Kind> kind_of(const fs::path& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return Kind::kMissing;
    return errno_error("home.lstat", path.string(), errno);
  }
  if (S_ISREG(info.st_mode)) return Kind::kFile;
  return S_ISDIR(info.st_mode) ? Kind::kFolder : Kind::kOther;
}

Error not_ours(const fs::path& home) {
  return {ErrorCode::kRefused, "home",
          fmt::format("{}: holds files that are not ours (no {} marker) and stays untouched", home.string(),
                      kMarker)};
}

/// True with a marker, false when there is nothing at all. Errors: kRefused for anything else.
Result<bool> is_ours(const fs::path& home) {
  const auto marker = kind_of(home / kMarker);
  if (!marker) return marker.error();
  if (*marker == Kind::kFile) return true;
  const auto entries = has_entries(home);
  if (!entries) return entries.error();
  if (*entries) return not_ours(home);
  return false;
}

/// The same of a folder that may be missing.
Result<bool> is_there(const fs::path& home) {
  const auto kind = kind_of(home / ".");
  if (!kind) return kind.error();
  if (*kind == Kind::kMissing) return false;
  return is_ours(home);
}

/// What a marker says: the run in its first line, the system in its second. An empty one (a crash between)
/// and one of an earlier version, which has the run alone, name no system.
struct Marker {
  std::string run{};
  std::string system{};
};

constexpr std::string_view kSystem = "system ";

Result<Marker> read_marker(const fs::path& home) {
  const auto text = read_file(home / kMarker, Bytes{4096});
  if (!text) return text.error();
  const auto lines = split(*text, '\n');
  Marker marker{.run = std::string(trim(lines.front()))};
  if (lines.size() > 1 && lines[1].starts_with(kSystem))
    marker.system = std::string(trim(std::string_view(lines[1]).substr(kSystem.size())));
  return marker;
}

/// Opens (and with O_CREAT makes) the marker and locks it, by LOCK_EX or LOCK_SH. Errors: kInUse with the
/// holder's run; kRefused for another system's.
Result<FileHandle> lock_marker(const fs::path& home, const std::string& system, int flags,
                               int lock = LOCK_EX) {
  auto marker = open_file(home / kMarker, O_RDWR | O_NOFOLLOW | flags);
  if (!marker) return marker;
  // Other failures: a file system without locks (ENOLCK on some network mounts); there nobody can hold one.
  const bool held = ::flock(marker->get(), lock | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  const auto known = read_marker(home);
  if (held)
    return Error{
        ErrorCode::kInUse, "home",
        fmt::format("{}: held by run {}", home.string(), known ? without_controls(known->run) : "unknown")};
  if (!known) return known.error();
  if (known->system.empty() || known->system == system) return marker;
  const std::string theirs = without_controls(to_valid_utf8(known->system));
  return Error{ErrorCode::kRefused, "home",
               fmt::format("{}: holds data of {}, not of {}, and stays untouched; `deduplab clean "
                           "--from {} --path {}` removes it",
                           home.string(), theirs, system, shell_word(theirs), shell_word(home.string()))};
}

/// In place, so that the lock stays on the file that has the name.
Status write_marker(const FileHandle& marker, const fs::path& home, const Marker& text) {
  if (::ftruncate(marker.get(), 0) != 0) return errno_error("home.marker", home.string(), errno);
  LAB_TRY(write_all(marker, fmt::format("{}\n{}{}\n", text.run, kSystem, text.system), home / kMarker));
  if (::fsync(marker.get()) != 0) return errno_error("home.marker", home.string(), errno);
  return sync_directory(home);
}

Status remove_entries(const fs::path& folder, const CallContext& call) {
  std::error_code failure;
  fs::directory_iterator entry(folder, failure);
  for (; !failure && entry != fs::directory_iterator{}; entry.increment(failure)) {
    LAB_TRY(allowed(call, "home.empty"));
    const auto kind = kind_of(entry->path());
    if (!kind) return kind.error();
    if (*kind == Kind::kFolder) LAB_TRY(remove_entries(entry->path(), call));
    LAB_TRY(remove_tree(entry->path()));
  }
  if (failure) return errno_error("home.list", folder.string(), failure.value());
  return ok();
}

/// Errors: kRefused when `data` is a link or a file: what it points to is not ours.
Status check_data(const fs::path& data) {
  const auto kind = kind_of(data);
  if (!kind) return kind.error();
  if (*kind == Kind::kFolder || *kind == Kind::kMissing) return ok();
  return Error{ErrorCode::kRefused, "home", data.string() + ": is not a folder"};
}

}  // namespace

EmbeddedHome::EmbeddedHome(fs::path home, FileHandle marker)
    : home_(std::move(home)), data_(home_ / "data"), marker_(std::move(marker)) {}

Result<EmbeddedHome> EmbeddedHome::open(const fs::path& home, const std::string& system,
                                        const std::string& run_id) {
  if (home.empty()) return Error{ErrorCode::kInvalidArgument, "home", "an embedded system needs a path"};
  LAB_TRY(make_directories(home));
  const auto ours = is_ours(home);
  if (!ours) return ours.error();
  auto marker = lock_marker(home, system, O_CREAT);
  if (!marker) return std::move(marker).error();
  LAB_TRY(write_marker(*marker, home, {.run = run_id, .system = system}));
  EmbeddedHome opened(home, std::move(*marker));
  LAB_TRY(check_data(opened.data_));
  LAB_TRY(make_directories(opened.data_));
  LAB_TRY(sync_directory(home));
  return opened;
}

Status EmbeddedHome::empty_data(const CallContext& call) const {
  const auto marker = kind_of(home_ / kMarker);
  if (!marker) return marker.error();
  if (*marker != Kind::kFile) return not_ours(home_);
  LAB_TRY(check_data(data_));
  LAB_TRY(make_directories(data_));
  LAB_TRY(remove_entries(data_, call));
  return sync_directory(data_);
}

Result<bool> EmbeddedHome::look(const fs::path& home, const std::string& system) {
  const auto ours = is_there(home);
  if (!ours) return ours.error();
  if (!*ours) return false;
  const auto marker = lock_marker(home, system, 0, LOCK_SH);
  if (!marker) return marker.error();
  LAB_TRY(check_data(home / "data"));
  return true;
}

Status EmbeddedHome::remove(const fs::path& home, const std::string& system) {
  const auto ours = is_there(home);
  if (!ours) return ours.error();
  if (!*ours) return ok();
  const auto marker = lock_marker(home, system, 0);
  if (!marker) return marker.error();
  LAB_TRY(check_data(home / "data"));
  LAB_TRY(remove_tree(home / "data"));
  LAB_TRY(remove_tree(home / kMarker));
  LAB_TRY(sync_directory(home));
  // Fails with ENOTEMPTY where others' files lie beside ours: then the folder is not ours to remove.
  if (::rmdir(home.c_str()) != 0 && errno != ENOTEMPTY && errno != EEXIST && errno != EBUSY)
    return errno_error("home.rmdir", home.string(), errno);
  return ok();
}

}  // namespace lab
