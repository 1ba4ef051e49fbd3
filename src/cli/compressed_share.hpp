// `generate --compressible`: the share that was asked for, measured before anything is written.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "payload/dataset.hpp"

namespace lab::cli {

/// What zstd at level 3 leaves of an object, as a share of its size.
struct CompressedShare {
  double asked = 0;
  double least = 0;  // Among the originals that were measured, each alone.
  double most = 0;
  std::uint64_t originals = 0;
};

/// Of the first originals. Errors: kInvalidArgument where one differs by more than 2 % from what was asked;
/// kUnsupported where an object is too large to be measured in memory; those of making the objects.
/// Precondition: the dataset has a target.
Result<CompressedShare> measure_compressed_share(const Dataset& dataset);

}  // namespace lab::cli
