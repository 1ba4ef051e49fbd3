// Reads files and devices in large pieces, in order, holes as holes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "scan/file_list.hpp"
#include "scan/page_cache.hpp"

namespace lab::scan {

/// Takes the bytes of a file in order.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// Borrowed for the call.
  virtual Status bytes(std::span<const std::byte> bytes) = 0;
  /// A hole: so many zeros that were not read.
  virtual Status zeros(std::uint64_t count) = 0;
};

struct ReadOptions {
  bool direct = false;  // O_DIRECT: past the page cache.
  bool again = false;   // It will be read again: what is read stays in the page cache.
};

/// What reading a part of a file came to.
struct ReadOutcome {
  bool opened = false;
  std::uint64_t bytes = 0;       // Given to the sink, holes included.
  std::uint64_t hole_bytes = 0;  // Of them.
  std::string problem{};  // Why it was not opened or not read to its end, or that it changed; else empty.
};

/// What is wrong with a file whose size is told as 0 and that has bytes nevertheless; else empty.
std::string hidden_bytes(const ScanFile& file);

/// Where a file has no bytes, as its file system tells before any of it is read. Later it may tell something
/// else: of space that was reserved and never written, what the kernel has read ahead counts as data.
class HoleMap {
 public:
  HoleMap() = default;  // No hole.
  /// Of [begin, end) of an open file. Behind a quarter of a million holes none is looked for.
  HoleMap(int descriptor, std::uint64_t begin, std::uint64_t end);

  struct Extent {
    bool hole = false;
    std::uint64_t end =
        0;  // Where the next one of the other kind begins; the largest number if there is none.
  };
  Extent at(std::uint64_t offset) const;

 private:
  struct Hole {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  std::vector<Hole> holes_{};
};

/// Not thread-safe: one a worker.
class Reader {
 public:
  explicit Reader(const ReadOptions& options);

  struct Range {
    std::uint64_t begin = 0;  // A multiple of kPiece.
    std::uint64_t end = 0;
    /// It was one when the map was made. What was written to it meanwhile is not read, and a problem: nobody
    /// gets more bytes than were foreseen.
    bool hole = false;
    // What others that read parts of the file share; borrowed. Without them the reader makes its own.
    const HoleMap* holes = nullptr;
    CacheKeeper* cache = nullptr;  // It knows of the beginning.
  };
  /// What is wrong with the file is part of the outcome. Errors: the sink's, kCancelled, kUnsupported
  /// (O_DIRECT on a file system without it).
  Result<ReadOutcome> read(const ScanFile& file, const Range& range, ByteSink& sink,
                           const std::stop_token& stop);

  /// Bytes that one call reads: large enough for the disk, small enough for a processor's cache.
  static constexpr std::size_t kPiece = 256U << 10U;
  static constexpr std::size_t kDirectPiece = 1U << 20U;  // No read-ahead stands behind it.

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };
  Status read_parts(int descriptor, const ScanFile& file, const Range& range, ByteSink& sink,
                    const std::stop_token& stop, ReadOutcome& outcome);
  /// Zeros that nobody reads, and what has come there since the map was made.
  Status read_hole(int descriptor, const Range& range, ByteSink& sink, const std::stop_token& stop,
                   ReadOutcome& outcome);
  /// The bytes to `take(span)`, piece by piece, until the outcome has a problem.
  template <class Take>
  Status read_data(int descriptor, std::uint64_t begin, std::uint64_t end, const std::stop_token& stop,
                   ReadOutcome& outcome, Take take);

  ReadOptions options_;
  std::size_t piece_;
  std::unique_ptr<std::byte, Free> buffer_;
};

}  // namespace lab::scan
