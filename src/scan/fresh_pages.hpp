// Pages of memory that was given but never touched, many in one call.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace lab::scan {

/// Has the system give the pages of memory that is about to be written from its beginning on, some ahead of
/// the writer: one fault a page costs more than to count what is written there. Not thread-safe.
class FreshPages {
 public:
  /// Of other memory, none of which was touched. Borrowed.
  void begin(std::span<std::byte> memory) noexcept;

  /// Before a byte below `end` is written. A quarter more than that is asked for, from 64 KiB to 2 MiB.
  /// What the system does not give now it gives at the first touch, so that nothing can fail here.
  void reach(std::size_t end) noexcept;

 private:
  std::span<std::byte> memory_{};
  std::size_t asked_ = 0;
};

}  // namespace lab::scan
