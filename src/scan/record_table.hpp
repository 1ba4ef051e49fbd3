// Records that begin alike, each distinct one with its number: a hash table that stays in the processor's
// cache. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "scan/record.hpp"

namespace lab::scan {

/// Not thread-safe.
template <std::size_t kWords>
class RecordTable {
 public:
  /// For up to `records` at a time whose `known` highest bits are equal, in at most `bytes`.
  RecordTable(std::size_t records, std::size_t bytes, unsigned known)
      : known_(known),
        slots_(std::min(slots_for(records), std::bit_floor(bytes / kBytesOfASlot))),
        used_(slots_.size()) {}

  /// For so many records. False where it would be full before half of them were distinct: then it is of no
  /// use.
  bool begin(std::size_t records) {
    LAB_CHECK(count_ == 0, "what was counted has been taken");
    const std::size_t slots = std::min(slots_for(records), slots_.size());
    if (slots < kSlotsMin || slots * 3 < records * 2) return false;
    mask_ = slots - 1;
    shift_ = 64U - static_cast<unsigned>(std::bit_width(mask_));
    passed_ = 0;
    passed_max_ = 4 * records;
    return true;
  }

  /// False when there are too many distinct ones, or too many that want one place, as no fingerprints do that
  /// nobody has made so: then what it has is void, and emptied.
  bool add(std::span<const Record<kWords>> records) {
    while (!records.empty()) {
      const auto some = records.first(std::min(records.size(), kAtOnce));
      add_some(some);
      if (count_ > (mask_ + 1) / 4 * 3 || passed_ > passed_max_) {
        take_all([](const Record<kWords>&, std::uint64_t) {});
        return false;
      }
      records = records.subspan(some.size());
    }
    return true;
  }

  /// Each distinct one and its number, in no order to `take(record, copies)`; then it is empty.
  template <class Take>
  void take_all(Take take) {
    for (std::size_t i = 0; i < count_; ++i) {
      Slot& slot = slots_[used_[i]];
      take(slot.record, std::uint64_t{std::exchange(slot.copies, 0)});
    }
    count_ = 0;
  }

 private:
  struct Slot {
    Record<kWords> record{};
    std::uint64_t copies = 0;  // 0: it is free.
  };
  static constexpr std::size_t kBytesOfASlot = sizeof(Slot) + sizeof(std::uint32_t);
  static constexpr std::size_t kAtOnce = 256;     // So many may come between two looks at what is free.
  static constexpr std::size_t kSlotsMin = 2048;  // A quarter of them is more than come between two looks.
  static constexpr std::size_t kAhead = 16;

  static std::size_t slots_for(std::size_t records) {
    return std::bit_ceil(std::max(records * 4 / 3, kSlotsMin));
  }

  std::size_t home_of(const Record<kWords>& record) const {
    return static_cast<std::size_t>((record[0] << known_) >> shift_);
  }

  /// A copy and a new one take the same way, without a branch, since nothing tells which of them comes next.
  void add_some(std::span<const Record<kWords>> records) {
    Slot* const slots = slots_.data();
    std::uint32_t* const used = used_.data();
    const std::size_t mask = mask_;
    std::size_t count = count_;
    for (std::size_t i = 0; i < records.size(); ++i) {
      __builtin_prefetch(slots + home_of(records[std::min(i + kAhead, records.size() - 1)]), 1);
      const Record<kWords> record = records[i];
      std::size_t at = home_of(record);
      for (; is_of_another(slots[at], record); at = (at + 1) & mask) passed_ += 1;
      Slot& slot = slots[at];
      used[count] = static_cast<std::uint32_t>(at);
      count += slot.copies == 0 ? 1 : 0;
      slot.record = record;
      slot.copies += 1;
    }
    count_ = count;
  }

  static bool is_of_another(const Slot& slot, const Record<kWords>& record) {
    return (differing_bits(slot.record, record) & (0 - std::uint64_t{slot.copies != 0})) != 0;
  }

  unsigned known_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> used_;  // The slots that are not free, `count_` of them.
  std::size_t count_ = 0;
  std::size_t mask_ = 0;
  unsigned shift_ = 0;
  std::size_t passed_ = 0;  // Slots of others that were looked at.
  std::size_t passed_max_ = 0;
};

}  // namespace lab::scan
