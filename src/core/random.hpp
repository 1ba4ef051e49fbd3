// Deterministic randomness: the same numbers on every machine, compiler and thread count, forever.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <utility>

namespace lab {

__extension__ using Uint128 = unsigned __int128;  // g++ and clang; not in ISO C++.

/// The SplitMix64 finaliser: a bijection on 64 bits (Steele, Lea, Flood, OOPSLA 2014).
constexpr std::uint64_t mix64(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

/// SplitMix64. Cheap to seed, so one generator an object or a purpose.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(seed) {}
  constexpr std::uint64_t next() { return mix64(state_ += 0x9E3779B97F4A7C15ULL); }

  /// Uniform in [0, bound), without bias (Lemire's rejection). Precondition: bound > 0.
  constexpr std::uint64_t below(std::uint64_t bound) {
    while (true) {
      const auto product = static_cast<Uint128>(next()) * bound;
      const auto low = static_cast<std::uint64_t>(product);
      if (low >= bound || low >= (0 - bound) % bound) return static_cast<std::uint64_t>(product >> 64U);
    }
  }

  /// Uniform in [0, 1) with 53 bits.
  constexpr double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

/// A seed for one purpose out of a seed for all: independent streams from one number.
constexpr std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t purpose) {
  return mix64(mix64(seed + 0x9E3779B97F4A7C15ULL) ^ (purpose * 0xD1B54A32D192ED03ULL));
}

/// Fisher-Yates; std::shuffle's result is left to the library, so it is not for us.
template <class T>
constexpr void shuffle(std::span<T> items, Random& random) {
  for (std::size_t left = items.size(); left > 1; --left)
    std::swap(items[left - 1], items[random.below(left)]);
}

}  // namespace lab
