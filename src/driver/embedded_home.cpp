// Marker, lock and removal of an embedded system's folder.
// SPDX-License-Identifier: Apache-2.0
#include "driver/embedded_home.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/plain_text.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMarker = ".deduplab";
constexpr const char* kData = "data";

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

/// True with a file of the marker's name, false when there is nothing at all. Errors: kRefused for anything
/// else.
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

/// What a marker says: the run in its first line, the system in its second. That of an earlier version has
/// the run alone and names no system.
struct Marker {
  std::string run{};
  std::string system{};
};

constexpr std::string_view kSystem = "system ";
constexpr Bytes kMarkerMax{4096};

/// Nothing for a text that this program has not written. Empty lines fill up a marker that was longer once.
std::optional<Marker> parse_marker(std::string_view text) {
  const auto lines = split(text, '\n');
  Marker marker{.run = lines.front()};
  if (!is_run_id(marker.run)) return std::nullopt;
  for (std::size_t number = 1; number < lines.size(); ++number) {
    const std::string_view line = lines[number];
    if (line.empty()) continue;
    const bool names = line.starts_with(kSystem) && !trim(line.substr(kSystem.size())).empty();
    if (!names || !marker.system.empty()) return std::nullopt;
    marker.system = std::string(trim(line.substr(kSystem.size())));
  }
  return marker;
}

Error forged(const fs::path& home) {
  return {ErrorCode::kRefused, "home",
          fmt::format("{}: its {} is not a marker as this program writes it, so that the folder is not ours "
                      "and stays untouched",
                      home.string(), kMarker)};
}

Error of_another_system(const fs::path& home, const std::string& theirs, const std::string& system) {
  return {ErrorCode::kRefused, "home",
          fmt::format("{}: holds data of {}, not of {}, and stays untouched", home.string(),
                      without_controls(to_valid_utf8(theirs)), system)};
}

struct LockedMarker {
  FileHandle file{};
  bool is_new = false;  // Empty and alone: made just now, or by an open that ended before it was written.
};

/// Opens (and with O_CREAT makes) the marker and locks it, by LOCK_EX or LOCK_SH. Errors: kInUse with the
/// holder's run; kRefused for another system's and for one that is not ours.
Result<LockedMarker> lock_marker(const fs::path& home, const std::string& system, int flags,
                                 int lock = LOCK_EX) {
  auto file = open_file(home / kMarker, O_RDWR | O_NOFOLLOW | flags);
  if (!file) return std::move(file).error();
  // Other failures: a file system without locks (ENOLCK on some network mounts); there nobody can hold one.
  const bool held = ::flock(file->get(), lock | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  const auto text = read_file(home / kMarker, kMarkerMax);
  const auto known = text ? parse_marker(*text) : std::nullopt;
  if (held)
    return Error{ErrorCode::kInUse, "home",
                 fmt::format("{}: held by run {}", home.string(), known ? known->run : "unknown")};
  if (!text && text.error().code != ErrorCode::kResourceExhausted) return text.error();
  if (known && !known->system.empty() && known->system != system)
    return of_another_system(home, known->system, system);
  if (known) return LockedMarker{.file = std::move(*file)};
  if (!text || !text->empty()) return forged(home);
  const auto there = EmbeddedHome::contents(home);
  if (!there) return there.error();
  std::error_code failure;
  if (!there->others.empty() || fs::exists(fs::symlink_status(home / kData, failure))) return forged(home);
  return LockedMarker{.file = std::move(*file), .is_new = true};
}

/// In place, so that the lock stays on the file that has the name; and by one write, so that a marker which
/// is there is never empty.
Status write_marker(const FileHandle& marker, const fs::path& home, const Marker& marks) {
  struct stat info{};
  if (::fstat(marker.get(), &info) != 0) return errno_error("home.marker", home.string(), errno);
  std::string text = fmt::format("{}\n{}{}\n", marks.run, kSystem, marks.system);
  const std::size_t size = text.size();
  text.resize(std::max(size, static_cast<std::size_t>(info.st_size)), '\n');
  LAB_TRY(write_all(marker, text, home / kMarker));
  if (::ftruncate(marker.get(), static_cast<off_t>(size)) != 0 || ::fsync(marker.get()) != 0)
    return errno_error("home.marker", home.string(), errno);
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

constexpr std::size_t kNamesMax = 3;

}  // namespace

bool is_run_id(std::string_view text) {
  constexpr std::string_view kForm = "00000000T000000Z-hhhhhhhh";  // 0: a digit; h: a hexadecimal one.
  if (text.size() != kForm.size()) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool digit = text[at] >= '0' && text[at] <= '9';
    const bool hexadecimal = digit || (text[at] >= 'a' && text[at] <= 'f');
    if (kForm[at] == '0' ? !digit : kForm[at] == 'h' ? !hexadecimal : text[at] != kForm[at]) return false;
  }
  return true;
}

