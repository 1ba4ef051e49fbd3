// The sampling counter: records with their number, thinned out by one more bit whenever they fill the memory.
// SPDX-License-Identifier: Apache-2.0
#include <mutex>

#include "scan/counter.hpp"
#include "scan/record_sort.hpp"

namespace lab::scan {
namespace {

template <std::size_t kWords>
class SketchCounter final : public Counter {
 public:
  explicit SketchCounter(const CounterOptions& options)
      : capacity_(std::max<std::size_t>(
            sortable_in(static_cast<std::size_t>(options.memory.count), sizeof(Entry)), 64)) {}

  Status add(std::span<const Chunk> chunks) override {
    const std::lock_guard lock(mutex_);
    if (!entries_) entries_ = std::make_unique_for_overwrite<Entry[]>(capacity_);
    for (const Chunk& chunk : chunks) enter(chunk, 1);
    return ok();
  }

  Status add_copies(Chunk chunk, std::uint64_t copies) override {
    const std::lock_guard lock(mutex_);
    if (!entries_) entries_ = std::make_unique_for_overwrite<Entry[]>(capacity_);
    if (copies > 0) enter(chunk, copies);
    return ok();
  }

  Status finish(Tally& tally, DistinctSink* sink) override {
    const std::lock_guard lock(mutex_);
    compact();
    Grouper<kWords> grouper(tally, sink);
    for (const Entry& entry : used()) grouper.add(entry.record, entry.copies);
    tally.sample_level = level_;
    entries_.reset();
    return grouper.finish();
  }

  std::uint64_t spilled_bytes() const override { return 0; }

 private:
  struct Entry {
    Record<kWords>
        record;            // NOLINT(cppcoreguidelines-pro-type-member-init): pages are taken as they are used
    std::uint64_t copies;  // NOLINT(cppcoreguidelines-pro-type-member-init): as above
  };

  std::span<Entry> used() const { return {entries_.get(), used_}; }
  bool sampled(std::uint64_t leading) const { return level_ == 0 || (leading >> (64U - level_)) == 0; }

  void enter(const Chunk& chunk, std::uint64_t copies) {
    if (used_ == capacity_) compact();  // Before the look at the level, which it may raise.
    if (sampled(chunk.fingerprint[0])) entries_[used_++] = {pack<kWords>(chunk), copies};
  }

  /// Equal records become one. At most half of the memory may stay taken; the level rises until that is so.
  /// The level at the end depends on the distinct chunks alone: if a part of them was too many for a level,
  /// all of them are.
  void compact() {
    sort_records(used(), [](const Entry& entry) -> const Record<kWords>& { return entry.record; });
    std::size_t kept = 0;
    for (const Entry& entry : used()) {
      if (kept > 0 && entries_[kept - 1].record == entry.record)
        entries_[kept - 1].copies += entry.copies;
      else
        entries_[kept++] = entry;
    }
    used_ = kept;
    while (used_ > capacity_ / 2) {
      level_ += 1;
      // Sorted: those that begin with more zero bits come first.
      const auto all = used();
      const auto end = std::partition_point(all.begin(), all.end(),
                                            [&](const Entry& entry) { return sampled(entry.record[0]); });
      used_ = static_cast<std::size_t>(end - all.begin());
    }
  }

  std::size_t capacity_;
  mutable std::mutex mutex_{};
  std::unique_ptr<Entry[]> entries_{};
  std::size_t used_ = 0;
  unsigned level_ = 0;
};

}  // namespace

std::unique_ptr<Counter> make_sketch_counter(const CounterOptions& options) {
  if (is_wide(options.fingerprint)) return std::make_unique<SketchCounter<4>>(options);
  return std::make_unique<SketchCounter<2>>(options);
}

}  // namespace lab::scan
