// random_binary: a counter turned into noise, 8 bytes a step, so that several can be made at once.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>

#include "payload/made_kinds.hpp"
#include "payload/random_binary_kernel.hpp"

namespace lab {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

void store_little_endian(std::byte* to, std::uint64_t value, std::size_t count = kWord) {
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  std::memcpy(to, &value, count);
}

/// Makes the first numbers of a stream where the processor can make several at once; returns how many.
std::size_t fill_wide(std::byte* to, std::size_t words, const ContentStream& stream) {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
  if (wide) return random_binary::fill_avx512(to, words, stream.state(), stream.step());
#endif
  return 0;
}

}  // namespace

void make_random_binary(ContentKey key, std::size_t size, std::vector<std::byte>& out) {
  out.resize(size);
  if (size < kWord) {
    // The stream's first word would be distinct only as a whole: a bijection on the small domain instead.
    const std::uint64_t seed = derive_seed(key.dataset_seed, Purpose::kBinary);
    store_little_endian(out.data(), mixed_serial(key.content, seed, static_cast<unsigned>(8 * size)), size);
    return;
  }
  const ContentStream stream(key, Purpose::kBinary);
  const std::size_t words = size / kWord;
  std::byte* const to = out.data();
  for (std::size_t i = fill_wide(to, words, stream); i < words; ++i)
    store_little_endian(to + i * kWord, stream.at(i));
  if (size % kWord != 0) store_little_endian(to + words * kWord, stream.at(words), size % kWord);
}

void make_compressible_binary(ContentKey key, std::size_t size, int thousandths,
                              std::vector<std::byte>& out) {
  constexpr std::size_t kStretch = 512;  // Each keeps two numbers and more: no two blocks of 512 are equal.
  // What zstd 1.5 adds to the noise, which it cannot shrink: in thousandths of a byte, measured. It differs
  // by half a byte from one stretch to the next, so that a fifth of the size is the least that is met within
  // 2 %.
  constexpr std::uint64_t kOfObject = 18'000;
  constexpr std::uint64_t kOfStretch = 2'900;
  make_random_binary(key, size, out);
  const std::uint64_t stretches = (size + kStretch - 1) / kStretch;
  const std::uint64_t noise =
      (size * static_cast<std::uint64_t>(thousandths) - kOfObject - kOfStretch * stretches) / 1'000;
  std::uint64_t kept = 0;
  for (std::size_t begin = 0; begin < size; begin += kStretch) {
    const std::size_t end = std::min(begin + kStretch, size);
    const auto upto = static_cast<std::uint64_t>(Uint128{noise} * end / size);
    const std::size_t zeros_begin = begin + static_cast<std::size_t>(upto - kept);
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(zeros_begin),
              out.begin() + static_cast<std::ptrdiff_t>(end), std::byte{0});
    kept = upto;
  }
}

}  // namespace lab
