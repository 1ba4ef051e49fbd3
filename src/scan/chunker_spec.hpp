// Which chunkers a scan is asked for on the command line, and how long their chunks may be.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "model/chunker_spec.hpp"

namespace lab::scan {

/// The longest chunk of `spec`.
std::uint32_t longest_chunk(const ChunkerSpec& spec);

/// Fixed blocks from 512 bytes to 1 MiB and content-defined chunks from 512 bytes to 64 KiB.
std::vector<ChunkerSpec> whole_curve();

/// From the words of --chunker. Errors: kInvalidArgument with the word.
Result<std::vector<ChunkerSpec>> parse_chunkers(std::span<const std::string> words);

/// Each fixed chunker once for each of the offsets that are smaller than its blocks (a larger one is another
/// one's grid), in order; content-defined chunks have none. Errors: kInvalidArgument for a chunker without
/// any, or an offset that is named twice.
Result<std::vector<ChunkerSpec>> with_alignments(std::span<const ChunkerSpec> chunkers,
                                                 std::span<const std::uint32_t> offsets);

}  // namespace lab::scan
