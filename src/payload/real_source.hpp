// Local real data as contents: the stream of a kind, cut into slices of one size, no two of them equal.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/spill_file.hpp"
#include "payload/dataset.hpp"
#include "payload/real_kinds.hpp"

namespace lab {

/// The different slices of a kind, in the order of the stream.
struct SlicePool {
  SpillFile slices;  // One behind the other.
  RealDataReport report{};
};

/// Reads the kind below `root` and cuts it. The second call with the same kind, size and canonical root in
/// one process returns the first's result; a caller waits while another one reads. Errors: those of
/// visit_sources and of the kind's files; these are not kept.
Result<std::shared_ptr<const SlicePool>> read_slices(const RealKind& kind, const std::string& root,
                                                     Bytes size);

/// Content k is the k-th slice of the pool, shuffled by the seed.
std::unique_ptr<const ContentSource> make_real_source(const RealKind& kind,
                                                      std::shared_ptr<const SlicePool> pool,
                                                      std::uint64_t dataset_seed);

}  // namespace lab
