// Reads files and devices in large pieces, in order, holes as holes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>

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

/// How many bytes from `offset` on are in a hole of an open file of so many bytes. 0 where there is none, or
/// where the file system does not tell.
std::uint64_t hole_at(int descriptor, std::uint64_t offset, std::uint64_t size);

/// Not thread-safe: one a worker.
class Reader {
 public:
  explicit Reader(const ReadOptions& options);

  struct Range {
    std::uint64_t begin = 0;  // A multiple of kPiece.
    std::uint64_t end = 0;
    /// It was one when it was looked for. What was written to it meanwhile is not read, and a problem: nobody
    /// gets more bytes than were foreseen.
    bool hole = false;
    CacheKeeper* cache = nullptr;  // That others share, and that knows of the beginning. Borrowed.
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
  Status read_data(int descriptor, std::uint64_t begin, std::uint64_t end, ByteSink& sink,
                   const std::stop_token& stop, ReadOutcome& outcome);
  Status read_parts(int descriptor, const ScanFile& file, const Range& range, ByteSink& sink,
                    const std::stop_token& stop, ReadOutcome& outcome);

  /// The end of the hole, or of the data, that `offset` lies in; at most `end`. `hole` says which.
  std::uint64_t end_of_extent(int descriptor, const ScanFile& file, std::uint64_t offset, std::uint64_t end,
                              bool& hole);

  /// Data up to the next hole, as it was found last: in memory (tmpfs) the system looks at each page up to
  /// the next hole, and to do so for each part of a large file takes longer than to read it.
  struct Data {
    std::filesystem::path path{};
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  ReadOptions options_;
  Data data_{};
  std::size_t piece_;
  std::unique_ptr<std::byte, Free> buffer_;
};

}  // namespace lab::scan
