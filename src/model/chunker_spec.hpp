// How files are cut for a count of what is redundant in them: fixed blocks or content-defined chunks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace lab {

/// One way to cut files. Chunks never cross files; what is left at the end of a file is a chunk of its own.
struct ChunkerSpec {
  enum class Kind : std::uint8_t { kFixed, kCdc };
  Kind kind = Kind::kFixed;
  std::uint32_t size = 4096;  // Bytes of a block, or the average that content-defined chunks aim at.
  std::uint32_t align = 0;    // Fixed blocks begin at this offset; the bytes before it are a chunk.

  friend bool operator==(const ChunkerSpec&, const ChunkerSpec&) = default;
};

/// "fixed:4096", "cdc:8192"; the alignment is not part of it.
std::string chunker_name(const ChunkerSpec& spec);

/// From a word such as "fixed:4096", "fixed:128KiB", "cdc:8192". Errors: kInvalidArgument with the word.
Result<ChunkerSpec> parse_chunker(std::string_view word);

}  // namespace lab
