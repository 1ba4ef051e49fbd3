// Content-defined chunks of several averages in one pass, with their fingerprints.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "scan/chunk_stream.hpp"
#include "scan/chunker.hpp"
#include "scan/chunker_spec.hpp"

namespace lab::scan {

/// Cuts one file after the other. Not thread-safe.
class CdcChunks {
 public:
  struct Level {
    ChunkerSpec spec{};
    ChunkTaker* taker = nullptr;  // Borrowed.
  };
  CdcChunks(FingerprintKind kind, std::span<const Level> levels);

  void bytes(std::span<const std::byte> bytes);
  void zeros(std::uint64_t count);
  /// The end of a file; what comes then is the next one.
  void end();

  /// What no cut has ended yet, by level, in place of end().
  std::vector<std::vector<std::byte>> take_open();

  /// The most bytes that it keeps between two calls.
  std::size_t memory() const;

 private:
  struct Open {
    ChunkTaker* taker = nullptr;
    std::uint32_t longest = 0;
    std::vector<std::byte> carry{};     // The chunk that has begun and not ended.
    std::optional<Fingerprint> zero{};  // Of the longest chunk of zeros, once there was one.
  };
  void feed(std::span<const std::byte> bytes);
  void each_zero(std::uint64_t count);
  void skip_zeros(std::uint64_t count);
  void close(Open& open, std::span<const std::byte> last) const;

  FingerprintKind kind_;
  std::vector<Open> open_{};
  std::size_t memory_ = 0;
  std::uint64_t longest_ = 0;  // Of all levels: a multiple of each.
  Chunker chunker_;
  std::uint64_t at_ = 0;
  std::uint64_t zeros_before_ = 0;  // Directly before, as they were told by their number.
};

}  // namespace lab::scan
