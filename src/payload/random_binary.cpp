// random_binary: a counter turned into noise, 8 bytes a step, so that the compiler can make several at once.
// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>

#include "payload/made_kinds.hpp"

namespace lab {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

void store_little_endian(std::byte* to, std::uint64_t value, std::size_t count = kWord) {
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  std::memcpy(to, &value, count);
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
  for (std::size_t i = 0; i < words; ++i) store_little_endian(to + i * kWord, stream.at(i));
  if (size % kWord != 0) store_little_endian(to + words * kWord, stream.at(words), size % kWord);
}

}  // namespace lab
