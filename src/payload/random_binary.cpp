// random_binary: a counter turned into noise by AES rounds, 16 bytes a step, so that several can be made at
// once. SPDX-License-Identifier: Apache-2.0
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

/// Under one seed the high halves of different contents differ, so that no two of all their blocks are equal.
random_binary::BlockStream stream_of(ContentKey key) {
  const std::uint64_t seed = derive_seed(key.dataset_seed, Purpose::kBinary);
  random_binary::BlockStream stream{.high = mixed_serial(key.content, seed, 64)};
  Random random(seed);
  for (auto& of_round : stream.keys)
    for (std::uint64_t& half : of_round) half = random.next();
  return stream;
}

void fill_blocks(std::byte* to, std::uint64_t first, std::size_t count,
                 const random_binary::BlockStream& stream) {
#if defined(__x86_64__)
  // A processor with VAES for 64 bytes has PREFETCHW, which has no name to ask for.
  static const bool aes = __builtin_cpu_supports("aes");
  static const bool wide = aes && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                           __builtin_cpu_supports("vaes");
  const std::size_t done = wide ? random_binary::fill_vaes(to, first, count, stream) : 0;
  if (aes)
    random_binary::fill_aes(to + done * random_binary::kBlock, first + done, count - done, stream);
  else
    random_binary::fill_portable(to, first, count, stream);
#else
  random_binary::fill_portable(to, first, count, stream);
#endif
}

}  // namespace

void make_random_binary(ContentKey key, std::size_t size, std::vector<std::byte>& out) {
  out.resize(size);
  if (size < random_binary::kBlock) {
    // Blocks are distinct only as a whole: a bijection on the smaller domain instead, and its next number.
    const std::uint64_t seed = derive_seed(key.dataset_seed, Purpose::kBinary);
    const std::size_t head = std::min(size, kWord);
    const std::uint64_t own = mixed_serial(key.content, seed, static_cast<unsigned>(8 * head));
    store_little_endian(out.data(), own, head);
    if (size > kWord) store_little_endian(out.data() + kWord, mix64(own), size - kWord);
    return;
  }
  const random_binary::BlockStream stream = stream_of(key);
  const std::size_t blocks = size / random_binary::kBlock;
  fill_blocks(out.data(), 0, blocks, stream);
  const std::size_t tail = size % random_binary::kBlock;
  if (tail == 0) return;
  std::byte last[random_binary::kBlock];
  fill_blocks(last, blocks, 1, stream);
  std::memcpy(out.data() + size - tail, last, tail);
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
