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

/// A part is spread through a copy of itself, of at most this share of all entries: what sorting takes.
inline constexpr std::size_t kCopyShare = 64;
inline constexpr std::size_t kSpreadMax = 1U << 16U;  // Entries; more of them leave the processor's cache.

/// How many entries fit into `bytes` together with what sorting them takes.
constexpr std::size_t sortable_in(std::size_t bytes, std::size_t entry_bytes) {
  return bytes / entry_bytes * kCopyShare / (kCopyShare + 1);
}

/// Sorts entries of which `key` gives the record: ascending. Keeps what it needs for the next part.
template <class Entry, class Key>
class RecordSorter {
 public:
  /// Of at most `all` entries together.
  RecordSorter(std::size_t all, Key key) : spread_max_(std::min(kSpreadMax, all / kCopyShare)), key_(key) {}

  /// Entries whose first words have equal bits above the `known` highest ones. Fingerprints are even, so that
  /// 256 parts of many are small enough for the cache; those that are not are parted again.
  void sort(std::span<Entry> entries, unsigned known = 0) {
    if (entries.size() <= kFew || known > kKnownMax) return sort_few(entries);
    if (entries.size() <= spread_max_) return spread(entries, known);
    part(entries, known);
  }

 private:
  static constexpr std::size_t kFew = 32;
  static constexpr unsigned kKnownMax = 40;  // More equal bits are copies, or were made so.
  static constexpr unsigned kBitsMax = 14;

  /// The first word decides but for copies, and an array's own comparison goes through it word by word.
  bool less(const Entry& a, const Entry& b) const {
    return key_(a)[0] != key_(b)[0] ? key_(a)[0] < key_(b)[0] : key_(a) < key_(b);
  }

  void sort_few(std::span<Entry> entries) const {
    const auto before = [this](const Entry& a, const Entry& b) { return less(a, b); };
    if (entries.size() > kFew) return std::sort(entries.begin(), entries.end(), before);
    for (std::size_t i = 1; i < entries.size(); ++i) {
      if (!less(entries[i], entries[i - 1])) continue;
      const Entry moved = entries[i];
      std::size_t at = i;
      for (; at > 0 && less(moved, entries[at - 1]); --at) entries[at] = entries[at - 1];
      entries[at] = moved;
    }
  }

  /// Into places of one or two by the bits behind the known ones. Places with more, copies or not, are sorted
  /// by comparison.
  void spread(std::span<Entry> entries, unsigned known) {
    const unsigned bits = std::clamp(static_cast<unsigned>(std::bit_width(entries.size() - 1)), 1U, kBitsMax);
    const auto place_of = [&](const Entry& entry) {
      return static_cast<std::size_t>((key_(entry)[0] << known) >> (64U - bits));
    };
    const std::size_t places = std::size_t{1} << bits;
    ends_.assign(places + 1, 0);
    for (const Entry& entry : entries) ends_[place_of(entry) + 1] += 1;
    for (std::size_t place = 0; place < places; ++place) ends_[place + 1] += ends_[place];
    copy_.reserve(spread_max_);  // Else it would grow by doubling.
    copy_.assign(entries.begin(), entries.end());
    for (const Entry& entry : copy_) entries[ends_[place_of(entry)]++] = entry;
    std::size_t begin = 0;
    for (std::size_t place = 0; place < places; ++place) {
      const std::size_t end = ends_[place];
      if (end - begin > 1) sort_few(entries.subspan(begin, end - begin));
      begin = end;
    }
  }

  /// Into 256 parts, in place: each entry goes where the next one of its part belongs.
  void part(std::span<Entry> entries, unsigned known) {
    const auto part_of = [&](const Entry& entry) {
      return static_cast<std::size_t>((key_(entry)[0] << known) >> 56U);
    };
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
    for (std::size_t part = 0; part < 256; ++part)
      sort(entries.subspan(begins[part], begins[part + 1] - begins[part]), known + 8);
  }

  std::size_t spread_max_;
  Key key_;
  std::vector<Entry> copy_{};
  std::vector<std::uint32_t> ends_{};
};

/// Ascending. `key` gives an entry's record.
template <class Entry, class Key>
void sort_records(std::span<Entry> entries, Key key) {
  RecordSorter<Entry, Key>(entries.size(), key).sort(entries);
}

}  // namespace lab::scan
