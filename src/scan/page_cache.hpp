// Keeps a scan from throwing other programs' pages out of the page cache.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace lab::scan {

/// Notes which pages of a file are in the cache before they are read, and drops those that were not: pages
/// that a server has in the cache stay there, and what only the scan has brought goes again. Where the kernel
/// does not tell (files that this user may not write, devices), nothing is dropped.
class CacheKeeper {
 public:
  /// Before [begin, end) of the file is read, in ascending order.
  CacheKeeper(int descriptor, std::uint64_t begin, std::uint64_t end);

  /// All before `offset` was read.
  void read_up_to(std::uint64_t offset);

  /// Whether it is known what is in the cache.
  bool knows() const noexcept { return known_; }

  /// Begins to read what is not in the cache of a range that lies in the 64 MiB from where was read up to.
  /// For a part of a file, where the kernel's own read-ahead would go on into the next part: who reads that
  /// one would take the pages for such as were there before.
  void read_ahead(std::uint64_t begin, std::uint64_t end) const;

 private:
  struct Window {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::vector<unsigned char> resident{};  // A byte a page; empty: not known, or all of them.
  };
  Window look(std::uint64_t begin);
  bool missing(std::uint64_t begin, std::uint64_t end) const;
  void drop(const Window& window) const;

  int descriptor_;
  std::uint64_t end_;
  Window now_{};
  Window next_{};  // Looked at before the kernel's read-ahead comes there.
  bool known_ = true;
};

}  // namespace lab::scan
