// Growth of a file system that the volume below it does not show. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "core/units.hpp"

namespace lab {

/// A volume keeps what it has allocated once, until it is trimmed: what a file system writes into such blocks
/// does not show in the volume's growth, and would look like deduplication. Returns the bytes that are hidden
/// so; nothing where it is no more than what a file system reserves and has not written yet (64 KiB and one
/// 100th of its growth). A volume that has become smaller has been trimmed, and hides nothing by that.
inline std::optional<Bytes> hidden_growth(Bytes file_system_growth, Bytes volume_growth) {
  constexpr std::int64_t kAtOnce = 64 << 10;
  constexpr std::int64_t kShare = 100;
  const std::int64_t grown = file_system_growth.count;
  const std::int64_t hidden = grown - std::max<std::int64_t>(volume_growth.count, 0);
  if (hidden <= kAtOnce + std::llabs(grown) / kShare) return std::nullopt;
  return Bytes{hidden};
}

}  // namespace lab
