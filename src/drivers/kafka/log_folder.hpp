// The folder in which a broker on the local machine keeps its log segments: whose it is, and what lies in it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace lab::kafka {

/// What `meta.properties` says of a folder.
struct FolderOwner {
  std::string cluster{};
  std::int32_t broker = 0;
};

/// Errors: kNotFound without that file, kCorruption where it does not say whose the folder is.
Result<FolderOwner> owner_of(const std::filesystem::path& folder);

/// "boot/pid/start" of the process that holds the folder's lock; nothing where that cannot be seen from here
/// (another pid namespace, no right).
std::optional<std::string> holder_started_at(const std::filesystem::path& folder);

/// First offset of each live segment of a topic's partition 0, ascending; `removed` counts those renamed for
/// removal. Errors: kNotFound where the topic has no folder.
struct Segments {
  std::vector<std::int64_t> bases{};
  std::int64_t bytes = 0;  // Of the .log files, apparent.
  int removed = 0;
};
Result<Segments> segments_of(const std::filesystem::path& folder, const std::string& topic);

/// Up to which offset the cleaner has cleaned each "topic-partition"; empty where it never ran.
Result<std::map<std::string, std::int64_t>> cleaned_offsets(const std::filesystem::path& folder);
std::map<std::string, std::int64_t> parse_checkpoint(std::string_view text);

/// Work that the broker has begun and not finished.
struct PendingFiles {
  int removed = 0;   // *.deleted
  int cleaning = 0;  // *.cleaned, *.swap
  int topics = 0;    // Folders of deleted topics.
};
PendingFiles pending_files(const std::filesystem::path& folder);

}  // namespace lab::kafka
