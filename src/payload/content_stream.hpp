// The random numbers of one content: streams of different contents are different by construction.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/random.hpp"

namespace lab {

/// What a stream of random numbers is for. The values are part of the format: never renumber.
enum class Purpose : std::uint64_t {
  kBinary = 1,
  kJson = 2,
  kText = 3,
  kSize = 4,
  kRanks = 5,
  kStreamOrder = 6,
  kContainer = 7,
  kPool = 8,
  kId = 9,
  kUuidKeys = 10,
  kJsonb = 11,
  kTimeSeries = 12,
  kTransactions = 13,
  kOwnBytes = 14,
};

constexpr std::uint64_t derive_seed(std::uint64_t seed, Purpose purpose) {
  return derive_seed(seed, static_cast<std::uint64_t>(purpose));
}

/// A seeded bijection on the integers of `bits` bits: different values stay different.
/// Precondition: 2 <= bits <= 64 and value < 2^bits.
constexpr std::uint64_t mixed_serial(std::uint64_t value, std::uint64_t seed, unsigned bits) {
  const std::uint64_t mask = ~std::uint64_t{0} >> (64U - bits);
  const unsigned half = bits / 2;
  // Each step can be undone: an addition and odd factors modulo 2^bits, and a shift to the right under xor.
  value = (value + mix64(seed)) & mask;
  value = ((value ^ (value >> half)) * 0xBF58476D1CE4E5B9ULL) & mask;
  value = ((value ^ (value >> half)) * 0x94D049BB133111EBULL) & mask;
  value = ((value ^ (value >> half)) * 0xD6E8FEB86659FD93ULL) & mask;
  return (value ^ (value >> half) ^ mix64(seed + 1)) & mask;
}

/// Names one content of one payload kind.
struct ContentKey {
  std::uint64_t dataset_seed = 0;
  std::uint64_t content = 0;  // Below 2^63.
};

/// A SplitMix64 whose start and whose odd step are both bijections of the content. Hence, for one seed and
/// kind: the first numbers of different contents differ, and no two different contents share two numbers in a
/// row (equal neighbours would mean equal steps). Copies of 16 aligned bytes between objects cannot arise by
/// chance.
class ContentStream {
 public:
  constexpr ContentStream(ContentKey key, Purpose purpose)
      : state_(mixed_serial(key.content, derive_seed(key.dataset_seed, purpose), 64)),
        step_(2 * mixed_serial(key.content, ~derive_seed(key.dataset_seed, purpose), 63) + 1) {}

  constexpr std::uint64_t next() {
    const std::uint64_t now = state_;
    state_ += step_;
    return mix64(now);
  }

  /// In [0, bound), for bounds far below 2^32: the bias of at most bound / 2^32 is of no use to anybody.
  constexpr std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32U) * bound) >> 32U);
  }

 private:
  std::uint64_t state_;
  std::uint64_t step_;
};

}  // namespace lab
