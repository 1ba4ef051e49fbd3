// Sorted runs of records in a spill file: written once, read in order, merged.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/spill_file.hpp"
#include "scan/record.hpp"

namespace lab::scan {

/// Where a run lies. Equal records are one; where there are several, their number follows in 8 bytes and the
/// class has its highest bit set. So a run never takes more than a record's size for each chunk.
struct Run {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  unsigned level = 0;  // How often its records were merged.
};

inline constexpr std::uint64_t kCountFollows = 0x80;  // In the byte of the class.

/// Appends one run to a file. Records come in ascending order, equal ones next to each other.
template <std::size_t kWords>
class RunWriter {
 public:
  RunWriter(SpillFile& file, std::size_t buffer_bytes) : file_(file), begin_(file.size()) {
    buffer_.reserve(std::max<std::size_t>(buffer_bytes, 64));
  }

  Status add(const Record<kWords>& record, std::uint64_t copies) {
    if (open_ && record == record_) {
      copies_ += copies;
      return ok();
    }
    LAB_TRY(put());
    record_ = record;
    copies_ = copies;
    open_ = true;
    return ok();
  }

  Result<Run> finish(unsigned level) {
    LAB_TRY(put());
    LAB_TRY(flush());
    return Run{begin_, file_.size(), level};
  }

 private:
  Status put() {
    if (!open_) return ok();
    open_ = false;
    if (buffer_.size() + sizeof record_ + 8 > buffer_.capacity()) LAB_TRY(flush());
    Record<kWords> written = record_;
    if (copies_ > 1) written.back() |= kCountFollows;
    append(&written, sizeof written);
    if (copies_ > 1) append(&copies_, sizeof copies_);
    return ok();
  }
  void append(const void* from, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(from);
    buffer_.insert(buffer_.end(), bytes, bytes + size);
  }
  Status flush() {
    LAB_TRY(file_.append(buffer_));
    buffer_.clear();
    return ok();
  }

  SpillFile& file_;
  std::uint64_t begin_;
  std::vector<std::byte> buffer_{};
  Record<kWords> record_{};
  std::uint64_t copies_ = 0;
  bool open_ = false;
};

/// Reads a run from its beginning.
template <std::size_t kWords>
class RunReader {
 public:
  RunReader(const SpillFile& file, const Run& run, std::size_t buffer_bytes)
      : file_(&file), at_(run.begin), end_(run.end), buffer_(std::max<std::size_t>(buffer_bytes, 64)) {}

  /// False at the end.
  Result<bool> next() {
    LAB_TRY(have(sizeof record_));
    if (filled_ == used_) return false;
    take(&record_, sizeof record_);
    copies_ = 1;
    if ((record_.back() & kCountFollows) != 0) {
      record_.back() &= ~kCountFollows;
      LAB_TRY(have(sizeof copies_));
      take(&copies_, sizeof copies_);
    }
    return true;
  }

  const Record<kWords>& record() const noexcept { return record_; }
  std::uint64_t copies() const noexcept { return copies_; }

 private:
  /// Reads on where fewer than `size` bytes are left of the buffer.
  Status have(std::size_t size) {
    if (filled_ - used_ >= size || at_ == end_) return ok();
    std::memmove(buffer_.data(), buffer_.data() + used_, filled_ - used_);
    filled_ -= used_;
    used_ = 0;
    const auto more = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size() - filled_, end_ - at_));
    LAB_TRY(file_->read(at_, std::span(buffer_).subspan(filled_, more)));
    at_ += more;
    filled_ += more;
    return ok();
  }
  void take(void* to, std::size_t size) {
    LAB_CHECK(filled_ - used_ >= size, "a run ends with a whole record");
    std::memcpy(to, buffer_.data() + used_, size);
    used_ += size;
  }

  const SpillFile* file_;
  std::uint64_t at_;
  std::uint64_t end_;
  std::vector<std::byte> buffer_;
  std::size_t used_ = 0;
  std::size_t filled_ = 0;
  Record<kWords> record_{};
  std::uint64_t copies_ = 0;
};

/// Gives the records of all `runs` in ascending order to `take(record, copies)`, which returns a Status. The
/// buffers take `memory` bytes together.
template <std::size_t kWords, class Take>
Status merge_runs(const SpillFile& file, std::span<const Run> runs, std::size_t memory, Take take) {
  const std::size_t each = std::min<std::size_t>(memory / (runs.size() + 1), 1U << 20U);
  std::vector<RunReader<kWords>> readers;
  std::vector<std::size_t> heap;  // Of indexes; the smallest record on top.
  readers.reserve(runs.size());
  const auto later = [&](std::size_t a, std::size_t b) { return readers[b].record() < readers[a].record(); };
  for (const Run& run : runs) {
    readers.emplace_back(file, run, each);
    const auto more = readers.back().next();
    if (!more) return more.error();
    if (*more) heap.push_back(readers.size() - 1);
  }
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    RunReader<kWords>& first = readers[heap.back()];
    LAB_TRY(take(first.record(), first.copies()));
    const auto more = first.next();
    if (!more) return more.error();
    if (*more)
      std::push_heap(heap.begin(), heap.end(), later);
    else
      heap.pop_back();
  }
  return ok();
}

}  // namespace lab::scan
