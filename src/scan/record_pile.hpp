// Records in one arena, those that begin alike in blocks of their own: half sorted when they have come.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

#include "core/result.hpp"
#include "scan/fresh_pages.hpp"
#include "scan/record.hpp"
#include "scan/record_sort.hpp"
#include "scan/record_table.hpp"

namespace lab::scan {

/// `work(number)` for each number below `workers`, in as many threads.
template <class Work>
void run_at_once(std::size_t workers, Work work) {
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < workers; ++i) others.emplace_back([&work, i] { work(i); });
  work(std::size_t{0});
}

/// Not thread-safe.
template <std::size_t kWords>
class RecordPile {
 public:
  /// What `bytes` hold together with what sorting takes, or counting by so many workers; at least 16 records.
  explicit RecordPile(std::size_t bytes, std::size_t workers = 1)
      : table_bytes_(bytes / kTableShare),
        workers_(workers),
        capacity_(std::max<std::size_t>(std::min(sortable_in(bytes, sizeof(Record<kWords>)),
                                                 (bytes - workers * table_bytes_) / sizeof(Record<kWords>)),
                                        16)) {
    // Each part has one block that is not full: together at most a sixteenth of the arena.
    const std::size_t even = std::bit_floor(capacity_ / (kParts * 16));
    parted_ = even >= kBlockMin;
    block_ = parted_ ? std::min(even, kBlockMax) : capacity_;
    owners_.reserve(capacity_ / block_);
  }

  bool empty() const noexcept { return owners_.empty(); }

  /// False when there is no room: then nothing was added. A call for each record takes as long as the rest.
  [[gnu::always_inline]] bool add(const Record<kWords>& record) {
    const std::size_t part = parted_ ? record[0] >> 56U : 0;
    if (next_[part] == ends_[part] && !open_block(part)) return false;
    // The line after the next one: the processor foresees only a few of so many streams.
    __builtin_prefetch(next_[part] + kLineAhead, 1);
    *next_[part]++ = record;
    return true;
  }

  /// All of them, each call of `take(span)` with the next ones in ascending order; it returns a Status that
  /// ends it. Then the pile is empty and keeps its memory.
  template <class Take>
  Status drain(Take take) {
    std::array<bool, kParts> all{};
    all.fill(true);
    LAB_TRY(sort_parts(all, take));
    clear();
    return ok();
  }

  /// Each distinct one and how often it came, in no order, to `take(worker, record, copies)`: by all workers
  /// at once, each with its own number below theirs. `look()`, which any of them calls, returns a Status that
  /// ends it. Then the pile is empty and keeps its memory.
  template <class Take, class Look>
  Status count(Take take, Look look) {
    const std::vector<std::vector<std::uint32_t>> blocks = blocks_of_parts();
    std::size_t largest = 0;
    for (std::size_t part = 0; part < kParts; ++part)
      largest = std::max(largest, size_of(part, blocks[part].size()));
    std::vector<RecordTable<kWords>> tables;
    for (std::size_t i = 0; i < workers_; ++i) tables.emplace_back(largest, table_bytes_, parted_ ? 8 : 0);
    std::array<bool, kParts> refused{};
    std::atomic<std::size_t> next{0};
    std::vector<Status> ends(workers_, ok());
    run_at_once(workers_, [&](std::size_t worker) {
      for (std::size_t part = next++; part < kParts && ends[worker]; part = next++) {
        ends[worker] = look();
        refused[part] = !count_part(tables[worker], part, blocks[part]);
        if (refused[part]) continue;
        tables[worker].take_all(
            [&](const Record<kWords>& record, std::uint64_t copies) { take(worker, record, copies); });
      }
    });
    for (const Status& end : ends) LAB_TRY(end);
    tables.clear();  // Sorting takes what they took.
    const auto take_sorted = [&](std::span<const Record<kWords>> sorted) -> Status {
      for (std::size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
        while (end < sorted.size() && equal(sorted[begin], sorted[end])) ++end;
        take(std::size_t{0}, sorted[begin], std::uint64_t{end - begin});
      }
      return look();
    };
    if (std::find(refused.begin(), refused.end(), true) != refused.end())
      LAB_TRY(sort_parts(refused, take_sorted));
    clear();
    return ok();
  }

