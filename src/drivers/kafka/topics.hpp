// Names of the lab's topics, the settings that a variant gives them, and what each of a broker's files holds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "driver/observer.hpp"
#include "driver/system.hpp"

namespace lab::kafka {

using TopicSettings = std::map<std::string, std::string>;

/// Topics NAME-0, NAME-1, ... for containers and NAME-marker for marker and lock. Nothing else is ours.
struct Names {
  std::string prefix{};

  std::string container(std::uint32_t number) const;
  std::string marker() const;
  /// The number of a container's topic; nothing for any other topic.
  std::optional<std::uint32_t> number_of(std::string_view topic) const;
};

/// What a variant is.
struct Setup {
  std::string variant{};
  std::string codec = "none";            // The producer's compression.
  bool compacted = false;                // cleanup.policy=compact, else delete.
  bool by_hash = false;                  // The key is the content's SHA-256, else the id.
  const NativeSchema* schema = nullptr;  // Of mode "native"; null: the headers are the columns of a payload.
};

const std::vector<VariantInfo>& variants();
Setup setup_of(const std::string& variant);

constexpr std::int64_t kSegmentBytes = 16LL << 20;
constexpr std::int64_t kMessageBytesMax = 15LL << 20;  // A batch must fit into a segment.
constexpr std::int64_t kRecordOverhead = 64LL << 10;   // Room for headers and the batch's own.

TopicSettings topic_settings(const Setup& setup);

/// True for a topic that has what our containers are made with: from the moment in which it is made it says
/// whose it is. Maintenance changes other settings alone.
bool is_container(const TopicSettings& settings);

/// True for the settings of a container from before topics had the mark.
bool is_unmarked_container(const TopicSettings& settings);

TopicSettings marker_settings();

/// True for the settings of a marker topic: made in one step with the topic, they mark it before it holds
/// anything.
bool is_marker(const TopicSettings& settings);

/// Containers are those whose number is below `containers`.
std::optional<FilePart> part_of(const Names& names, std::uint32_t containers,
                                const std::filesystem::path& relative);

}  // namespace lab::kafka
