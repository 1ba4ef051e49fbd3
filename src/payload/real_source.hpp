// Local real data as contents: the stream of a kind, cut into slices of one size, or its whole records; no
// two of them equal. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/spill_file.hpp"
#include "payload/dataset.hpp"
#include "payload/real_kinds.hpp"

namespace lab {

/// The different pieces of a kind, in the order of the files.
struct RealPool {
  SpillFile pieces;                   // One behind the other.
  std::optional<Bytes> slice_size{};  // Of slices.
  std::vector<std::uint64_t> ends{};  // Of records: where each ends.
  RealDataReport report{};

  std::uint64_t offset_of(std::uint64_t piece) const;
  Bytes size_of(std::uint64_t piece) const;
};

/// Reads the kind below `root` and cuts it into slices of a size, or into whole records: precondition, the
/// kind has some. The second call with the same kind, size and canonical root in one process returns the
/// first's result; a caller waits while another one reads. Errors: those of visit_sources and of the kind's
/// files; these are not kept.
Result<std::shared_ptr<const RealPool>> read_real_data(const RealKind& kind, const std::string& root,
                                                       std::optional<Bytes> slice_size);

/// Content k is the k-th piece of the pool, shuffled by the seed.
std::unique_ptr<const ContentSource> make_real_source(const RealKind& kind,
                                                      std::shared_ptr<const RealPool> pool,
                                                      std::uint64_t dataset_seed);

}  // namespace lab
