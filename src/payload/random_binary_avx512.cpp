// Eight numbers of the counter at once, four times next to each other: AVX-512 multiplies 64 bits.
// SPDX-License-Identifier: Apache-2.0
#include "payload/random_binary_kernel.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

namespace lab::random_binary {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kVectors = 4;  // A multiplication takes long, and four of them can be under way.

/// mix64 of core/random.hpp in each lane.
__m512i mix(__m512i value) {
  const __m512i first = _mm512_set1_epi64(static_cast<long long>(0xBF58476D1CE4E5B9ULL));
  const __m512i second = _mm512_set1_epi64(static_cast<long long>(0x94D049BB133111EBULL));
  value = _mm512_mullo_epi64(_mm512_xor_si512(value, _mm512_srli_epi64(value, 30)), first);
  value = _mm512_mullo_epi64(_mm512_xor_si512(value, _mm512_srli_epi64(value, 27)), second);
  return _mm512_xor_si512(value, _mm512_srli_epi64(value, 31));
}

__m512i all(std::uint64_t value) { return _mm512_set1_epi64(static_cast<long long>(value)); }

}  // namespace

std::size_t fill_avx512(std::byte* to, std::size_t words, std::uint64_t state, std::uint64_t step) {
  const __m512i lanes = _mm512_mullo_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), all(step));
  const __m512i stride = all(kLanes * kVectors * step);
  __m512i counters[kVectors];
  for (std::size_t i = 0; i < kVectors; ++i)
    counters[i] = _mm512_add_epi64(all(state + i * kLanes * step), lanes);
  std::size_t done = 0;
  for (; done + kLanes * kVectors <= words; done += kLanes * kVectors)
    for (std::size_t i = 0; i < kVectors; ++i) {
      _mm512_storeu_si512(to + (done + i * kLanes) * sizeof state, mix(counters[i]));
      counters[i] = _mm512_add_epi64(counters[i], stride);
    }
  return done;
}

}  // namespace lab::random_binary

#endif
