// Where content-defined chunks end: the seam between a chunking algorithm and the scan.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace lab::scan {

/// Finds the cuts of several settings in one pass. Not thread-safe.
class CutFinder {
 public:
  virtual ~CutFinder() = default;
  virtual void begin_file() = 0;

  /// The next bytes of the file. Appends to cuts[i] the offsets in the file, ascending, at which a chunk of
  /// setting i ends, up to and including the end of these bytes. The cuts do not depend on how a file is
  /// split into calls. What is left at the end of the file is a chunk.
  virtual void feed(std::span<const std::byte> bytes, std::vector<std::vector<std::uint64_t>>& cuts) = 0;
};

}  // namespace lab::scan
