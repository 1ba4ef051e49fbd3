// Counting distinct chunks in a fixed amount of memory: exactly, or in a sample with an interval.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>

#include "core/result.hpp"
#include "core/units.hpp"
#include "scan/record.hpp"
#include "scan/tally.hpp"

namespace lab::scan {

struct CounterOptions {
  FingerprintKind fingerprint = FingerprintKind::kXxh3;
  Bytes memory{64 << 20};             // For all that it keeps. Taken as it is used.
  std::filesystem::path temporary{};  // Folder of the temporary files; only an exact counter has any.
  std::stop_token stop{};             // Ends a long merge; then the counter is void.
  std::size_t workers = 1;            // Threads that finish() may take; each counts in a 64th of the memory.
};

/// What a comparison byte by byte came to.
struct Comparison {
  std::uint64_t chunks = 0;      // That were held against another one of their fingerprint and length.
  std::uint64_t collisions = 0;  // Distinct ones that had the fingerprint of another one.
};

/// A multiset of chunks. Two chunks are one if their lengths and fingerprints are equal.
class Counter {
 public:
  virtual ~Counter() = default;

  /// Thread-safe. Errors: kResourceExhausted when the disk of the temporary files is full; then it is void.
  virtual Status add(std::span<const Chunk> chunks) = 0;

  /// As so many of `chunk`, each behind the one before: at once where no position is looked at. For few
  /// distinct ones, such as the chunks of a hole, of which there may be very many. Thread-safe. Errors: as
  /// above.
  virtual Status add_copies(Chunk chunk, std::uint64_t copies);

  /// Once, at the end. The same for each order in which the chunks came. `sink` may be null; it gets every
  /// distinct chunk. Errors: kCancelled, kIo, the sink's.
  virtual Status finish(Tally& tally, DistinctSink* sink) = 0;

  /// Bytes that went to temporary files so far.
  virtual std::uint64_t spilled_bytes() const = 0;

  /// After finish(), of a counter that compares bytes.
  virtual std::optional<Comparison> comparison() const { return std::nullopt; }
};

/// Keeps every chunk as a record; when the memory is full they go to a temporary file as a sorted run, and
/// the runs are merged at the end.
std::unique_ptr<Counter> make_exact_counter(const CounterOptions& options);

/// Adaptive distinct sampling (Gibbons 2001): keeps the chunks whose fingerprint begins with `level` zero
/// bits, and raises the level when the memory is full. Each distinct chunk is kept with all its copies or not
/// at all, with a chance of 2^-level; level 0 is an exact count.
std::unique_ptr<Counter> make_sketch_counter(const CounterOptions& options);

}  // namespace lab::scan
