// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/topics.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "driver/server_namespace.hpp"

namespace lab::kafka {
namespace {

constexpr const char* kSignatureKey = "delete.retention.ms";
constexpr const char* kSignature = "27182818";  // A value that nobody gives a topic by chance.
/// Of a container: so many records would have to come before it has a file synced, which never happens.
constexpr const char* kContainerKey = "flush.messages";
constexpr const char* kContainerMark = "2718281828459045";
constexpr std::string_view kPartition = "-0";  // Folder of a topic's only partition: TOPIC-0.
constexpr std::size_t kNumberDigitsMax = 9;

bool has_extension(const std::filesystem::path& file, std::string_view wanted) {
  return file.extension().string() == wanted;
}

/// A folder of a partition, TOPIC-NUMBER, or of one that waits for its removal, TOPIC-NUMBER.ID-delete.
bool is_partition(std::string_view folder) {
  const std::size_t dash = folder.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return false;
  const std::string_view end = folder.substr(dash + 1);
  return end == "delete" || end == "future" || end == "stray" || is_numbered(end, "");
}

/// Topics that the cluster keeps for itself begin with "__"; of ours are the marker and what is removed.
bool is_of_others(const Names& names, std::string_view folder, std::string_view topic) {
  if (!is_partition(folder) || folder.starts_with("__") || topic == names.marker()) return false;
  const bool removed = topic.empty() && !std::isdigit(static_cast<unsigned char>(folder.back()));
  return !(removed && folder.starts_with(names.prefix + "-"));
}

}  // namespace

std::string Names::container(std::uint32_t number) const { return prefix + "-" + std::to_string(number); }

std::string Names::marker() const { return prefix + "-marker"; }

std::optional<std::uint32_t> Names::number_of(std::string_view topic) const {
  if (!topic.starts_with(prefix + "-")) return std::nullopt;
  const std::string_view digits = topic.substr(prefix.size() + 1);
  std::uint32_t number = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool canonical = digits == "0" || (!digits.empty() && digits[0] != '0');
  if (failure != std::errc() || end != digits.data() + digits.size() || !canonical ||
      digits.size() > kNumberDigitsMax)
    return std::nullopt;
  return number;
}

const std::vector<VariantInfo>& variants() {
  static const std::vector<VariantInfo> kVariants{
      {"delete", "cleanup.policy=delete, the producer does not compress"},
      {"lz4", "cleanup.policy=delete, the producer compresses each batch with lz4"},
      {"zstd", "cleanup.policy=delete, the producer compresses each batch with zstd"},
      {"compact", "cleanup.policy=compact, key = id: the log cleaner keeps the newest record of an id"},
      {"compact_by_hash",
       "cleanup.policy=compact, key = SHA-256: the log cleaner keeps the newest record of a content",
       std::nullopt, "the key of a record is its id: equal records are kept"},
  };
  return kVariants;
}

Setup setup_of(const std::string& variant) {
  Setup setup{.variant = variant};
  if (variant == "lz4" || variant == "zstd") setup.codec = variant;
  setup.compacted = variant.starts_with("compact");
  setup.by_hash = variant == "compact_by_hash";
  return setup;
}

/// Nothing leaves by age or size, a removed file goes after a second instead of a minute, and the cleaner
/// waits for the maintenance: it would otherwise run at a moment that depends on the speed of the load.
TopicSettings topic_settings(const Setup& setup) {
  TopicSettings settings{{"cleanup.policy", setup.compacted ? "compact" : "delete"},
                         {"compression.type", "producer"},
                         {"segment.bytes", std::to_string(kSegmentBytes)},
                         {"max.message.bytes", std::to_string(kMessageBytesMax)},
                         {"file.delete.delay.ms", "1000"},
                         {"message.timestamp.type", "LogAppendTime"},
                         {"retention.ms", "-1"},
                         {"retention.bytes", "-1"},
                         {kContainerKey, kContainerMark}};
  if (setup.compacted) {
    settings["min.cleanable.dirty.ratio"] = "1";
    settings["delete.retention.ms"] = "1000";
  }
  return settings;
}

bool is_container(const TopicSettings& settings) {
  const auto found = settings.find(kContainerKey);
  return found != settings.end() && found->second == kContainerMark;
}

/// A maintenance that was cut short leaves settings beside ours, and another dirty ratio.
bool is_unmarked_container(const TopicSettings& settings) {
  const auto policy = settings.find("cleanup.policy");
  if (policy == settings.end()) return false;
  TopicSettings expected = topic_settings({.compacted = policy->second == "compact"});
  expected.erase(kContainerKey);
  expected.erase("min.cleanable.dirty.ratio");
  return std::all_of(expected.begin(), expected.end(), [&](const auto& one) {
    const auto found = settings.find(one.first);
    return found != settings.end() && found->second == one.second;
  });
}

TopicSettings marker_settings() {
  return {{"cleanup.policy", "compact"},
          {kSignatureKey, kSignature},
          {"message.timestamp.type", "LogAppendTime"},
          {"segment.bytes", "1048576"},
          {"file.delete.delay.ms", "1000"}};
}

bool is_marker(const TopicSettings& settings) {
  const auto found = settings.find(kSignatureKey);
  return found != settings.end() && found->second == kSignature;
}

/// Only the containers' live segments are payload. What waits for its removal is meta: it is in the total,
/// and the payload is not blurred by it.
std::optional<FilePart> part_of(const Names& names, std::uint32_t containers,
                                const std::filesystem::path& relative) {
  const std::string folder = relative.has_parent_path() ? relative.begin()->string() : "";
  if (folder == "__cluster_metadata-0")
    return has_extension(relative, ".log") ? FilePart::kLog : FilePart::kMeta;
  const bool partition = folder.ends_with(kPartition);
  const std::string topic = partition ? folder.substr(0, folder.size() - kPartition.size()) : "";
  const auto number = partition ? names.number_of(topic) : std::nullopt;
  if (!number || *number >= containers)
    return is_of_others(names, folder, topic) ? FilePart::kOthers : FilePart::kMeta;
  if (has_extension(relative, ".log")) return FilePart::kPayload;
  for (const char* index : {".index", ".timeindex", ".txnindex"})
    if (has_extension(relative, index)) return FilePart::kIndex;
  return FilePart::kMeta;
}

}  // namespace lab::kafka
