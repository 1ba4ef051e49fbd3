// Sorting of many records in place: by their first byte, then each part by the bits that follow.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace lab::scan {

/// A part is spread through a copy of itself, of at most this share of all entries: what sorting takes. So a
/// part that has far more than its even share, copies of few chunks, is sorted where it lies.
inline constexpr std::size_t kCopyShare = 64;
inline constexpr std::size_t kSpreadMax = 1U << 17U;  // Entries; more of them leave the processor's cache.

/// How many entries fit into `bytes` together with what sorting them takes.
constexpr std::size_t sortable_in(std::size_t bytes, std::size_t entry_bytes) {
  return bytes / entry_bytes * kCopyShare / (kCopyShare + 1);
}

/// Ascending, of entries whose records share their first byte: spread by the bits behind it into places of
/// one or two, since fingerprints are even. Places with more, copies or not, are sorted by comparison.
template <class Entry, class Key, class Less>
void sort_by_spreading(std::span<Entry> entries, std::vector<Entry>& copy, Key key, Less less) {
  constexpr unsigned kBitsMax = 12;
  const auto width = static_cast<unsigned>(std::bit_width(entries.size()));
  const unsigned bits = std::min(kBitsMax, width - 1);
  const auto place_of = [&](const Entry& entry) {
    return static_cast<std::size_t>((key(entry)[0] << 8U) >> (64U - bits));
  };
  std::array<std::uint32_t, (1U << kBitsMax) + 1> ends{};
  for (const Entry& entry : entries) ends[place_of(entry) + 1] += 1;
  for (std::size_t place = 0; place < std::size_t{1} << bits; ++place) ends[place + 1] += ends[place];
  copy.assign(entries.begin(), entries.end());
  for (const Entry& entry : copy) entries[ends[place_of(entry)]++] = entry;
  std::size_t begin = 0;
  for (std::size_t place = 0; place < std::size_t{1} << bits; ++place) {
    const std::size_t end = ends[place];
    const auto of_place = entries.subspan(begin, end - begin);
    if (of_place.size() > 1) std::sort(of_place.begin(), of_place.end(), less);
    begin = end;
  }
}

/// Ascending. Fingerprints are spread evenly, so that 256 parts are small enough for the cache. `key` gives
/// an entry's record.
template <class Entry, class Key>
void sort_records(std::span<Entry> entries, Key key) {
  // The first word decides but for copies, and an array's own comparison goes through it word by word.
  const auto less = [&](const Entry& a, const Entry& b) {
    return key(a)[0] != key(b)[0] ? key(a)[0] < key(b)[0] : key(a) < key(b);
  };
  constexpr std::size_t kWorthIt = 4096;
  if (entries.size() < kWorthIt) {
    std::sort(entries.begin(), entries.end(), less);
    return;
  }
  const auto part_of = [&](const Entry& entry) { return static_cast<std::size_t>(key(entry)[0] >> 56U); };
  std::array<std::size_t, 257> begins{};
  for (const Entry& entry : entries) begins[part_of(entry) + 1] += 1;
  for (std::size_t part = 0; part < 256; ++part) begins[part + 1] += begins[part];
  std::array<std::size_t, 256> next{};
  std::copy_n(begins.begin(), 256, next.begin());
  for (std::size_t part = 0; part < 256; ++part)
    while (next[part] < begins[part + 1]) {
      const std::size_t home = part_of(entries[next[part]]);
      if (home == part)
        next[part] += 1;
      else
        std::swap(entries[next[part]], entries[next[home]++]);
    }
  std::vector<Entry> copy;
  const std::size_t spread_max = std::min(kSpreadMax, entries.size() / kCopyShare);
  copy.reserve(spread_max);  // Else it would grow by doubling.
  for (std::size_t part = 0; part < 256; ++part) {
    const auto of_part = entries.subspan(begins[part], begins[part + 1] - begins[part]);
    if (of_part.size() < 2) continue;
    if (of_part.size() <= spread_max)
      sort_by_spreading(of_part, copy, key, less);
    else
      std::sort(of_part.begin(), of_part.end(), less);
  }
}

}  // namespace lab::scan
