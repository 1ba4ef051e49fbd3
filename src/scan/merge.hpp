// Several scans' emitted folders as one: what must fit together, and the report of an engine's counts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "scan/emit.hpp"
#include "scan/scan.hpp"

namespace lab::scan {

/// Folders that can be counted together.
struct MergeInput {
  std::vector<std::filesystem::path> folders{};  // Absolute.
  std::vector<Emitted> scans{};                  // In their order.

  const Emitted& first() const { return scans.front(); }
};

/// Errors: kInvalidArgument: a folder is not whole, is named twice, is a copy of another one, or was made
/// with other chunkers, classes or fingerprints than the first.
Result<MergeInput> read_merge_input(std::span<const std::filesystem::path> folders);

/// What an engine has counted of one chunker: the distinct chunks of one bucket (tally.hpp) of all files, or
/// of one class.
struct CountedBucket {
  std::optional<std::size_t> class_index{};  // None: all files.
  std::size_t bucket = 0;
  MultiplicityBucket counted{};
  std::uint64_t unique_bytes = 0;
};
/// By chunker.
using Counted = std::vector<std::vector<CountedBucket>>;

/// What one scan over all the files says, but for `seconds`, which stay 0; temporary files are those of the
/// scans. Errors: kCorruption when the counts are not of the chunks that the scans have met.
Result<ScanReport> merged_report(const MergeInput& input, const Counted& counted);

}  // namespace lab::scan
