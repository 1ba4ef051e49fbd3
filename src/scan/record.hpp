// A counted chunk in 16 bytes (or 32): fingerprint, length and file class in words that sort as one number.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "scan/fingerprint.hpp"
#include "scan/tally.hpp"

namespace lab::scan {

/// One chunk as it was met in a file.
struct Chunk {
  Fingerprint fingerprint{};
  std::uint32_t length = 0;  // Below 2^24.
  std::uint8_t file_class = 0;
  std::uint64_t position = 0;  // In all files one behind the other; only a verified counter looks at it.
};

inline constexpr std::size_t kClassesMax = 128;

/// The last word ends with 24 bits of length, then 8 of class. Two words keep 96 bits of a fingerprint: among
/// the 2.4e10 blocks of 4 KiB in 100 TB some pair collides with a chance of about 4e-9. Four keep 224.
template <std::size_t kWords>
using Record = std::array<std::uint64_t, kWords>;

/// 0 when they are equal. Without a branch for each word, and without the library's call.
template <std::size_t kWords>
std::uint64_t differing_bits(const Record<kWords>& a, const Record<kWords>& b) {
  std::uint64_t differing = 0;
  for (std::size_t i = 0; i < kWords; ++i) differing |= a[i] ^ b[i];
  return differing;
}

template <std::size_t kWords>
bool equal(const Record<kWords>& a, const Record<kWords>& b) {
  return differing_bits(a, b) == 0;
}

template <std::size_t kWords>
Record<kWords> pack(const Chunk& chunk) {
  Record<kWords> record;
  std::copy_n(chunk.fingerprint.begin(), kWords, record.begin());
  record.back() = (record.back() & ~0xFFFFFFFFULL) | (std::uint64_t{chunk.length} << 8U) |
                  std::uint64_t{chunk.file_class};
  return record;
}

template <std::size_t kWords>
std::uint32_t length_of(const Record<kWords>& record) {
  return static_cast<std::uint32_t>((record.back() >> 8U) & 0xFFFFFFU);
}

/// The bytes of a record that are fingerprint: they sort as records do.
template <std::size_t kWords>
std::array<std::byte, kWords * 8 - 4> key_of(const Record<kWords>& record) {
  std::array<std::byte, kWords * 8 - 4> key{};
  for (std::size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<std::byte>(record[i / 8] >> (56U - 8U * (i % 8)));
  return key;
}

/// Takes distinct chunks in ascending order of their keys.
class DistinctSink {
 public:
  virtual ~DistinctSink() = default;
  /// `key` as key_of gives it; how often each class has the chunk.
  virtual Status add(std::span<const std::byte> key, std::uint32_t length,
                     std::span<const std::uint64_t> copies_by_class) = 0;
};

/// Takes records in ascending order and gives the tally one call for each distinct chunk, and the sink where
/// there is one.
template <std::size_t kWords>
class Grouper {
 public:
  Grouper(Tally& tally, DistinctSink* sink) : tally_(tally), sink_(sink), copies_(tally.classes()) {}

  void add(Record<kWords> record, std::uint64_t copies) {
    const auto file_class = static_cast<std::size_t>(record.back() & 0xFFU);
    record.back() &= ~0xFFULL;
    if (!open_ || !equal(record, key_)) {
      close();
      key_ = record;
      open_ = true;
    }
    several_ = several_ || (total_ > 0 && file_class != last_class_);
    last_class_ = file_class;
    total_ += copies;
    copies_[file_class] += copies;
  }

  /// The sink's first error so far; what came behind it did not reach the sink.
  const Status& status() const noexcept { return status_; }

  /// The last chunk.
  Status finish() {
    close();
    return status_;
  }

 private:
  void close() {
    if (!open_) return;
    const std::uint32_t length = length_of(key_);
    if (several_)
      tally_.add(length, copies_);
    else
      tally_.add_of_one(length, last_class_, total_);
    if (sink_ != nullptr && status_) status_ = sink_->add(key_of(key_), length, copies_);
    if (several_) std::fill(copies_.begin(), copies_.end(), 0);
    copies_[last_class_] = 0;
    several_ = false;
    total_ = 0;
    open_ = false;
  }

  Tally& tally_;
  DistinctSink* sink_;
  Status status_ = ok();
  Record<kWords> key_{};
  bool open_ = false;
  bool several_ = false;  // More than one class has the chunk.
  std::size_t last_class_ = 0;
  std::uint64_t total_ = 0;
  std::vector<std::uint64_t> copies_;
};

}  // namespace lab::scan
