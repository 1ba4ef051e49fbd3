// The zeros that a stream of bytes ends with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lab {

/// Takes a stream in pieces and knows from where on it has zeros alone: `begin`, which is `size` where there
/// are none.
struct ZeroTail {
  std::int64_t size = 0;
  std::int64_t begin = 0;

  void take(std::span<const std::byte> bytes) {
    const auto last =
        std::find_if(bytes.rbegin(), bytes.rend(), [](std::byte byte) { return byte != std::byte{0}; });
    if (last != bytes.rend()) begin = size + (bytes.rend() - last);
    size += std::ssize(bytes);
  }
};

}  // namespace lab
