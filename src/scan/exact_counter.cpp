// The exact counter: an arena of records, sorted runs in a temporary file, a merge.
// SPDX-License-Identifier: Apache-2.0
#include <mutex>
#include <optional>

#include "scan/counter.hpp"
#include "scan/record_sort.hpp"
#include "scan/run_file.hpp"

namespace lab::scan {
namespace {

// So many runs of one level become one of the next. A merge then reads from at most so many places for each
// level, and a record is written again once in 64 times the memory.
constexpr std::size_t kRunsOfALevel = 64;
constexpr std::uint64_t kRecordsBetweenLooks = 1U << 16U;
constexpr std::size_t kWriteBufferMax = 1U << 20U;

template <std::size_t kWords>
class ExactCounter final : public Counter {
 public:
  explicit ExactCounter(const CounterOptions& options)
      : folder_(options.temporary),
        stop_(options.stop),
        memory_(static_cast<std::size_t>(options.memory.count)),
        write_buffer_(std::min(memory_ / 16, kWriteBufferMax)),
        capacity_(std::max<std::size_t>((memory_ - write_buffer_) / sizeof(Record<kWords>), 16)) {}

  Status add(std::span<const Chunk> chunks) override {
    const std::lock_guard lock(mutex_);
    // Not filled: the system gives pages as they are touched, so a small scan takes little of a large budget.
    if (!arena_) arena_ = std::make_unique_for_overwrite<Slot[]>(capacity_);
    for (const Chunk& chunk : chunks) {
      if (used_ == capacity_) LAB_TRY(spill());
      arena_[used_++].record = pack<kWords>(chunk);
    }
    return ok();
  }

  Status finish(Tally& tally, DistinctSink* sink) override {
    const std::lock_guard lock(mutex_);
    Grouper<kWords> grouper(tally, sink);
    if (runs_.empty()) {
      sort();
      for (std::size_t i = 0; i < used_; ++i) {
        if (i % kRecordsBetweenLooks == 0) LAB_TRY(look(grouper));
        grouper.add(arena_[i].record, 1);
      }
      arena_.reset();
      return grouper.finish();
    }
    LAB_TRY(spill());
    arena_.reset();
    std::uint64_t taken = 0;
    LAB_TRY(merge(runs_, memory_, [&](const Record<kWords>& record, std::uint64_t copies) -> Status {
      grouper.add(record, copies);
      return taken++ % kRecordsBetweenLooks == 0 ? look(grouper) : ok();
    }));
    return grouper.finish();
  }

  std::uint64_t spilled_bytes() const override {
    const std::lock_guard lock(mutex_);
    return file_ ? file_->size() : 0;
  }

 private:
  struct Slot {
    // No initializer: make_unique_for_overwrite would not leave the pages untouched.
    Record<kWords> record;  // NOLINT(cppcoreguidelines-pro-type-member-init): as above
  };

  std::span<Slot> used() const { return {arena_.get(), used_}; }
  void sort() {
    sort_records(used(), [](const Slot& slot) -> const Record<kWords>& { return slot.record; });
  }

  Status spill() {
    if (used_ == 0) return ok();
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
    sort();
    RunWriter<kWords> writer(*file_, write_buffer_);
    for (const Slot& slot : used()) LAB_TRY(writer.add(slot.record, 1));
    auto run = writer.finish(0);
    if (!run) return std::move(run).error();
    runs_.push_back(*run);
    used_ = 0;
    return ok();
  }

  Status look() const {
    if (stop_.stop_requested()) return Error{ErrorCode::kCancelled, "scan"};
    return ok();
  }
  Status look(const Grouper<kWords>& grouper) const {
    LAB_TRY(look());
    return grouper.status();
  }

  template <class Take>
  Status merge(std::span<const Run> runs, std::size_t memory, Take take) {
    std::uint64_t taken = 0;
    return merge_runs<kWords>(*file_, runs, memory,
                              [&](const Record<kWords>& record, std::uint64_t copies) -> Status {
                                // A merge may take minutes; a look at the token for each record would be
                                // felt.
                                if (taken++ % kRecordsBetweenLooks == 0) LAB_TRY(look());
                                return take(record, copies);
                              });
  }

  /// The runs of a level are the last ones in the list, since lower levels come later.
  Status merge_full_levels() {
    while (runs_.size() >= kRunsOfALevel && runs_[runs_.size() - kRunsOfALevel].level == runs_.back().level) {
      const std::span<const Run> merged = std::span(runs_).last(kRunsOfALevel);
      // The arena is empty but keeps its pages: all buffers of this merge share what one run's writing took.
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
  std::size_t capacity_;
  mutable std::mutex mutex_{};
  std::unique_ptr<Slot[]> arena_{};
  std::size_t used_ = 0;
  std::optional<SpillFile> file_{};
  std::vector<Run> runs_{};
};

}  // namespace

std::unique_ptr<Counter> make_exact_counter(const CounterOptions& options) {
  if (is_wide(options.fingerprint)) return std::make_unique<ExactCounter<4>>(options);
  return std::make_unique<ExactCounter<2>>(options);
}

}  // namespace lab::scan
