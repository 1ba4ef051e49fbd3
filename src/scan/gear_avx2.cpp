// The gear hash on AVX2: 32 bytes a step. Compiled with -mavx2, so nothing but intrinsics is included.
// SPDX-License-Identifier: Apache-2.0
#include "scan/gear_kernel.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace lab::gear {
namespace {

struct Shuffles {
  __m256i low_of_low, high_of_low, low_of_high, high_of_high;
};

__m256i twice(const std::uint8_t* table) {
  return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
}

/// Sums of 1, 2, 4 and 8 entries for the 16 bytes before: a window of 16 is four doublings.
struct Before {
  __m256i sums[4];
};

/// The lanes of `now` moved up by `Lanes`, with those of `before` behind.
template <int Lanes>
__m256i moved(__m256i now, __m256i before) {
  const __m256i middle = _mm256_permute2x128_si256(before, now, 0x21);
  if constexpr (Lanes == 8) return middle;
  return _mm256_alignr_epi8(now, middle, 16 - 2 * Lanes);
}

[[gnu::always_inline]] inline __m256i hashes(__m256i entries, Before& before) {
  const __m256i two = _mm256_add_epi16(entries, _mm256_slli_epi16(moved<1>(entries, before.sums[0]), 1));
  const __m256i four = _mm256_add_epi16(two, _mm256_slli_epi16(moved<2>(two, before.sums[1]), 2));
  const __m256i eight = _mm256_add_epi16(four, _mm256_slli_epi16(moved<4>(four, before.sums[2]), 4));
  const __m256i all = _mm256_add_epi16(eight, _mm256_slli_epi16(moved<8>(eight, before.sums[3]), 8));
  before = {{entries, two, four, eight}};
  return all;
}

struct Pair {
  __m256i first, second;
};

// Both inline always: a call passes tables and sums through memory.
[[gnu::always_inline]] inline Pair hashes_of(const std::uint8_t* data, const Shuffles& tables,
                                             Before& before) {
  const __m256i nibble = _mm256_set1_epi8(15);
  // The interleaving below works in halves of 16 bytes: sorted so that its results are in the order of the
  // data.
  const __m256i bytes =
      _mm256_permute4x64_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(data)), 0xD8);
  const __m256i low = _mm256_and_si256(bytes, nibble);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
  const __m256i low_bytes = _mm256_xor_si256(_mm256_shuffle_epi8(tables.low_of_low, low),
                                             _mm256_shuffle_epi8(tables.low_of_high, high));
  const __m256i high_bytes = _mm256_xor_si256(_mm256_shuffle_epi8(tables.high_of_low, low),
                                              _mm256_shuffle_epi8(tables.high_of_high, high));
  // In this order: each leaves behind what the next one begins with.
  const __m256i first = hashes(_mm256_unpacklo_epi8(low_bytes, high_bytes), before);
  const __m256i second = hashes(_mm256_unpackhi_epi8(low_bytes, high_bytes), before);
  return {first, second};
}

}  // namespace

std::size_t find_avx2(const std::uint8_t* data, std::size_t from, std::size_t to, unsigned bits,
                      std::uint32_t* out) {
  constexpr std::size_t kStep = 32;
  // The first step is made twice: its hashes lack what was before it, but the next ones find it complete.
  const std::size_t begin = from + kStep < to ? from + kStep : to;
  std::size_t found = find_scalar(data, from, begin, bits, out);
  if (begin == to) return found;
  const Shuffles tables{twice(kTables.low_of_low), twice(kTables.high_of_low), twice(kTables.low_of_high),
                        twice(kTables.high_of_high)};
  const __m256i zero = _mm256_setzero_si256();
  const __m256i mask = _mm256_set1_epi16(static_cast<short>(0xFFFFU << (16U - bits)));
  Before before{{zero, zero, zero, zero}};
  hashes_of(data + from, tables, before);
  std::size_t at = begin;
  for (; at + kStep <= to; at += kStep) {
    _mm_prefetch(reinterpret_cast<const char*>(data + at + 2048), _MM_HINT_T0);
    const Pair hash = hashes_of(data + at, tables, before);
    const __m256i first = _mm256_cmpeq_epi16(_mm256_and_si256(hash.first, mask), zero);
    const __m256i second = _mm256_cmpeq_epi16(_mm256_and_si256(hash.second, mask), zero);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(first, second), 0xD8);
    auto hits = static_cast<std::uint32_t>(_mm256_movemask_epi8(packed));
    if (hits == 0) continue;
    alignas(32) std::uint16_t lanes[kStep];
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), hash.first);
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes + 16), hash.second);
    for (; hits != 0; hits &= hits - 1) {
      const auto lane = static_cast<std::size_t>(__builtin_ctz(hits));
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
