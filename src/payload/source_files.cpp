// SPDX-License-Identifier: Apache-2.0
#include "payload/source_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/spill_file.hpp"
#include "core/text.hpp"

namespace lab {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kReadBytes = 1U << 20U;
constexpr const char* kOperation = "payload.real_world";

Error changed(const std::string& label) {
  return {ErrorCode::kCorruption, kOperation, label + ": shrank or grew while it was read"};
}

Status read_plain(const FileHandle& file, const fs::path& path, const SourceFile& source,
                  const ByteSink& sink) {
  std::vector<std::byte> buffer(kReadBytes);
  Bytes left = source.size;
  LAB_TRY(read_pieces(file, path, buffer, [&](std::span<const std::byte> bytes) -> Status {
    left = left - Bytes{std::ssize(bytes)};
    if (left < Bytes{0}) return changed(source.label);
    return sink(bytes);
  }));
  return left == Bytes{0} ? ok() : changed(source.label);
}

/// Where an entry lies in the file that an archive was expanded into.
struct Expanded {
  std::string name{};
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// Through a buffer of the caller's: one for each of a million small entries would cost more than they do.
Status read_expanded(const SpillFile& spill, const Expanded& entry, std::span<std::byte> buffer,
                     const ByteSink& sink) {
  for (std::uint64_t done = 0; done < entry.size;) {
    const auto piece =
        buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), entry.size - done)));
    LAB_TRY(spill.read(entry.offset + done, piece));
    LAB_TRY(sink(piece));
    done += piece.size();
  }
  return ok();
}

class Visit {
 public:
  Visit(const SourceQuery& query, const std::function<Status(const SourceFile&)>& visit)
      : query_(query), visit_(visit), budget_{.limit = query.expanded_max} {}

  /// `name` is relative to the root.
  Status file(const std::string& name) {
    if (is_archive_name(name)) return archive(name);
    if (!query_.is_wanted(name)) {
      tally_.left_out += 1;
      return check_log(name);
    }
    const fs::path path = query_.root / name;
    const auto opened = open_file(path, O_RDONLY | O_NOFOLLOW);
    if (!opened) return opened.error();
    struct stat info{};
    if (::fstat(opened->get(), &info) != 0) return errno_error(kOperation, path.string(), errno);
    SourceFile source{.label = name, .content = name, .size = Bytes{info.st_size}};
    source.read = [&](const ByteSink& sink) { return read_plain(*opened, path, source, sink); };
    tally_.files += 1;
    return visit_(source);
  }

  void leave_out(std::uint64_t symlinks, std::uint64_t specials) {
    tally_.symlinks += symlinks;
    tally_.specials += specials;
  }

  const SourceTally& tally() const { return tally_; }

 private:
  /// Rows that SQLite has committed may stand in the log beside a database alone, where nothing reads them.
  Status check_log(const std::string& name) const {
    constexpr std::string_view kLog = "-wal";
    if (!name.ends_with(kLog) || !query_.is_wanted(name.substr(0, name.size() - kLog.size()))) return ok();
    std::error_code gone;
    if (const auto size = fs::file_size(query_.root / name, gone); gone || size == 0) return ok();
    return Error{ErrorCode::kRefused, kOperation,
                 fmt::format("{}: rows in this log are not read; close the database, or run PRAGMA "
                             "wal_checkpoint(TRUNCATE) in it, so that they are in the database itself",
                             name)};
  }

  /// Entries come in any order, and are needed in that of their names: so they wait in a file without one.
  Status archive(const std::string& name) {
    auto spill = SpillFile::make(query_.temporary,
                                 "archives expand into a temporary file there: TMPDIR names another folder");
    if (!spill) return std::move(spill).error();
    std::vector<Expanded> entries;
    const ArchiveReader reader{.begin = [&](const std::string& entry) -> Result<bool> {
                                 if (is_archive_name(entry) || !query_.is_wanted(entry)) return false;
                                 entries.push_back({.name = entry, .offset = spill->size()});
                                 return true;
                               },
                               .bytes = [&](std::span<const std::byte> bytes) -> Status {
                                 entries.back().size += bytes.size();
                                 return spill->append(bytes);
                               }};
    const auto read = read_archive(query_.root / name, budget_, reader);
    if (!read) return read.error();
    tally_.left_out += read->skipped;
    tally_.symlinks += read->others;
    std::ranges::stable_sort(entries, {}, &Expanded::name);
    std::vector<std::byte> buffer(kReadBytes);
    for (const Expanded& entry : entries) {
      const SourceFile source{
          .label = content_name(name) ? name : name + ": " + to_valid_utf8(entry.name),
          .content = entry.name,
          .size = Bytes{static_cast<std::int64_t>(entry.size)},
          .read = [&](const ByteSink& sink) { return read_expanded(*spill, entry, buffer, sink); }};
      tally_.files += 1;
      LAB_TRY(visit_(source));
    }
    return ok();
  }

  const SourceQuery& query_;
  const std::function<Status(const SourceFile&)>& visit_;
  ExpansionBudget budget_;
  SourceTally tally_{};
};

/// The entries `kind` and `kind.*` of the root, in order.
Result<std::vector<std::string>> places_of(const SourceQuery& query) {
  std::vector<std::string> places;
  std::error_code failure;
  for (fs::directory_iterator entry(query.root, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    std::string name = entry->path().filename().string();
    if (name == query.kind || name.starts_with(query.kind + ".")) places.push_back(std::move(name));
  }
  if (failure) return errno_error(kOperation, query.root.string(), failure.value());
  if (places.empty())
    return Error{ErrorCode::kNotFound, kOperation,
                 fmt::format("{0} has no {1}: put a folder {1}, or a file {1}.* such as {1}.zip, into it",
                             query.root.string(), query.kind)};
  std::ranges::sort(places);
  return places;
}

}  // namespace

Result<SourceTally> visit_sources(const SourceQuery& query,
                                  const std::function<Status(const SourceFile&)>& visit) {
  const auto places = places_of(query);
  if (!places) return places.error();
  Visit visiting(query, visit);
  for (const std::string& place : *places) {
    const fs::path path = query.root / place;
    std::error_code unknown;
    const fs::file_status status = fs::symlink_status(path, unknown);
    if (unknown) return errno_error(kOperation, path.string(), unknown.value());
    if (fs::is_directory(status)) {
      const auto listing = list_folder(path);
      if (!listing) return listing.error();
      visiting.leave_out(listing->symlinks.size(), listing->specials.size());
      for (const std::string& name : listing->files)
        LAB_TRY(visiting.file((fs::path(place) / name).string()));
    } else if (fs::is_regular_file(status)) {
      LAB_TRY(visiting.file(place));
    } else {
      return Error{ErrorCode::kInvalidArgument, kOperation,
                   path.string() + ": neither a folder nor a file; links are not followed"};
    }
  }
  return visiting.tally();
}

}  // namespace lab
