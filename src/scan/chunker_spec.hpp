// Which chunkers a scan is asked for: fixed blocks and content-defined chunks, and their words.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace lab::scan {

/// One way to cut files. Chunks never cross files; what is left at the end of a file is a chunk of its own.
struct ChunkerSpec {
  enum class Kind : std::uint8_t { kFixed, kCdc };
  Kind kind = Kind::kFixed;
  std::uint32_t size = 4096;  // Bytes of a block, or the average that content-defined chunks aim at.
  std::uint32_t align = 0;    // Fixed blocks begin at this offset; the bytes before it are a chunk.

  friend bool operator==(const ChunkerSpec&, const ChunkerSpec&) = default;
};

/// The longest chunk of `spec`.
std::uint32_t longest_chunk(const ChunkerSpec& spec);

/// "fixed:4096", "cdc:8192"; the alignment is not part of it.
std::string chunker_name(const ChunkerSpec& spec);

/// Fixed blocks from 512 bytes to 1 MiB and content-defined chunks from 512 bytes to 64 KiB.
std::vector<ChunkerSpec> whole_curve();

/// From words such as "fixed:4096", "fixed:128KiB", "cdc:8192". Errors: kInvalidArgument with the word.
Result<std::vector<ChunkerSpec>> parse_chunkers(std::span<const std::string> words);

/// Each fixed chunker once for each of the offsets that are smaller than its blocks (a larger one is another
/// one's grid), in order; content-defined chunks have none. Errors: kInvalidArgument for a chunker without
/// any, or an offset that is named twice.
Result<std::vector<ChunkerSpec>> with_alignments(std::span<const ChunkerSpec> chunkers,
                                                 std::span<const std::uint32_t> offsets);

}  // namespace lab::scan
