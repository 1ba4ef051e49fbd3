// The chunks that one worker cuts with one chunker, on their way to the counter.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/result.hpp"
#include "scan/counter.hpp"

namespace lab::scan {

/// Sums over chunks as they were met, copies and all.
struct Met {
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;
  std::uint64_t zero_chunks = 0;  // Chunks that hold nothing but zeros.
  std::uint64_t zero_bytes = 0;
  std::uint64_t zero_blocks = 0;  // Those of them that are whole fixed blocks; the counter never sees them.

  Met& operator+=(const Met& other);
};

/// Gets the chunks of a file in order.
class ChunkTaker {
 public:
  virtual ~ChunkTaker() = default;
  virtual void take(const Fingerprint& fingerprint, std::uint32_t length, bool zero) = 0;
  /// So many equal ones, one behind the other.
  virtual void take_equal(const Fingerprint& fingerprint, std::uint32_t length, bool zero,
                          std::uint64_t count) {
    for (; count > 0; --count) take(fingerprint, length, zero);
  }
};

/// Not thread-safe: each worker has its own. What fails is kept and told by flush().
class ChunkStream final : public ChunkTaker {
 public:
  ChunkStream(Counter& counter, std::size_t classes);

  void set_class(std::uint8_t file_class) noexcept { class_ = file_class; }
  /// Of the next chunk; each one lies behind the one before.
  void set_position(std::uint64_t position) noexcept { position_ = position; }

  void add(const Fingerprint& fingerprint, std::uint32_t length, bool zero) {
    Met& met = met_[class_];
    met.chunks += 1;
    met.bytes += length;
    if (zero) {
      met.zero_chunks += 1;
      met.zero_bytes += length;
    }
    pending_.push_back({fingerprint, length, class_, position_});
    position_ += length;
    if (pending_.size() == kBatch) hand_over();
  }

  void take(const Fingerprint& fingerprint, std::uint32_t length, bool zero) override {
    add(fingerprint, length, zero);
  }

  void take_equal(const Fingerprint& fingerprint, std::uint32_t length, bool zero,
                  std::uint64_t count) override;

  /// Whole blocks of zeros: there may be very many, and they are all one, so that a number is enough.
  void add_zero_blocks(std::uint64_t count, std::uint32_t size);

  /// Hands over what is pending. Errors: the first that the counter had, now or before.
  Status flush();
  bool failed() const noexcept { return !status_.has_value(); }

  const std::vector<Met>& met() const noexcept { return met_; }  // By class.

  /// Bytes that a stream takes.
  static constexpr std::size_t kBytes = 512 * sizeof(Chunk);

 private:
  static constexpr std::size_t kBatch = 512;
  void hand_over();

  Counter& counter_;
  std::uint8_t class_ = 0;
  std::uint64_t position_ = 0;
  std::vector<Chunk> pending_{};
  std::vector<Met> met_;
  Status status_ = ok();
};

}  // namespace lab::scan
