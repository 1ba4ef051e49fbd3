// How the servers that we know lay objects out in files, and whether a directory is the one of our bucket.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "driver/observer.hpp"

namespace lab::minio {

enum class Layout : std::uint8_t {
  kPlainFiles,  // VersityGW: one file an object, BUCKET/KEY.
  kSeaweed,     // SeaweedFS: volumes BUCKET_NUMBER.dat, each with an index .idx.
  kMinio,       // MinIO: BUCKET/KEY/xl.meta and BUCKET/KEY/DIRECTORY/part.N.
};
std::string_view to_string(Layout layout) noexcept;

/// What the directory holds of a bucket.
struct FilesHere {
  Layout layout = Layout::kPlainFiles;
  std::filesystem::path marker{};  // Its file; not for kSeaweed.
  std::int64_t volume_bytes = 0;   // kSeaweed: of all the bucket's volumes.
};

/// Looks for the bucket below `directory`, a few folders deep. Nothing where it holds none of it.
Result<std::optional<FilesHere>> find_bucket(const std::filesystem::path& directory,
                                             const std::string& bucket);

/// Before a bucket of ours is there: whether `directory` can be that of a server with these `buckets` at all.
/// It is empty, holds one of them, or what MinIO or SeaweedFS put beside them. Errors: kInvalidArgument.
Status check_possible(const std::filesystem::path& directory, const std::set<std::string>& buckets);

/// Whether `directory` is this server's, told from what the writing of a marker for `run_id` did there:
/// `before` is what it held, `after` what it holds. Errors: kInvalidArgument.
Status check_directory(const std::filesystem::path& directory, const std::optional<FilesHere>& before,
                       const std::optional<FilesHere>& after, const std::string& run_id);

/// `space` is the namespace: objects and volumes of other buckets are others', those of the server's own log
/// are meta.
FilePart part_of(Layout layout, const std::string& space, const std::filesystem::path& relative);

/// Copies that MinIO keeps of an object, (data + parity) / data of its erasure code, as the object's own
/// xl.meta says. Errors: kUnsupported where it does not say.
Result<double> copies_of_xl_meta(std::string_view bytes);

/// What tells that a maintenance did something to files: which there are, and what they take.
struct TreeState {
  std::set<std::pair<std::uint64_t, std::string>> files{};  // Inode and name of those with data.
  std::int64_t allocated = 0;
};
Result<TreeState> tree_state(const std::filesystem::path& directory);

}  // namespace lab::minio