std::string names_in_words(const std::vector<std::string>& others) {
  std::vector<std::string> first;
  for (std::size_t number = 0; number < std::min(others.size(), kNamesMax); ++number)
    first.push_back(without_controls(to_valid_utf8(others[number])));
  const std::string named = join(first, ", ");
  return others.size() <= kNamesMax ? named : fmt::format("{} and {} more", named, others.size() - kNamesMax);
}

EmbeddedHome::EmbeddedHome(fs::path home, FileHandle marker)
    : home_(std::move(home)), data_(home_ / kData), marker_(std::move(marker)) {}

Result<EmbeddedHome> EmbeddedHome::open(const fs::path& home, const std::string& system,
                                        const std::string& run_id) {
  if (home.empty()) return Error{ErrorCode::kInvalidArgument, "home", "an embedded system needs a path"};
  if (!is_run_id(run_id))
    return Error{ErrorCode::kInvalidArgument, "home", "'" + to_valid_utf8(run_id) + "' is no run's id"};
  LAB_TRY(make_directories(home));
  const auto ours = is_ours(home);
  if (!ours) return ours.error();
  auto marker = lock_marker(home, system, O_CREAT);
  if (!marker) return std::move(marker).error();
  LAB_TRY(write_marker(marker->file, home, {.run = run_id, .system = system}));
  EmbeddedHome opened(home, std::move(marker->file));
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

Result<HomeContents> EmbeddedHome::look(const fs::path& home, const std::string& system) {
  const auto ours = is_there(home);
  if (!ours) return ours.error();
  if (!*ours) return HomeContents{};
  const auto marker = lock_marker(home, system, 0, LOCK_SH);
  if (!marker) return marker.error();
  if (marker->is_new) return HomeContents{};
  LAB_TRY(check_data(home / kData));
  return contents(home);
}

Result<HomeContents> EmbeddedHome::contents(const fs::path& home) {
  HomeContents found;
  std::error_code failure;
  fs::directory_iterator entry(home, failure);
  if (failure == std::errc::no_such_file_or_directory) return found;
  for (; !failure && entry != fs::directory_iterator{}; entry.increment(failure))
    found.others.push_back(entry->path().filename().string());
  if (failure) return errno_error("home.list", home.string(), failure.value());
  found.ours = std::erase(found.others, kMarker) > 0;
  if (found.ours) std::erase(found.others, kData);
  std::sort(found.others.begin(), found.others.end());
  return found;
}

std::optional<std::string> EmbeddedHome::system_of(const fs::path& home) {
  const auto kind = kind_of(home / kMarker);
  if (!kind || *kind != Kind::kFile) return std::nullopt;
  const auto text = read_file(home / kMarker, kMarkerMax);
  auto marker = text ? parse_marker(*text) : std::nullopt;
  if (!marker || marker->system.empty()) return std::nullopt;
  return std::move(marker->system);
}

Status EmbeddedHome::remove(const fs::path& home, const std::string& system) {
  const auto ours = is_there(home);
  if (!ours) return ours.error();
  if (!*ours) return ok();
  const auto marker = lock_marker(home, system, 0);
  if (!marker) return marker.error();
  if (marker->is_new) return ok();
  LAB_TRY(check_data(home / kData));
  LAB_TRY(remove_tree(home / kData));
  LAB_TRY(remove_tree(home / kMarker));
  LAB_TRY(sync_directory(home));
  // Fails with ENOTEMPTY where others' files lie beside ours: then the folder is not ours to remove.
  if (::rmdir(home.c_str()) != 0 && errno != ENOTEMPTY && errno != EEXIST && errno != EBUSY)
    return errno_error("home.rmdir", home.string(), errno);
  return ok();
}

}  // namespace lab
