// The same blocks without any instruction for AES: one table for SubBytes and MixColumns (FIPS 197).
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>

#include "payload/random_binary_kernel.hpp"

namespace lab::random_binary {
namespace {

constexpr std::uint8_t times_two(std::uint8_t value) {
  const unsigned wide = value;
  return static_cast<std::uint8_t>((wide << 1U) ^ ((wide >> 7U) * 0x1BU));
}

/// Of each byte: 2, 1, 1 and 3 times its substitute, from the lowest byte on. The other rows' are rotations.
constexpr std::array<std::uint32_t, 256> round_table() {
  std::array<std::uint32_t, 256> table{};
  std::uint8_t power = 1;    // Of 3, which generates all of the field but 0.
  std::uint8_t inverse = 1;  // The same of 1/3.
  do {
    power = static_cast<std::uint8_t>(power ^ times_two(power));
    inverse = static_cast<std::uint8_t>(inverse ^ (inverse << 1U));
    inverse = static_cast<std::uint8_t>(inverse ^ (inverse << 2U));
    inverse = static_cast<std::uint8_t>(inverse ^ (inverse << 4U));
    if (inverse >= 0x80U) inverse ^= 0x09U;
    const std::uint8_t substitute = inverse ^ std::rotl(inverse, 1) ^ std::rotl(inverse, 2) ^
                                    std::rotl(inverse, 3) ^ std::rotl(inverse, 4) ^ 0x63U;
    table[power] = substitute;
  } while (power != 1);
  table[0] = 0x63;
  for (std::uint32_t& entry : table) {
    const auto once = static_cast<std::uint8_t>(entry);
    const std::uint8_t twice = times_two(once);
    const auto thrice = static_cast<std::uint32_t>(twice ^ once);
    entry = twice | static_cast<std::uint32_t>(once) << 8U | static_cast<std::uint32_t>(once) << 16U |
            thrice << 24U;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kRound = round_table();

using Columns = std::array<std::uint32_t, 4>;  // Four bytes each, from the lowest on.

Columns columns_of(std::uint64_t low, std::uint64_t high) {
  return {static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(low >> 32U),
          static_cast<std::uint32_t>(high), static_cast<std::uint32_t>(high >> 32U)};
}

Columns round_of(const Columns& in, const Columns& key) {
  Columns out{};
  for (std::size_t i = 0; i < 4; ++i) {
    out[i] = key[i];
    for (unsigned row = 0; row < 4; ++row)  // Row r comes from the column that is r further.
      out[i] ^= std::rotl(kRound[(in[(i + row) % 4] >> (8 * row)) & 0xFFU], static_cast<int>(8 * row));
  }
  return out;
}

}  // namespace

void fill_portable(std::byte* to, std::uint64_t first, std::size_t count, const BlockStream& stream) {
  const Columns keys[3] = {columns_of(stream.keys[0][0], stream.keys[0][1]),
                           columns_of(stream.keys[1][0], stream.keys[1][1]),
                           columns_of(stream.keys[2][0], stream.keys[2][1])};
  for (std::size_t i = 0; i < count; ++i) {
    Columns block = columns_of((first + i + 1) * kCounterStep, stream.high);
    for (const Columns& key : keys) block = round_of(block, key);
    for (std::size_t at = 0; at < kBlock; ++at)
      to[i * kBlock + at] = static_cast<std::byte>(block[at / 4] >> (8 * (at % 4)));
  }
}

}  // namespace lab::random_binary
