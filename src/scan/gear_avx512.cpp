// The gear hash on AVX-512: 64 bytes a step. Compiled with flags of its own, so nothing but intrinsics is
// included. SPDX-License-Identifier: Apache-2.0
#include "scan/gear_kernel.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace lab::gear {
namespace {

struct Shuffles {
  __m512i low_of_low, high_of_low, low_of_high, high_of_high;
};

__m512i four_times(const std::uint8_t* table) {
  return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
}

/// Sums of 1, 2, 4 and 8 entries for the 32 bytes before: a window of 16 is four doublings.
struct Before {
  __m512i sums[4];
};

[[gnu::always_inline]] inline __m512i hashes(__m512i entries, Before& before) {
  // Moved by one lane: the double words before, and their upper lanes shifted in.
  const __m512i one = _mm512_shldi_epi32(entries, _mm512_alignr_epi32(entries, before.sums[0], 15), 16);
  const __m512i two = _mm512_add_epi16(entries, _mm512_slli_epi16(one, 1));
  const __m512i by_two = _mm512_alignr_epi32(two, before.sums[1], 15);
  const __m512i four = _mm512_add_epi16(two, _mm512_slli_epi16(by_two, 2));
  const __m512i by_four = _mm512_alignr_epi32(four, before.sums[2], 14);
  const __m512i eight = _mm512_add_epi16(four, _mm512_slli_epi16(by_four, 4));
  const __m512i by_eight = _mm512_alignr_epi32(eight, before.sums[3], 12);
  const __m512i all = _mm512_add_epi16(eight, _mm512_slli_epi16(by_eight, 8));
  before = {{entries, two, four, eight}};
  return all;
}

struct Pair {
  __m512i first, second;
};

// Both inline always: a call passes tables and sums through memory.
[[gnu::always_inline]] inline Pair hashes_of(const std::uint8_t* data, const Shuffles& tables,
                                             Before& before) {
  const __m512i nibble = _mm512_set1_epi8(15);
  // The interleaving below works in quarters of 16 bytes: sorted so that its results are in the order of the
  // data.
  const __m512i order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
  const __m512i bytes = _mm512_permutexvar_epi64(order, _mm512_loadu_si512(data));
  const __m512i low = _mm512_and_si512(bytes, nibble);
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), nibble);
  const __m512i low_bytes = _mm512_xor_si512(_mm512_shuffle_epi8(tables.low_of_low, low),
                                             _mm512_shuffle_epi8(tables.low_of_high, high));
  const __m512i high_bytes = _mm512_xor_si512(_mm512_shuffle_epi8(tables.high_of_low, low),
                                              _mm512_shuffle_epi8(tables.high_of_high, high));
  // In this order: each leaves behind what the next one begins with.
  const __m512i first = hashes(_mm512_unpacklo_epi8(low_bytes, high_bytes), before);
  const __m512i second = hashes(_mm512_unpackhi_epi8(low_bytes, high_bytes), before);
  return {first, second};
}

}  // namespace

std::size_t find_avx512(const std::uint8_t* data, std::size_t from, std::size_t to, unsigned bits,
                        std::uint32_t* out) {
  constexpr std::size_t kStep = 64;
  // The first step is made twice: its hashes lack what was before it, but the next ones find it complete.
  const std::size_t begin = from + kStep < to ? from + kStep : to;
  std::size_t found = find_scalar(data, from, begin, bits, out);
  if (begin == to) return found;
  const Shuffles tables{four_times(kTables.low_of_low), four_times(kTables.high_of_low),
                        four_times(kTables.low_of_high), four_times(kTables.high_of_high)};
  const __m512i zero = _mm512_setzero_si512();
  const __m512i mask = _mm512_set1_epi16(static_cast<short>(0xFFFFU << (16U - bits)));
  Before before{{zero, zero, zero, zero}};
  hashes_of(data + from, tables, before);
  std::size_t at = begin;
  for (; at + kStep <= to; at += kStep) {
    _mm_prefetch(reinterpret_cast<const char*>(data + at + 2048), _MM_HINT_T0);
    const Pair hash = hashes_of(data + at, tables, before);
    const std::uint64_t first = _mm512_testn_epi16_mask(hash.first, mask);
    const std::uint64_t second = _mm512_testn_epi16_mask(hash.second, mask);
    std::uint64_t hits = first | second << 32U;
    if (hits == 0) continue;
    alignas(64) std::uint16_t lanes[kStep];
    _mm512_store_si512(lanes, hash.first);
    _mm512_store_si512(lanes + 32, hash.second);
    for (; hits != 0; hits &= hits - 1) {
      const auto lane = static_cast<std::size_t>(__builtin_ctzll(hits));
      out[found++] = static_cast<std::uint32_t>((at - from + lane) << 16U) | lanes[lane];
    }
  }
  // The rest counts from `at`; its offsets are moved to `from`.
  const std::size_t rest = find_scalar(data, at, to, bits, out + found);
  for (std::size_t k = 0; k < rest; ++k) out[found + k] += static_cast<std::uint32_t>((at - from) << 16U);
  return found + rest;
}

}  // namespace lab::gear
#endif
