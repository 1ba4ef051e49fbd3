// Fixed blocks of several sizes in one pass: large ones get the fingerprint of their parts' fingerprints.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "scan/chunk_stream.hpp"
#include "scan/chunker_spec.hpp"

namespace lab::scan {

/// Cuts one file after the other into blocks of all the sizes that it was made with. Blocks are equal exactly
/// when their bytes are (but for a collision of the hash): blocks of one size and length have the same parts.
class FixedBlocks {
 public:
  struct Level {
    ChunkerSpec spec{};
    ChunkStream* stream = nullptr;  // Borrowed.
  };
  FixedBlocks(FingerprintKind kind, std::span<const Level> levels);
  ~FixedBlocks();
  FixedBlocks(FixedBlocks&&) noexcept;
  FixedBlocks& operator=(FixedBlocks&&) = delete;

  /// A file from its beginning, or from an offset that is a multiple of every block (without alignments).
  void begin(bool at_start);
  void bytes(std::span<const std::byte> bytes);
  void zeros(std::uint64_t count);
  /// What is left is a block of its own.
  void end();

  /// The most bytes that it keeps between two calls.
  std::size_t memory() const;

 private:
  class Node;
  std::vector<std::unique_ptr<Node>> nodes_{};  // A block before those that are made of it.
  std::vector<Node*> leaves_{};                 // Those that are made of bytes.
};

}  // namespace lab::scan
