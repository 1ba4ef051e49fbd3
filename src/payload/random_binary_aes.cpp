// A block at a time by the processor's AES round.
// SPDX-License-Identifier: Apache-2.0
#include "payload/random_binary_kernel.hpp"

#if defined(__x86_64__)

#include <emmintrin.h>
#include <wmmintrin.h>

namespace lab::random_binary {
namespace {

__m128i pair_of(std::uint64_t low, std::uint64_t high) {
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

}  // namespace

void fill_aes(std::byte* to, std::uint64_t first, std::size_t count, const BlockStream& stream) {
  const __m128i keys[3] = {pair_of(stream.keys[0][0], stream.keys[0][1]),
                           pair_of(stream.keys[1][0], stream.keys[1][1]),
                           pair_of(stream.keys[2][0], stream.keys[2][1])};
  const __m128i step = pair_of(kCounterStep, 0);
  __m128i counter = pair_of((first + 1) * kCounterStep, stream.high);
  for (std::size_t i = 0; i < count; ++i) {
    __m128i block = counter;
    for (const __m128i& key : keys) block = _mm_aesenc_si128(block, key);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i * kBlock), block);
    counter = _mm_add_epi64(counter, step);
  }
}

}  // namespace lab::random_binary

#endif
