// Bytes for the tests of the kernels, and the gear hash by its definition.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.hpp"
#include "scan/gear.hpp"
#include "scan/gear_kernel.hpp"

namespace lab::scan_test {

using Data = std::vector<std::byte>;

inline Data random_data(std::size_t size, std::uint64_t seed) {
  Random random(seed);
  Data data(size);
  for (std::size_t at = 0; at < size; at += 8) {
    const std::uint64_t word = random.next();
    std::memcpy(data.data() + at, &word, std::min<std::size_t>(8, size - at));
  }
  return data;
}

inline void append(Data& data, std::span<const std::byte> more) {
  data.insert(data.end(), more.begin(), more.end());
}

inline Data repeated(std::string_view text, std::size_t size) {
  Data data(size);
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::byte>(text[i % text.size()]);
  return data;
}

/// Sentences of 400 made-up words, frequent ones more often.
inline Data prose(std::size_t size, std::uint64_t seed) {
  Random words(20'26), random(seed);
  std::vector<std::string> vocabulary(400);
  for (std::string& word : vocabulary)
    for (std::uint64_t left = 2 + words.below(8); left > 0; --left)
      word += static_cast<char>('a' + words.below(26));
  std::string text;
  while (text.size() < size) {
    text += vocabulary[random.below(random.below(vocabulary.size()) + 1)];
    text += random.below(12) == 0 ? ".\n" : " ";
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + size};
}

/// Random data with runs, periods and text between.
inline Data mixed_data(std::size_t size, std::uint64_t seed) {
  Random random(seed);
  Data data;
  while (data.size() < size) {
    const std::size_t length = 1 + random.below(size / 4 + 1);
    switch (random.below(5)) {
      case 0:
        append(data, Data(length, static_cast<std::byte>(random.below(3) * 127)));
        break;
      case 1:
        append(data, repeated("sixteen letters!", length));
        break;
      case 2:
        append(data, prose(length, random.next()));
        break;
      default:
        append(data, random_data(length, random.next()));
    }
  }
  data.resize(size);
  return data;
}

/// By the definition, from the window alone, for the position behind its last byte.
inline std::uint32_t strength_by_definition(const std::byte* window_end) {
  std::uint32_t hash = 0;
  for (unsigned j = 0; j < kGearWindow; ++j) {
    const auto byte = std::to_integer<unsigned>(window_end[-1 - static_cast<int>(j)]);
    const auto& tables = gear::kTables;
    const unsigned low = tables.low_of_low[byte % 16] ^ tables.low_of_high[byte / 16];
    const unsigned high = tables.high_of_low[byte % 16] ^ tables.high_of_high[byte / 16];
    hash += (high * 256 + low) << j;
  }
  hash &= 0xFFFFU;
  if (hash != 0) return static_cast<std::uint32_t>(std::countl_zero(hash << 16U));
  std::uint64_t halves[2];
  std::memcpy(halves, window_end - kGearWindow, kGearWindow);
  const std::uint64_t further = mix64(mix64(halves[0]) + halves[1]) >> 48U;
  return 16 + (further == 0 ? 16U : static_cast<std::uint32_t>(std::countl_zero(further << 48U)));
}

inline std::vector<Candidate> candidates_by_definition(const Data& data, unsigned bits) {
  std::vector<Candidate> found;
  for (std::size_t position = kGearWindow; position <= data.size(); ++position)
    if (const auto strength = strength_by_definition(data.data() + position); strength >= bits)
      found.push_back({position, strength});
  return found;
}

/// Hands the data to `take` in spans of random lengths, empty ones and single bytes among them.
template <class Take>
void in_random_spans(std::span<const std::byte> data, Random& random, Take take) {
  while (!data.empty()) {
    const std::uint64_t bound = random.below(4) == 0 ? data.size() + 1 : 40;
    const std::size_t length = std::min<std::size_t>(data.size(), random.below(bound));
    take(data.first(length));
    data = data.subspan(length);
  }
}

}  // namespace lab::scan_test
