// What the paths of random_binary share. Only for random_binary*.cpp and their test.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace lab::random_binary {

// The files with AES code are compiled with flags of their own. So they include nothing with inline functions
// that other files use too: the linker might keep the copy that needs those instructions for all of them.

inline constexpr std::size_t kBlock = 16;  // Bytes.

/// A counter of 128 bits and three AES rounds (FIPS 197: SubBytes, ShiftRows, MixColumns, AddRoundKey) over
/// it. Each step is a bijection, so that under one key different counters give different blocks.
struct BlockStream {
  std::uint64_t high = 0;  // Of the content, constant in it: bytes 8 to 15 of the counter, little-endian.
  std::uint64_t keys[3][2] = {};  // Of a round: bytes 0 to 7 and 8 to 15, little-endian.
};

/// What the low half of the counter, bytes 0 to 7, grows by from block to block, modulo 2^64; it begins at
/// this. Odd, so that it takes every value once, and with no pattern that three rounds could keep.
inline constexpr std::uint64_t kCounterStep = 0x9E3779B97F4A7C15ULL;

/// Each writes the stream's blocks from number `first` on, `count` of them. `to` need not be aligned.
void fill_portable(std::byte* to, std::uint64_t first, std::size_t count, const BlockStream& stream);
#if defined(__x86_64__)
/// Precondition: the processor has AES.
void fill_aes(std::byte* to, std::uint64_t first, std::size_t count, const BlockStream& stream);
/// Of whole groups of four vectors; returns how many blocks were written, at most `count`. Precondition: the
/// processor has AVX-512 F and DQ, VAES and PREFETCHW.
std::size_t fill_vaes(std::byte* to, std::uint64_t first, std::size_t count, const BlockStream& stream);
#endif

}  // namespace lab::random_binary
