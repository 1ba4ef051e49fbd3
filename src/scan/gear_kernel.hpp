// What the paths of the gear hash share: its tables and the form of what they find. Only for gear*.cpp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace lab::gear {

// The files with AVX code are compiled with flags of their own. So they include nothing with inline functions
// that other files use too: the linker might keep the copy that needs AVX for all of them.

/// T[b] = kLow[b & 15] ^ kHigh[b >> 4]: tables of 16 entries, so that a byte shuffle looks up 16 or more
/// bytes at once. Each table as its low and its high bytes.
struct Tables {
  alignas(16) std::uint8_t low_of_low[16];
  alignas(16) std::uint8_t high_of_low[16];
  alignas(16) std::uint8_t low_of_high[16];
  alignas(16) std::uint8_t high_of_high[16];
};
extern const Tables kTables;

/// Bytes a call, below 2^16; what it finds stays in the cache.
inline constexpr std::size_t kStripe = 64'512;

/// h(i) = sum over j = 0 .. 15 of T[data[i - j]] << j, modulo 2^16. Writes (i - from) << 16 | h(i) for each i
/// in [from, to) whose h has `bits` zeros at the top; returns how many. Precondition: the 16 bytes before
/// `from` can be read, to - from <= kStripe, and `out` has room for as many.
using Kernel = std::size_t (*)(const std::uint8_t* data, std::size_t from, std::size_t to, unsigned bits,
                               std::uint32_t* out);
std::size_t find_scalar(const std::uint8_t* data, std::size_t from, std::size_t to, unsigned bits,
                        std::uint32_t* out);
#if defined(__x86_64__)
std::size_t find_avx2(const std::uint8_t* data, std::size_t from, std::size_t to, unsigned bits,
                      std::uint32_t* out);
std::size_t find_avx512(const std::uint8_t* data, std::size_t from, std::size_t to, unsigned bits,
                        std::uint32_t* out);
#endif

}  // namespace lab::gear
