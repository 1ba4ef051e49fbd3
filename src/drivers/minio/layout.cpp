// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/layout.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/files.hpp"
#include "core/text.hpp"
#include "driver/server_namespace.hpp"
#include "drivers/minio/bucket.hpp"
#include "drivers/minio/marker.hpp"

namespace lab::minio {
namespace {

namespace fs = std::filesystem;

constexpr int kDepth = 3;  // A folder of drives, a drive, a bucket.

/// The marker's file below a folder that has the bucket's name; nothing where there is none.
std::optional<FilesHere> marker_below(const fs::path& bucket) {
  std::error_code failure;
  const fs::path plain = bucket / kMarkerKey;
  if (fs::is_regular_file(plain, failure)) return FilesHere{Layout::kPlainFiles, plain};
  const fs::path meta = plain / "xl.meta";
  if (fs::is_regular_file(meta, failure)) return FilesHere{Layout::kMinio, meta};
  return std::nullopt;
}

bool is_volume(const std::string& file, const std::string& bucket) {
  return file.starts_with(bucket + "_") && file.ends_with(".dat");
}

Error not_of_this_server(const fs::path& directory, std::string_view why) {
  return {ErrorCode::kInvalidArgument, "minio.directory",
          fmt::format("{} is not the directory of this server's files, or not in a layout that is known "
                      "(SeaweedFS, VersityGW, MinIO): {}",
                      directory.string(), why)};
}

/// What servers lay beside the files of buckets: MinIO's own folder, SeaweedFS's id of a folder of volumes,
/// and its volumes of no bucket.
bool is_of_a_known_server(const fs::path& path) {
  const std::string name = path.filename().string();
  const bool volume = name.ends_with(".dat") && name.find_first_not_of("0123456789") == name.size() - 4;
  return name == ".minio.sys" || name == "vol_dir.uuid" || (volume && name.size() > 4);
}

FilePart part_of_volume(const std::string& space, const fs::path& relative) {
  const std::string stem = relative.stem().string();
  const std::size_t line = stem.rfind('_');  // BUCKET_NUMBER
  if (line == std::string::npos || !is_numbered(stem, stem.substr(0, line + 1)))
    return FilePart::kMeta;  // The filer's database and log, the master's.
  if (!is_numbered(stem.substr(0, line), space + "-")) return FilePart::kOthers;
  const std::string extension = relative.extension().string();
  if (extension == ".dat") return FilePart::kPayload;
  if (extension == ".idx" || extension == ".sdx" || extension == ".ecx") return FilePart::kIndex;
  const bool shard = extension.size() == 5 && extension.starts_with(".ec") &&
                     extension.find_first_not_of("0123456789", 3) == std::string::npos;
  return shard ? FilePart::kPayload : FilePart::kMeta;
}

}  // namespace

std::string_view to_string(Layout layout) noexcept {
  switch (layout) {
    case Layout::kPlainFiles:
      return "plain files";
    case Layout::kSeaweed:
      return "SeaweedFS volumes";
    case Layout::kMinio:
      return "MinIO drives";
  }
  return "?";
}

Result<std::optional<FilesHere>> find_bucket(const fs::path& directory, const std::string& bucket) {
  std::error_code failure;
  if (!fs::is_directory(directory, failure))
    return Error{ErrorCode::kInvalidArgument, "minio.directory", directory.string() + " is no directory"};
  std::optional<FilesHere> volumes;
  fs::recursive_directory_iterator entry(directory, fs::directory_options::skip_permission_denied, failure);
  for (const fs::recursive_directory_iterator end; !failure && entry != end; entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    std::error_code gone;  // Files vanish while we look.
    if (entry->is_directory(gone)) {
      if (name == bucket)
        if (auto found = marker_below(entry->path())) return found;
      if (entry.depth() + 1 >= kDepth) entry.disable_recursion_pending();
    } else if (is_volume(name, bucket)) {
      if (!volumes) volumes = FilesHere{.layout = Layout::kSeaweed};
      const auto size = entry->file_size(gone);
      volumes->volume_bytes += gone ? 0 : static_cast<std::int64_t>(size);
    }
  }
  if (failure) return errno_error("minio.directory", directory.string(), failure.value());
  return volumes;
}

Status check_possible(const fs::path& directory, const std::set<std::string>& buckets) {
  std::uint64_t files = 0;
  std::error_code failure;
  fs::recursive_directory_iterator entry(directory, fs::directory_options::skip_permission_denied, failure);
  for (const fs::recursive_directory_iterator end; !failure && entry != end; entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    std::error_code gone;  // Files vanish while we look.
    const bool folder = entry->is_directory(gone);
    if (is_of_a_known_server(entry->path()) || (folder && buckets.contains(name))) return ok();
    if (folder && entry.depth() + 1 >= kDepth) entry.disable_recursion_pending();
    files += folder ? 0 : 1;
  }
  if (failure) return errno_error("minio.directory", directory.string(), failure.value());
  if (files == 0) return ok();
  return not_of_this_server(
      directory,
      fmt::format("it holds files, but none of a bucket of this server, which has {}",
                  buckets.empty() ? "none" : join(std::vector(buckets.begin(), buckets.end()), ", ")));
}

Status check_directory(const fs::path& directory, const std::optional<FilesHere>& before,
                       const std::optional<FilesHere>& after, const std::string& run_id) {
  const auto refuse = [&](const char* why) { return not_of_this_server(directory, why); };
  if (!after) return refuse("it holds nothing of our bucket");
  if (after->layout == Layout::kSeaweed) {
    const std::int64_t had = before && before->layout == Layout::kSeaweed ? before->volume_bytes : 0;
    if (after->volume_bytes > had) return ok();
    return refuse("volumes of our bucket did not grow when its marker was written");
  }
  const auto text = read_file(after->marker);
  if (!text) return text.error();
  if (text->find(marker_text(run_id)) != std::string::npos) return ok();
  return refuse("the marker of our bucket is another one there");
}

FilePart part_of(Layout layout, const std::string& space, const fs::path& relative) {
  if (layout == Layout::kSeaweed) return part_of_volume(space, relative);
  bool ours = false;
  for (const fs::path& folder : relative) {
    const std::string name = folder.string();
    if (name == kMarkerKey || (layout == Layout::kMinio && name == ".minio.sys")) return FilePart::kMeta;
    ours = ours || is_numbered(name, space + "-");
  }
  return ours ? FilePart::kPayload : FilePart::kOthers;
}

Result<double> copies_of_xl_meta(std::string_view bytes) {
  // MessagePack: a name of three letters begins with 0xa3, a small number is one byte.
  const auto number = [&](std::string_view name) -> int {
    const std::size_t at = bytes.find("\xa3" + std::string(name));
    if (at == std::string_view::npos || at + 4 >= bytes.size()) return -1;
    return static_cast<unsigned char>(bytes[at + 4]);
  };
  const int data = number("EcM");
  const int parity = number("EcN");
  if (data < 1 || data > 64 || parity < 0 || parity > 64)
    return Error{ErrorCode::kUnsupported, "minio.copies", "xl.meta of the marker names no erasure code"};
  return static_cast<double>(data + parity) / data;
}

Result<TreeState> tree_state(const fs::path& directory) {
  TreeState state;
  std::error_code failure;
  fs::recursive_directory_iterator entry(directory, failure);
  for (const fs::recursive_directory_iterator end; !failure && entry != end; entry.increment(failure)) {
    struct stat info{};
    if (::lstat(entry->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0) continue;
    state.files.emplace(info.st_ino, entry->path().string());
    state.allocated += info.st_blocks * 512;
  }
  if (failure) return errno_error("minio.directory", directory.string(), failure.value());
  return state;
}

}  // namespace lab::minio
