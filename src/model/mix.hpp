// Mixed payloads: "mixed", or "mixed:<kind>=<share>+<kind>=<share>...".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace lab {

struct MixShare {
  std::string kind{};
  int share = 1;  // 1 to 100; what counts is its part of the sum.
  friend bool operator==(const MixShare&, const MixShare&) = default;
};

bool is_mixed(std::string_view payload);

/// The shares as they are written; for plain "mixed" five kinds in equal shares. `kinds` are those that a mix
/// may name. Errors: kInvalidArgument, with the nearest of them, for any other, for one that stands twice,
/// for fewer than two, and for a share out of range. Precondition: is_mixed(payload).
Result<std::vector<MixShare>> parse_mix(std::string_view payload, std::span<const std::string> kinds);

}  // namespace lab
