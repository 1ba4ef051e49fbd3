// From sums and distinct chunks to the figures of a report.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "scan/chunk_stream.hpp"
#include "scan/scan.hpp"
#include "scan/tally.hpp"

namespace lab::scan {

/// What was read of the files of one class.
struct FilesRead {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t hole_bytes = 0;
};

/// The figures of one chunker. `met` and `read` are by class. Whole blocks of zeros, which the counter did
/// not see, are one more distinct chunk.
ChunkerReport chunker_report(const ChunkerSpec& spec, std::span<const std::string> classes,
                             std::span<const FilesRead> read, std::span<const Met> met, const Tally& counted);

}  // namespace lab::scan
