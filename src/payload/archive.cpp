// SPDX-License-Identifier: Apache-2.0
#include "payload/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <clocale>
#include <memory>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "payload/gzip_check.hpp"
#include "payload/zip_end.hpp"

namespace lab {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kReadBytes = 1U << 20U;
constexpr const char* kOperation = "payload.archive";

enum class Container : std::uint8_t { kZip, kTar, kSingle };

struct ArchiveType {
  std::string_view ending{};
  Container container{};
  int filter = ARCHIVE_FILTER_NONE;
  int (*support)(archive*) = nullptr;
};

constexpr ArchiveType kZip = {".zip", Container::kZip, ARCHIVE_FILTER_NONE, nullptr};

// A longer ending comes before one that it ends with.
constexpr std::array<ArchiveType, 11> kTypes = {{
    kZip,
    {".tar", Container::kTar, ARCHIVE_FILTER_NONE, nullptr},
    {".tar.gz", Container::kTar, ARCHIVE_FILTER_GZIP, &archive_read_support_filter_gzip},
    {".tgz", Container::kTar, ARCHIVE_FILTER_GZIP, &archive_read_support_filter_gzip},
    {".tar.bz2", Container::kTar, ARCHIVE_FILTER_BZIP2, &archive_read_support_filter_bzip2},
    {".tar.xz", Container::kTar, ARCHIVE_FILTER_XZ, &archive_read_support_filter_xz},
    {".tar.zst", Container::kTar, ARCHIVE_FILTER_ZSTD, &archive_read_support_filter_zstd},
    {".gz", Container::kSingle, ARCHIVE_FILTER_GZIP, &archive_read_support_filter_gzip},
    {".bz2", Container::kSingle, ARCHIVE_FILTER_BZIP2, &archive_read_support_filter_bzip2},
    {".xz", Container::kSingle, ARCHIVE_FILTER_XZ, &archive_read_support_filter_xz},
    {".zst", Container::kSingle, ARCHIVE_FILTER_ZSTD, &archive_read_support_filter_zstd},
}};

const ArchiveType* type_of(std::string_view name) {
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(),
                         [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  const auto* const found = std::ranges::find_if(
      kTypes, [&folded](const ArchiveType& type) { return folded.ends_with(type.ending); });
  return found == kTypes.end() ? nullptr : found;
}

/// Names are turned into the letters of the thread's locale; in that of a program that never set one, all but
/// ASCII is an error.
class Utf8Names {
 public:
  Utf8Names() : utf8_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (utf8_ != nullptr) before_ = ::uselocale(utf8_);
  }
  ~Utf8Names() {
    if (utf8_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(utf8_);
  }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  locale_t utf8_;
  locale_t before_ = nullptr;
};

struct ArchiveDelete {
  void operator()(archive* open) const { archive_read_free(open); }
};
using ArchiveHandle = std::unique_ptr<archive, ArchiveDelete>;

/// "all.zip: 2023/a.csv", for messages.
std::string label(const fs::path& path, std::string_view entry) {
  return entry.empty() ? path.string() : path.string() + ": " + to_valid_utf8(entry);
}

Error refused(const fs::path& path, std::string_view entry, std::string_view why) {
  return {ErrorCode::kRefused, kOperation, fmt::format("{}: {}", label(path, entry), why)};
}

Error broken(const fs::path& path, std::string_view entry, archive* open) {
  const char* const words = archive_error_string(open);
  return {ErrorCode::kCorruption, kOperation,
          fmt::format("{}: {}", label(path, entry), words == nullptr ? "broken" : words)};
}

/// Names are labels and no path is ever made of them. But whoever forges one means no good.
Status check_name(const fs::path& path, const std::string& name) {
  const auto control = [](unsigned char letter) { return std::iscntrl(letter) != 0; };
  if (std::ranges::any_of(name, control)) return refused(path, name, "a name with control characters");
  std::string slashed = name;
  std::ranges::replace(slashed, '\\', '/');
  if (slashed.starts_with('/') || (slashed.size() > 1 && slashed[1] == ':'))
    return refused(path, name, "an absolute name");
  const auto parts = split(slashed, '/');
  if (std::ranges::find(parts, "..") != parts.end()) return refused(path, name, "a name that leads upwards");
  return ok();
}

/// The type's own decoder and no other: what a file is must not depend on what it looks like.
Status prepare(archive* open, const ArchiveType& type, Container container, const fs::path& path) {
  int outcome = ARCHIVE_OK;
  switch (container) {
    case Container::kZip:
      // By its directory at the end, so that a zip file that was cut short is none.
      outcome = archive_read_support_format_zip_seekable(open);
      break;
    case Container::kTar:
      outcome = archive_read_support_format_tar(open);
      break;
    case Container::kSingle:
      outcome = archive_read_support_format_raw(open);
      if (outcome == ARCHIVE_OK) outcome = archive_read_support_format_empty(open);
      break;
  }
  if (outcome == ARCHIVE_OK && type.support != nullptr) outcome = type.support(open);
  if (outcome == ARCHIVE_OK) return ok();
  return Error{ErrorCode::kUnsupported, kOperation,
               fmt::format("{}: this libarchive does not read {}", path.string(), type.ending)};
}

Status check_filter(const fs::path& path, const ArchiveType& type, archive* open) {
  if (type.filter == ARCHIVE_FILTER_NONE || archive_filter_code(open, 0) == type.filter) return ok();
  return Error{ErrorCode::kCorruption, kOperation,
               fmt::format("{}: not what its ending says, {}", path.string(), type.ending)};
}

Error beyond(const fs::path& path, std::string_view entry, const ExpansionBudget& budget) {
  return {ErrorCode::kResourceExhausted, kOperation,
          fmt::format("{}: expands beyond the limit of {} for all archives", label(path, entry),
                      format_bytes_exact(budget.limit))};
}

/// Of what a compressed tar archive may expand to, with the heads of its files.
Bytes stream_limit(const ExpansionBudget& budget) {
  constexpr Bytes kHeads{1LL << 20};  // What tar adds to a few small files.
  return budget.limit + budget.limit + kHeads;
}

/// Size and time of a file, to notice that it changed.
Result<std::pair<off_t, timespec>> stamp_of(const FileHandle& file, const fs::path& path) {
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return errno_error(kOperation, path.string(), errno);
  return std::pair{info.st_size, info.st_mtim};
}

/// What its decoder did not take is none of its streams, which may follow one another; neither are zeros, as
/// on a tape. An xz file ends with the letters YZ, and its decoder takes zeros behind them, four by four.
Status check_end(const fs::path& path, const ArchiveType& type, const FileHandle& file, archive* open) {
  const auto stamp = stamp_of(file, path);
  if (!stamp) return stamp.error();
  std::byte last{};
  if (::pread(file.get(), &last, 1, stamp->first - 1) < 0)
    return errno_error(kOperation, path.string(), errno);
  const bool filled = type.filter == ARCHIVE_FILTER_XZ && last == std::byte{0};
  // Of the file itself, before all decoding.
  if (archive_filter_bytes(open, -1) == stamp->first && !filled) return ok();
  return Error{ErrorCode::kCorruption, kOperation,
               fmt::format("{}: other bytes behind the end of its streams", path.string())};
}

/// Reads a compressed file to its end before its entries are: a reader of tar stops before the checksum that
/// stands there, and does not see that the file was cut; and a decoder stops where its stream ends. `tail`
/// sees what it expands to. Leaves the file at its beginning.
Status check_stream(const fs::path& path, const ArchiveType& type, const FileHandle& file,
                    const ExpansionBudget& budget, ZeroTail& tail) {
  const ArchiveHandle open(archive_read_new());
  if (open == nullptr) return Error{ErrorCode::kResourceExhausted, kOperation, "no memory for libarchive"};
  LAB_TRY(prepare(open.get(), type, Container::kSingle, path));
  archive_entry* entry = nullptr;
  if (archive_read_open_fd(open.get(), file.get(), kReadBytes) != ARCHIVE_OK)
    return broken(path, "", open.get());
  const int outcome = archive_read_next_header(open.get(), &entry);
  if (outcome != ARCHIVE_OK && outcome != ARCHIVE_EOF) return broken(path, "", open.get());
  LAB_TRY(check_filter(path, type, open.get()));
  std::vector<std::byte> buffer(kReadBytes);
  for (Bytes left = stream_limit(budget); outcome == ARCHIVE_OK;) {
    const la_ssize_t got = archive_read_data(open.get(), buffer.data(), buffer.size());
    if (got < 0) return broken(path, "", open.get());
    if (got == 0) break;
    tail.take(std::span(buffer).first(static_cast<std::size_t>(got)));
    left = left - Bytes{got};
    if (left < Bytes{0}) return beyond(path, "", budget);
  }
  LAB_TRY(check_end(path, type, file, open.get()));
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return errno_error(kOperation, path.string(), errno);
  return ok();
}

/// A name in an archive without the "./" that tar likes to begin with.
std::string entry_name(const ArchiveType& type, const fs::path& path, archive_entry* entry) {
  if (type.container == Container::kSingle) return *content_name(path.filename().string());
  const char* const found = archive_entry_pathname(entry);
  std::string name(found == nullptr ? "" : found);
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

/// What one call reads, and into what.
struct Reading {
  const fs::path& path;
  const ArchiveType& type;
  archive* open;
  ExpansionBudget& budget;
  const ArchiveReader& reader;
  std::vector<std::byte> buffer = std::vector<std::byte>(kReadBytes);  // One for all of many small entries.
};

/// What was met when an archive ends.
struct Met {
  ArchiveTally tally{};
  std::string last{};         // What the archive is broken after.
  la_int64_t end = 0;         // Of that entry, in a tar archive.
  std::uint64_t entries = 0;  // Folders and links too.
  Bytes names{};
};

Status read_entry(Reading& reading, const std::string& name) {
  ExpansionBudget& budget = reading.budget;
  while (true) {
    const la_ssize_t got = archive_read_data(reading.open, reading.buffer.data(), reading.buffer.size());
    if (got < 0) return broken(reading.path, name, reading.open);
    if (got == 0) return ok();
    budget.used += Bytes{got};
    if (budget.used > budget.limit) return beyond(reading.path, name, budget);
    LAB_TRY(reading.reader.bytes(std::span(reading.buffer).first(static_cast<std::size_t>(got))));
  }
}

Status take_entry(Reading& reading, const std::string& name, archive_entry* entry, ArchiveTally& tally) {
  const bool single = reading.type.container == Container::kSingle;
  if (!single && archive_entry_filetype(entry) == AE_IFDIR) return ok();
  if (!single && (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)) {
    tally.others += 1;
    return ok();
  }
  tally.files += 1;
  const auto wanted = reading.reader.begin(name);
  if (!wanted) return wanted.error();
  if (*wanted) return read_entry(reading, name);
  tally.skipped += 1;
  return ok();
}

Status count_entry(const Reading& reading, const std::string& name, Met& met) {
  met.entries += 1;
  met.names += Bytes{std::ssize(name)};
  const ExpansionBudget& budget = reading.budget;
  const auto too_many = [&](const std::string& limit) {
    return Error{ErrorCode::kResourceExhausted, kOperation,
                 fmt::format("{}: beyond the limit of {} in one archive", reading.path.string(), limit)};
  };
  if (met.entries > budget.entries_max) return too_many(fmt::format("{} entries", budget.entries_max));
  if (met.names > budget.names_max) return too_many(format_bytes_exact(budget.names_max) + " of names");
  return ok();
}

Result<Met> read_entries(Reading& reading) {
  archive* const open = reading.open;
  Met met;
  while (true) {
    archive_entry* entry = nullptr;
    const int outcome = archive_read_next_header(open, &entry);
    if (outcome != ARCHIVE_OK && outcome != ARCHIVE_EOF)
      return broken(reading.path, met.last.empty() ? "" : "after " + met.last, open);
    LAB_TRY(check_filter(reading.path, reading.type, open));
    if (outcome == ARCHIVE_EOF) return met;
    std::string name = entry_name(reading.type, reading.path, entry);
    LAB_TRY(check_name(reading.path, name));
    if (archive_entry_is_encrypted(entry) != 0)
      return refused(reading.path, name, "encrypted; decrypt it first");
    LAB_TRY(count_entry(reading, name, met));
    LAB_TRY(take_entry(reading, name, entry, met.tally));
    met.last = std::move(name);
    if (reading.type.container != Container::kTar) continue;
    if (archive_read_data_skip(open) != ARCHIVE_OK) return broken(reading.path, "after " + met.last, open);
    met.end = archive_filter_bytes(open, 0);
  }
}

/// True where the file has zeros alone from `at` on.
Result<bool> is_zero_from(const FileHandle& file, const fs::path& path, la_int64_t at) {
  std::vector<std::byte> buffer(kReadBytes);
  ZeroTail tail;
  if (::lseek(file.get(), at, SEEK_SET) != at) return errno_error(kOperation, path.string(), errno);
  LAB_TRY(read_pieces(file, path, buffer, [&tail](std::span<const std::byte> bytes) {
    tail.take(bytes);
    return ok();
  }));
  return tail.begin == 0;
}

/// A tar archive ends with two blocks of zeros, and then more of them up to the size of a tape's block. Its
/// reader stops at the first one. Without them it was cut between two entries, where nothing else shows it.
Status check_tar_end(const Reading& reading, const Met& met, const FileHandle& file, const ZeroTail& tail) {
  constexpr la_int64_t kMark = 1'024;
  const auto bad = [&](const std::string& why) {
    return Error{ErrorCode::kCorruption, kOperation,
                 fmt::format("{}: broken archive: {}", reading.path.string(), why)};
  };
  const std::string last = met.last.empty() ? "its beginning" : to_valid_utf8(met.last);
  const la_int64_t read = archive_filter_bytes(reading.open, 0);
  if (read <= met.end) return bad("it has no end behind " + last);
  if (read - met.end < kMark)
    return bad("a lone block of zeros behind " + last + ", and two are the end of a tar archive");
  const auto zeros = reading.type.filter == ARCHIVE_FILTER_NONE ? is_zero_from(file, reading.path, read)
                                                                : Result<bool>(tail.begin <= read);
  if (!zeros) return zeros.error();
  return *zeros ? ok() : Status(bad("other bytes behind its end, which is behind " + last));
}

/// `tail` ends with the file, which has `size` bytes.
Status check_zip_end(const std::string& label, std::string_view tail, std::uint64_t size, const Met& met) {
  const auto entries = entries_at_zip_end(label, tail, size);
  if (!entries) return entries.error();
  if (!*entries || **entries == static_cast<std::uint16_t>(met.entries)) return ok();
  return Error{
      ErrorCode::kCorruption, kOperation,
      fmt::format("{}: {} entries, and its end says that there are {}", label, met.entries, **entries)};
}

Status check_zip_end_of(const fs::path& path, const FileHandle& file, off_t size, const Met& met) {
  std::string tail(std::min<std::size_t>(kZipEndMax, static_cast<std::size_t>(size)), '\0');
  const auto at = size - static_cast<off_t>(tail.size());
  if (::lseek(file.get(), at, SEEK_SET) != at) return errno_error(kOperation, path.string(), errno);
  std::string read;
  LAB_TRY(read_pieces(file, path, std::as_writable_bytes(std::span(tail)),
                      [&read](std::span<const std::byte> bytes) {
                        read += std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                        return ok();
                      }));
  return check_zip_end(path.string(), read, static_cast<std::uint64_t>(size), met);
}

}  // namespace

bool is_archive_name(std::string_view name) { return type_of(name) != nullptr; }

std::optional<std::string> content_name(std::string_view name) {
  const ArchiveType* const type = type_of(name);
  if (type == nullptr) return std::string(name);
  if (type->container != Container::kSingle) return std::nullopt;
  return std::string(name.substr(0, name.size() - type->ending.size()));
}

Result<ArchiveTally> read_archive(const fs::path& path, ExpansionBudget& budget,
                                  const ArchiveReader& reader) {
  const ArchiveType* const type = type_of(path.filename().string());
  LAB_CHECK(type != nullptr, "only what is_archive_name knows is read");
  auto file = open_file(path, O_RDONLY | O_NOFOLLOW);
  if (!file) return std::move(file).error();
  const auto before = stamp_of(*file, path);
  if (!before) return before.error();
  const Utf8Names names;
  const ArchiveHandle open(archive_read_new());
  if (open == nullptr) return Error{ErrorCode::kResourceExhausted, kOperation, "no memory for libarchive"};
  ZeroTail tail;  // Of what a compressed file expands to.
  if (type->filter == ARCHIVE_FILTER_GZIP)
    LAB_TRY(check_gzip(*file, path, stream_limit(budget), beyond(path, "", budget), tail));
  else if (type->filter != ARCHIVE_FILTER_NONE)
    LAB_TRY(check_stream(path, *type, *file, budget, tail));
  LAB_TRY(prepare(open.get(), *type, type->container, path));
  if (archive_read_open_fd(open.get(), file->get(), kReadBytes) != ARCHIVE_OK)
    return broken(path, "", open.get());
  Reading reading{path, *type, open.get(), budget, reader};
  const auto met = read_entries(reading);
  Status ended = met ? ok() : Status(met.error());
  if (met && type->container == Container::kTar) ended = check_tar_end(reading, *met, *file, tail);
  if (met && type->container == Container::kZip) ended = check_zip_end_of(path, *file, before->first, *met);
  const auto after = stamp_of(*file, path);
  if (!after) return after.error();
  const bool same = before->first == after->first && before->second.tv_sec == after->second.tv_sec &&
                    before->second.tv_nsec == after->second.tv_nsec;
  if (!same) return Error{ErrorCode::kCorruption, kOperation, path.string() + ": changed while it was read"};
  if (!ended) return ended.error();
  return met->tally;
}

Result<ArchiveTally> read_zip(const std::string& label, std::string_view bytes, ExpansionBudget& budget,
                              const ArchiveReader& reader) {
  const Utf8Names names;
  const ArchiveHandle open(archive_read_new());
  if (open == nullptr) return Error{ErrorCode::kResourceExhausted, kOperation, "no memory for libarchive"};
  LAB_TRY(prepare(open.get(), kZip, kZip.container, label));
  if (archive_read_open_memory(open.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
    return broken(label, "", open.get());
  const fs::path path(label);
  Reading reading{path, kZip, open.get(), budget, reader};
  const auto met = read_entries(reading);
  if (!met) return met.error();
  const std::string_view tail = bytes.substr(bytes.size() - std::min(bytes.size(), kZipEndMax));
  LAB_TRY(check_zip_end(label, tail, bytes.size(), *met));
  return met->tally;
}

}  // namespace lab
