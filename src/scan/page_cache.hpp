// Keeps a scan from throwing other programs' pages out of the page cache.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <vector>

namespace lab::scan {

/// Notes which pages of a file are in the cache before they are read, and drops those that were not: pages
/// that a server has in the cache stay there, and what only the scan has brought goes again. Where the kernel
/// does not tell (files that this user may not write, devices), nothing is dropped. Looks further ahead than
/// the kernel reads, so that it does not take what was read ahead for such as was there before. Thread-safe:
/// workers that read parts of a file share one.
class CacheKeeper {
 public:
  /// Of a file of so many bytes. Borrowed.
  CacheKeeper(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  /// Drops what is left.
  ~CacheKeeper();
  CacheKeeper(const CacheKeeper&) = delete;
  CacheKeeper& operator=(const CacheKeeper&) = delete;

  /// Before anything is read from `offset` on; offsets come in ascending order. What lies between is passed
  /// over, as holes are.
  void begin(std::uint64_t offset);

  /// [begin, end) was read, or passed over. What lies before all that is still read is dropped.
  void end(std::uint64_t begin, std::uint64_t end);

 private:
  struct Window {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::vector<unsigned char> resident{};  // A byte a page; empty: not known, or all of them.
  };
  Window look(std::uint64_t begin) const;
  void drop(const Window& window) const;

  int descriptor_;
  std::uint64_t size_;
  std::mutex mutex_{};
  std::deque<Window> windows_{};                    // Looked at and not dropped.
  std::uint64_t looked_ = 0;                        // All before was looked at, or passed over.
  std::uint64_t read_ = 0;                          // All before was read, or passed over.
  std::map<std::uint64_t, std::uint64_t> later_{};  // Ranges behind it that were, and their ends.
};

}  // namespace lab::scan
