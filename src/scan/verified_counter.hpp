// The exact counter that trusts no fingerprint: chunks that have the same one are compared byte by byte.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "scan/chunk_bytes.hpp"
#include "scan/counter.hpp"

namespace lab::scan {

/// Two chunks are one if their bytes are equal. A record has the chunk's position besides, 8 bytes, and is
/// kept for every copy. finish() reads each chunk that is not alone with its fingerprint from `bytes`, which
/// is borrowed, in no order; it takes no sink. Errors besides: those of `bytes`; kRefused when more than
/// kContentsMax different chunks have one fingerprint.
std::unique_ptr<Counter> make_verified_counter(const CounterOptions& options, ChunkBytes& bytes);

/// A chunk is held against so many others; more are no accident.
inline constexpr std::size_t kContentsMax = 64;

/// Chunks that finish() has in memory at once, to compare them.
inline constexpr std::int64_t kChunksCompared = 3;

}  // namespace lab::scan
