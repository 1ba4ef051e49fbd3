// Real files as contents: the distinct files of a directory, in an order that the dataset seed decides.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "payload/dataset.hpp"

namespace lab {

inline constexpr std::string_view kDirectoryPrefix = "directory:";

/// One distinct content: the first file that has it, in bytewise path order.
struct PoolFile {
  std::string name{};  // Relative to the directory.
  Bytes size{};
  Digest digest{};
};

struct DirectoryPool {
  std::filesystem::path root{};
  std::vector<PoolFile> files{};
  DirectoryReport report{};
};

/// Walks and hashes the directory; the second call with a path of the same canonical name in one process
/// returns the first's result. Thread-safe: a caller waits while another one scans. Errors: kNotFound,
/// kInvalidArgument (no directory), and the system's for a file or folder that cannot be read, with its name;
/// these are not kept.
Result<std::shared_ptr<const DirectoryPool>> scan_directory(const std::filesystem::path& path);

/// Content k is the k-th file of the pool, shuffled by the seed.
std::unique_ptr<const ContentSource> make_directory_source(std::shared_ptr<const DirectoryPool> pool,
                                                           std::uint64_t dataset_seed);

/// By the extension, folded to lower case; "application/octet-stream" if it is not a common one.
std::string_view mime_of_name(std::string_view name);

}  // namespace lab
