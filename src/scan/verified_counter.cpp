// SPDX-License-Identifier: Apache-2.0
#include "scan/verified_counter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "scan/record_store.hpp"

namespace lab::scan {
namespace {

constexpr std::uint64_t kPositions = 1ULL << 56U;  // In a word beside 8 bits of class.

/// Takes records in ascending order: those of one fingerprint and length are neighbours, by position.
template <std::size_t kWords>
class Comparer {
 public:
  using Placed = Record<kWords + 1>;

  Comparer(Tally& tally, ChunkBytes& bytes, std::stop_token stop)
      : tally_(tally), bytes_(bytes), stop_(std::move(stop)) {}

  /// Nothing any more after an error.
  void add(const Placed& record) {
    if (!status_) return;
    const std::uint64_t position = record.back() >> 8U;
    const auto file_class = static_cast<std::size_t>(record.back() & 0xFFU);
    if (used_ > 0 && std::equal(key_.begin(), key_.end(), record.begin())) {
      status_ = compare(position, file_class);
      return;
    }
    close();
    std::copy_n(record.begin(), kWords, key_.begin());
    first_.clear();
    open(position, file_class);
  }

  const Status& status() const noexcept { return status_; }
  const Comparison& comparison() const noexcept { return comparison_; }

  /// The last ones.
  Status finish() {
    LAB_TRY(status_);
    close();
    return bytes_.unchanged();
  }

 private:
  /// Equal chunks: where one of them is, and how often each class has it.
  struct Content {
    std::uint64_t position = 0;
    std::vector<std::uint64_t> copies{};
  };

  std::size_t length() const { return static_cast<std::size_t>((key_.back() >> 8U) & 0xFFFFFFU); }

  void open(std::uint64_t position, std::size_t file_class) {
    if (used_ == contents_.size()) contents_.push_back({0, std::vector<std::uint64_t>(tally_.classes())});
    contents_[used_].position = position;
    contents_[used_].copies[file_class] = 1;
    used_ += 1;
  }

  Status fill(std::vector<std::byte>& buffer, std::uint64_t position) {
    buffer.resize(length());
    return bytes_.read(position, buffer);
  }

  Status compare(std::uint64_t position, std::size_t file_class) {
    if (stop_.stop_requested()) return Error{ErrorCode::kCancelled, "scan"};
    if (first_.empty()) LAB_TRY(fill(first_, contents_[0].position));
    LAB_TRY(fill(chunk_, position));
    comparison_.chunks += 1;
    for (std::size_t i = 0; i < used_; ++i) {
      if (i > 0) LAB_TRY(fill(other_, contents_[i].position));
      if (chunk_ != (i == 0 ? first_ : other_)) continue;
      contents_[i].copies[file_class] += 1;
      return ok();
    }
    if (used_ == kContentsMax) {
      LAB_TRY(bytes_.unchanged());
      return Error{ErrorCode::kRefused, "scan",
                   fmt::format("--verify: more than {} different chunks have one fingerprint; --fingerprint "
                               "blake3 or sha256 tells them apart",
                               kContentsMax)};
    }
    comparison_.collisions += 1;
    open(position, file_class);
    return ok();
  }

  void close() {
    for (Content& content : std::span(contents_).first(used_)) {
      tally_.add(static_cast<std::uint32_t>(length()), content.copies);
      std::fill(content.copies.begin(), content.copies.end(), 0);
    }
    used_ = 0;
  }

  Tally& tally_;
  ChunkBytes& bytes_;
  std::stop_token stop_;
  Status status_ = ok();
  Comparison comparison_{};
  Record<kWords> key_{};
  std::vector<Content> contents_{};  // The first `used_` are of this key; the others wait to be used again.
  std::size_t used_ = 0;
  std::vector<std::byte> first_{};  // Bytes of the first content, once they are needed.
  std::vector<std::byte> chunk_{};
  std::vector<std::byte> other_{};
};

template <std::size_t kWords>
class VerifiedCounter final : public Counter {
 public:
  VerifiedCounter(const CounterOptions& options, ChunkBytes& bytes)
      : bytes_(bytes), stop_(options.stop), store_(options) {}

  Status add(std::span<const Chunk> chunks) override {
    const std::lock_guard lock(mutex_);
    return store_.add(chunks.size(), [&](std::size_t i) { return placed(chunks[i]); });
  }

  Status finish(Tally& tally, DistinctSink* sink) override {
    LAB_CHECK(sink == nullptr, "chunks of one fingerprint may be several here");
    const std::lock_guard lock(mutex_);
    Comparer<kWords> comparer(tally, bytes_, stop_);
    LAB_TRY(store_.drain(
        [&](const Record<kWords + 1>& record, std::uint64_t copies) {
          LAB_CHECK(copies == 1, "no two chunks have one position");
          comparer.add(record);
        },
        [&] { return comparer.status(); }));
    LAB_TRY(comparer.finish());
    comparison_ = comparer.comparison();
    return ok();
  }

  std::uint64_t spilled_bytes() const override {
    const std::lock_guard lock(mutex_);
    return store_.spilled_bytes();
  }
  std::optional<Comparison> comparison() const override { return comparison_; }

 private:
  static Record<kWords + 1> placed(const Chunk& chunk) {
    LAB_CHECK(chunk.position < kPositions, "a position has 56 bits");
    const Record<kWords> key = pack<kWords>({chunk.fingerprint, chunk.length, 0});
    Record<kWords + 1> record{};
    std::copy(key.begin(), key.end(), record.begin());
    record.back() = chunk.position << 8U | chunk.file_class;
    return record;
  }

  ChunkBytes& bytes_;
  std::stop_token stop_;
  mutable std::mutex mutex_{};
  RecordStore<kWords + 1> store_;
  std::optional<Comparison> comparison_{};
};

}  // namespace

std::unique_ptr<Counter> make_verified_counter(const CounterOptions& options, ChunkBytes& bytes) {
  if (is_wide(options.fingerprint)) return std::make_unique<VerifiedCounter<4>>(options, bytes);
  return std::make_unique<VerifiedCounter<2>>(options, bytes);
}

}  // namespace lab::scan
