// Records in a fixed amount of memory: a pile, sorted runs in a temporary file when it is full, a merge.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "scan/counter.hpp"
#include "scan/record_pile.hpp"
#include "scan/run_file.hpp"

namespace lab::scan {

/// Gives its records back in ascending order. Not thread-safe.
template <std::size_t kWords>
class RecordStore {
 public:
  explicit RecordStore(const CounterOptions& options)
      : folder_(options.temporary),
        stop_(options.stop),
        memory_(static_cast<std::size_t>(options.memory.count)),
        write_buffer_(std::min(memory_ / 16, kWriteBufferMax)),
        pile_(memory_ - write_buffer_, options.workers) {}

  /// Errors: kResourceExhausted when the disk is full; then the store is void.
  Status add(std::size_t count, auto record_of) {
    for (std::size_t i = 0; i < count; ++i) {
      const Record<kWords> record = record_of(i);
      if (pile_.add(record)) continue;
      LAB_TRY(spill());
      LAB_CHECK(pile_.add(record), "an empty pile has room");
    }
    return ok();
  }

  /// As add() of so many times one record. A few distinct ones take no room in the pile.
  Status add_copies(const Record<kWords>& record, std::uint64_t copies) {
    if (copies == 0) return ok();
    if (repeated_.size() < kRepeatedMax || repeated_.contains(record)) {
      repeated_[record] += copies;
      return ok();
    }
    for (; copies > 0; --copies) LAB_TRY(add(1, [&](std::size_t) { return record; }));
    return ok();
  }

  /// Once, at the end: all to `take(record, copies)`. `look()`, now and then, returns a Status that ends it.
  /// Errors: its own, kCancelled, kIo.
  template <class Take, class Look>
  Status drain(Take take, Look look) {
    const auto look_at_all = [&]() -> Status {
      LAB_TRY(not_stopped());
      return look();
    };
    auto next = repeated_.begin();
    const auto take_in_order = [&](const Record<kWords>& record, std::uint64_t copies) {
      for (; next != repeated_.end() && next->first < record; ++next) take(next->first, next->second);
      take(record, copies);
    };
    LAB_TRY(drain_pile(take_in_order, look_at_all));
    for (; next != repeated_.end(); ++next) take(next->first, next->second);
    return ok();
  }

  /// Whether count() can be called in place of drain().
  bool all_in_memory() const noexcept { return runs_.empty(); }

  /// Once, at the end: each distinct one to `take(worker, record, copies)`, in no order, by all workers at
  /// once. Errors: kCancelled.
  template <class Take>
  Status count(Take take) {
    const auto take_others = [&](std::size_t worker, const Record<kWords>& record, std::uint64_t copies) {
      const auto found = repeated_.empty() ? repeated_.end() : repeated_.find(record);
      if (found == repeated_.end()) return take(worker, record, copies);
      found->second += copies;  // No other worker has this record.
    };
    LAB_TRY(pile_.count(take_others, [this] { return not_stopped(); }));
    pile_.release();
    for (const auto& [record, copies] : repeated_) take(std::size_t{0}, record, copies);
    return ok();
  }

  std::uint64_t spilled_bytes() const { return file_ ? file_->size() : 0; }

 private:
  // So many runs of one level become one of the next. A merge then reads from at most so many places for each
  // level, and a record is written again once in 64 times the memory.
  static constexpr std::size_t kRunsOfALevel = 64;
  static constexpr std::uint64_t kRecordsBetweenLooks = 1U << 16U;
  static constexpr std::size_t kWriteBufferMax = 1U << 20U;
  static constexpr std::size_t kRepeatedMax = 256;  // More than the chunks of holes in files of all classes.

  /// All but the repeated ones.
  template <class Take, class Look>
  Status drain_pile(Take take, Look look_at_all) {
    std::uint64_t taken = 0;
    if (runs_.empty()) {
      const auto give = [&](std::span<const Record<kWords>> records) -> Status {
        for (const Record<kWords>& record : records) {
          if (taken++ % kRecordsBetweenLooks == 0) LAB_TRY(look_at_all());
          take(record, std::uint64_t{1});
        }
        return ok();
      };
      LAB_TRY(pile_.drain(give));
      pile_.release();
      return ok();
    }
    LAB_TRY(spill());
    pile_.release();
    return merge(runs_, memory_, [&](const Record<kWords>& record, std::uint64_t copies) -> Status {
      take(record, copies);
      return taken++ % kRecordsBetweenLooks == 0 ? look_at_all() : ok();
    });
  }

  Status not_stopped() const {
    if (stop_.stop_requested()) return Error{ErrorCode::kCancelled, "scan"};
    return ok();
  }

  Status spill() {
    if (pile_.empty()) return ok();
    if (!file_) {
      auto made = SpillFile::make(folder_,
                                  "the counts need temporary files there: --temp names another folder, "
                                  "--memory gives more memory, --sketch does without");
      if (!made) return std::move(made).error();
      file_ = std::move(*made);
    }
    LAB_TRY(write_run());
    return merge_full_levels();
  }

  Status write_run() {
    RunWriter<kWords> writer(*file_, write_buffer_);
    const auto write = [&](std::span<const Record<kWords>> records) -> Status {
      for (const Record<kWords>& record : records) LAB_TRY(writer.add(record, 1));
      return ok();
    };
    LAB_TRY(pile_.drain(write));
    auto run = writer.finish(0);
    if (!run) return std::move(run).error();
    runs_.push_back(*run);
    return ok();
  }

  template <class Take>
  Status merge(std::span<const Run> runs, std::size_t memory, Take take) {
    std::uint64_t taken = 0;
    return merge_runs<kWords>(*file_, runs, memory,
                              [&](const Record<kWords>& record, std::uint64_t copies) -> Status {
                                // A merge may take minutes; a look at the token for each record would be
                                // felt.
                                if (taken++ % kRecordsBetweenLooks == 0) LAB_TRY(not_stopped());
                                return take(record, copies);
                              });
  }

  /// The runs of a level are the last ones in the list, since lower levels come later.
  Status merge_full_levels() {
    while (runs_.size() >= kRunsOfALevel && runs_[runs_.size() - kRunsOfALevel].level == runs_.back().level) {
      const std::span<const Run> merged = std::span(runs_).last(kRunsOfALevel);
      // The pile is empty but keeps its pages: all buffers of this merge share what one run's writing took.
      RunWriter<kWords> writer(*file_, write_buffer_ / 4);
      LAB_TRY(merge(merged, write_buffer_ / 2, [&](const Record<kWords>& record, std::uint64_t copies) {
        return writer.add(record, copies);
      }));
      auto run = writer.finish(runs_.back().level + 1);
      if (!run) return std::move(run).error();
      for (const Run& old : merged) file_->give_back(old.begin, old.end - old.begin);
      runs_.resize(runs_.size() - kRunsOfALevel);
      runs_.push_back(*run);
    }
    return ok();
  }

  std::filesystem::path folder_;
  std::stop_token stop_;
  std::size_t memory_;
  std::size_t write_buffer_;
  RecordPile<kWords> pile_;
  std::optional<SpillFile> file_{};
  std::vector<Run> runs_{};
  std::map<Record<kWords>, std::uint64_t> repeated_{};
};

}  // namespace lab::scan