  /// Gives the memory back.
  void release() { arena_.reset(); }

 private:
  static constexpr std::size_t kParts = 256;
  // Of its memory: a table for one part in 256 of which no two are equal takes an 80th at most.
  static constexpr std::size_t kTableShare = 64;
  static constexpr std::size_t kLineAhead = 128 / sizeof(Record<kWords>);
  static constexpr std::size_t kBlockMin = 16;  // Records.
  static constexpr std::size_t kBlockMax =
      256;  // The blocks that are written to stay in the processor's cache.

  /// Of a part's records, which have so many blocks.
  std::size_t size_of(std::size_t part, std::size_t blocks) const {
    return blocks * block_ - static_cast<std::size_t>(ends_[part] - next_[part]);
  }

  /// The last block of each is the one that is not full.
  std::vector<std::vector<std::uint32_t>> blocks_of_parts() const {
    std::vector<std::vector<std::uint32_t>> blocks(kParts);
    for (std::size_t i = 0; i < owners_.size(); ++i)
      blocks[owners_[i]].push_back(static_cast<std::uint32_t>(i));
    return blocks;
  }

  /// False where the table cannot hold it; then the table is empty.
  bool count_part(RecordTable<kWords>& table, std::size_t part, std::span<const std::uint32_t> blocks) const {
    std::size_t left = size_of(part, blocks.size());
    if (left == 0) return true;
    if (!table.begin(left)) return false;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      // Blocks of a part lie anywhere, so that the processor does not foresee the next one.
      if (i + 1 < blocks.size() && parted_)
        for (std::size_t at = 0; at < block_; at += kLineAhead / 2)
          __builtin_prefetch(arena_.get() + blocks[i + 1] * block_ + at);
      const std::size_t some = std::min(left, block_);
      if (!table.add({arena_.get() + blocks[i] * block_, some})) return false;
      left -= some;
    }
    return true;
  }

  template <class Take>
  Status sort_parts(const std::array<bool, kParts>& wanted, Take take) {
    const std::array<std::size_t, kParts + 1> begins = gather();
    RecordSorter<Record<kWords>, std::identity> sorter(capacity_, {});
    for (std::size_t part = 0; part < kParts; ++part) {
      const std::size_t count = size_of(part, begins[part + 1] - begins[part]);
      if (!wanted[part] || count == 0) continue;
      const std::span<Record<kWords>> records(arena_.get() + begins[part] * block_, count);
      sorter.sort(records, parted_ ? 8 : 0);
      LAB_TRY(take(std::span<const Record<kWords>>(records)));
    }
    return ok();
  }

  void clear() {
    owners_.clear();
    next_.fill(nullptr);
    ends_.fill(nullptr);
  }

  [[gnu::noinline]] bool open_block(std::size_t part) {
    // Not filled, so that a small scan takes little of a large budget. Huge pages cost more than they save
    // where the page cache has to make room for them.
    if (!arena_) {
      arena_ = std::make_unique_for_overwrite<Record<kWords>[]>(capacity_);
      fresh_.begin(std::as_writable_bytes(std::span(arena_.get(), capacity_)));
    }
    const std::size_t end = (owners_.size() + 1) * block_;
    if (end > capacity_) return false;
    if (parted_) fresh_.reach(end * sizeof(Record<kWords>));
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

  std::size_t table_bytes_;
  std::size_t workers_;
  std::size_t capacity_;
  bool parted_ = false;
  std::size_t block_ = 0;  // Records.
  std::unique_ptr<Record<kWords>[]> arena_{};
  FreshPages fresh_{};
  std::array<Record<kWords>*, kParts> next_{};  // Of each part, in the block that is written to.
  std::array<Record<kWords>*, kParts> ends_{};
  std::vector<std::uint8_t> owners_{};  // The part of each block.
};

}  // namespace lab::scan
