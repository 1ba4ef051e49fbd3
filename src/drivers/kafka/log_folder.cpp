// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/log_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/files.hpp"
#include "core/text.hpp"

namespace lab::kafka {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kStartTimeField = 19;  // proc(5), stat: field 22, counted from the state as 0.

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<std::string> start_of(int pid) {
  const auto boot = read_file("/proc/sys/kernel/random/boot_id", 1_MiB);
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 1_MiB);
  if (!boot || !stat) return std::nullopt;
  const std::size_t name_end = stat->rfind(") ");  // The name may hold blanks and parentheses.
  if (name_end == std::string::npos) return std::nullopt;
  const auto fields = split(std::string_view(*stat).substr(name_end + 2), ' ');
  if (fields.size() <= kStartTimeField) return std::nullopt;
  return fmt::format("{}/{}/{}", trim(*boot), pid, fields[kStartTimeField]);
}

}  // namespace

Result<FolderOwner> owner_of(const fs::path& folder) {
  const auto text = read_file(folder / "meta.properties", 1_MiB);
  if (!text) return text.error();
  FolderOwner owner;
  std::optional<std::int64_t> broker;
  for (const std::string& line : split(*text, '\n')) {
    const std::string_view pair = trim(line);
    if (pair.starts_with("cluster.id=")) owner.cluster = pair.substr(11);
    if (pair.starts_with("node.id=")) broker = number(pair.substr(8));
    if (pair.starts_with("broker.id=")) broker = number(pair.substr(10));
  }
  if (owner.cluster.empty() || !broker)
    return Error{ErrorCode::kCorruption, "kafka.directory",
                 (folder / "meta.properties").string() + " names no cluster.id and node.id"};
  owner.broker = static_cast<std::int32_t>(*broker);
  return owner;
}

std::optional<std::string> holder_started_at(const fs::path& folder) {
  const auto file = open_file(folder / ".lock", O_RDONLY | O_CLOEXEC);
  if (!file) return std::nullopt;
  struct flock asked{};
  asked.l_type = F_WRLCK;
  asked.l_whence = SEEK_SET;
  if (::fcntl(file->get(), F_GETLK, &asked) != 0 || asked.l_type == F_UNLCK || asked.l_pid <= 0)
    return std::nullopt;
  return start_of(asked.l_pid);
}

Result<Segments> segments_of(const fs::path& folder, const std::string& topic) {
  const fs::path partition = folder / (topic + "-0");
  std::error_code failure;
  fs::directory_iterator entry(partition, failure);
  if (failure) return errno_error("kafka.directory", partition.string(), failure.value());
  Segments segments;
  for (const fs::directory_iterator end; !failure && entry != end; entry.increment(failure)) {
    const fs::path& path = entry->path();
    if (path.extension() == ".deleted") ++segments.removed;
    if (path.extension() != ".log") continue;
    const auto base = number(path.stem().string());
    if (!base) continue;
    segments.bases.push_back(*base);
    std::error_code vanished;  // The broker may remove it meanwhile.
    const auto size = entry->file_size(vanished);
    if (!vanished) segments.bytes += static_cast<std::int64_t>(size);
  }
  std::sort(segments.bases.begin(), segments.bases.end());
  return segments;
}

std::map<std::string, std::int64_t> parse_checkpoint(std::string_view text) {
  std::map<std::string, std::int64_t> offsets;
  for (const std::string& line : split(text, '\n')) {
    const auto words =
        split(trim(line), ' ');  // "topic partition offset"; before them a version and a count.
    if (words.size() != 3) continue;
    if (const auto offset = number(words[2])) offsets[words[0] + "-" + words[1]] = *offset;
  }
  return offsets;
}

Result<std::map<std::string, std::int64_t>> cleaned_offsets(const fs::path& folder) {
  const auto text = read_file(folder / "cleaner-offset-checkpoint", 64_MiB);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::map<std::string, std::int64_t>{};
  if (!text) return text.error();
  return parse_checkpoint(*text);
}

PendingFiles pending_files(const fs::path& folder) {
  PendingFiles pending;
  std::error_code failure;  // A broker removes folders while we walk.
  for (fs::recursive_directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string extension = entry->path().extension().string();
    if (extension == ".deleted") ++pending.removed;
    if (extension == ".cleaned" || extension == ".swap") ++pending.cleaning;
    if (entry.depth() == 0 && extension.ends_with("-delete")) ++pending.topics;
  }
  return pending;
}

}  // namespace lab::kafka
