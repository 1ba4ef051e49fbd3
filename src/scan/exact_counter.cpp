// The exact counter: chunks as records, equal ones next to each other.
// SPDX-License-Identifier: Apache-2.0
#include <mutex>

#include "scan/counter.hpp"
#include "scan/record_store.hpp"

namespace lab::scan {
namespace {

template <std::size_t kWords>
class ExactCounter final : public Counter {
 public:
  explicit ExactCounter(const CounterOptions& options) : workers_(options.workers), store_(options) {}

  Status add(std::span<const Chunk> chunks) override {
    const std::lock_guard lock(mutex_);
    return store_.add(chunks.size(), [&](std::size_t i) { return pack<kWords>(chunks[i]); });
  }

  Status add_copies(Chunk chunk, std::uint64_t copies) override {
    const std::lock_guard lock(mutex_);
    return store_.add_copies(pack<kWords>(chunk), copies);
  }

  Status finish(Tally& tally, DistinctSink* sink) override {
    const std::lock_guard lock(mutex_);
    // Chunks of one class are distinct as their records are, so that only a sink needs an order.
    if (sink == nullptr && tally.classes() == 1 && store_.all_in_memory()) return count(tally);
    Grouper<kWords> grouper(tally, sink);
    LAB_TRY(
        store_.drain([&](const Record<kWords>& record, std::uint64_t copies) { grouper.add(record, copies); },
                     [&] { return grouper.status(); }));
    return grouper.finish();
  }

  std::uint64_t spilled_bytes() const override {
    const std::lock_guard lock(mutex_);
    return store_.spilled_bytes();
  }

 private:
  Status count(Tally& tally) {
    std::vector<DistinctFigures> figures(workers_);
    LAB_TRY(store_.count([&](std::size_t worker, const Record<kWords>& record, std::uint64_t copies) {
      figures[worker].add(length_of(record), copies);
    }));
    for (const DistinctFigures& one : figures) tally.add_all_of_one(one, 0);
    return ok();
  }

  std::size_t workers_;
  mutable std::mutex mutex_{};
  RecordStore<kWords> store_;
};

}  // namespace

std::unique_ptr<Counter> make_exact_counter(const CounterOptions& options) {
  if (is_wide(options.fingerprint)) return std::make_unique<ExactCounter<4>>(options);
  return std::make_unique<ExactCounter<2>>(options);
}

}  // namespace lab::scan
