// Contents that are made here, of one kind or of several in exact shares.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payload/dataset.hpp"
#include "payload/made_kinds.hpp"

namespace lab {

/// The kinds of a payload, and which content is of which: content k is of kinds[order[k % order.size()]].
struct MadeMix {
  std::string payload{};
  std::vector<const MadeKind*> kinds{};
  /// Among any number of contents from 0 on, each kind has its share, rounded down or up.
  std::vector<std::uint8_t> order{};
  std::optional<int> compressible{};  // Only of random_binary alone; in thousandths.
};

/// True for a made kind's name and for mixes, whether or not they are well written.
bool is_made(std::string_view payload);

/// Errors: kInvalidArgument, for a mix. Precondition: is_made(payload).
Result<MadeMix> made_mix(std::string_view payload);

/// The same with what its objects compress to. Errors: kInvalidArgument where the kind has a ratio of its
/// own.
Result<MadeMix> made_mix(const DatasetSpec& spec);

/// From this size on there are more contents than anybody can ask for.
Bytes smallest_any_size(const MadeMix& mix);

/// Smallest size from which `objects` distinct contents can be made.
Bytes smallest_size(const MadeMix& mix, std::uint64_t objects);

std::unique_ptr<const ContentSource> make_made_source(MadeMix mix, const DatasetSpec& spec);

}  // namespace lab
