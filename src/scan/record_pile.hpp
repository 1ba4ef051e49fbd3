// Records in one arena, those that begin alike in blocks of their own: half sorted when they have come.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "scan/record.hpp"
#include "scan/record_sort.hpp"

namespace lab::scan {

/// Not thread-safe.
template <std::size_t kWords>
class RecordPile {
 public:
  /// What `bytes` hold together with what sorting takes; at least 16 records.
  explicit RecordPile(std::size_t bytes)
      : capacity_(std::max<std::size_t>(sortable_in(bytes, sizeof(Record<kWords>)), 16)) {
    // Each part has one block that is not full: together at most a sixteenth of the arena.
    const std::size_t even = std::bit_floor(capacity_ / (kParts * 16));
    parted_ = even >= kBlockMin;
    block_ = parted_ ? std::min(even, kBlockMax) : capacity_;
    owners_.reserve(capacity_ / block_);
  }

  bool empty() const noexcept { return owners_.empty(); }

  /// False when there is no room: then nothing was added.
  bool add(const Record<kWords>& record) {
    const std::size_t part = parted_ ? record[0] >> 56U : 0;
    if (next_[part] == ends_[part] && !open_block(part)) return false;
    *next_[part]++ = record;
    return true;
  }

  /// All of them, each call of `take(span)` with the next ones in ascending order; it returns a Status that
  /// ends it. Then the pile is empty and keeps its memory.
  template <class Take>
  Status drain(Take take) {
    const std::array<std::size_t, kParts + 1> begins = gather();
    RecordSorter<Record<kWords>, std::identity> sorter(capacity_, {});
    for (std::size_t part = 0; part < kParts; ++part) {
      if (begins[part] == begins[part + 1]) continue;
      const std::size_t missing = static_cast<std::size_t>(ends_[part] - next_[part]);
      const std::size_t count = (begins[part + 1] - begins[part]) * block_ - missing;
      const std::span<Record<kWords>> records(arena_.get() + begins[part] * block_, count);
      sorter.sort(records, parted_ ? 8 : 0);
      LAB_TRY(take(std::span<const Record<kWords>>(records)));
    }
    owners_.clear();
    next_.fill(nullptr);
    ends_.fill(nullptr);
    return ok();
  }

  /// Gives the memory back.
  void release() { arena_.reset(); }

 private:
  static constexpr std::size_t kParts = 256;
  static constexpr std::size_t kBlockMin = 16;  // Records.
  static constexpr std::size_t kBlockMax =
      256;  // The blocks that are written to stay in the processor's cache.

  bool open_block(std::size_t part) {
    // Not filled: the system gives pages as they are touched, so a small scan takes little of a large budget.
    // Huge ones cost more than they save where the page cache has to make room for them.
    if (!arena_) arena_ = std::make_unique_for_overwrite<Record<kWords>[]>(capacity_);
    if ((owners_.size() + 1) * block_ > capacity_) return false;
    next_[part] = arena_.get() + owners_.size() * block_;
    ends_[part] = next_[part] + block_;
    owners_.push_back(static_cast<std::uint8_t>(part));
    return true;
  }

  /// Moves whole blocks, so that those of a part are neighbours in their order; the one that is not full is
  /// the last. Where each part begins, in blocks.
  std::array<std::size_t, kParts + 1> gather() {
    std::array<std::size_t, kParts + 1> begins{};
    for (const std::uint8_t part : owners_) begins[part + 1U] += 1;
    std::partial_sum(begins.begin(), begins.end(), begins.begin());
    std::array<std::size_t, kParts + 1> next = begins;
    std::vector<std::uint32_t> homes;
    homes.reserve(owners_.size());
    for (const std::uint8_t part : owners_) homes.push_back(static_cast<std::uint32_t>(next[part]++));
    std::array<Record<kWords>, kBlockMax> moved{};
    const std::size_t bytes = block_ * sizeof(Record<kWords>);
    const auto block = [this](std::size_t index) { return arena_.get() + index * block_; };
    for (std::size_t i = 0; i < homes.size(); ++i)
      while (homes[i] != i) {
        std::memcpy(moved.data(), block(homes[i]), bytes);
        std::memcpy(block(homes[i]), block(i), bytes);
        std::memcpy(block(i), moved.data(), bytes);
        std::swap(homes[i], homes[homes[i]]);
      }
    return begins;
  }

  std::size_t capacity_;
  bool parted_ = false;
  std::size_t block_ = 0;  // Records.
  std::unique_ptr<Record<kWords>[]> arena_{};
  std::array<Record<kWords>*, kParts> next_{};  // Of each part, in the block that is written to.
  std::array<Record<kWords>*, kParts> ends_{};
  std::vector<std::uint8_t> owners_{};  // The part of each block.
};

}  // namespace lab::scan
