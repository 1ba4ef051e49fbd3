// A counted chunk in 16 bytes (or 32): fingerprint, length and file class in words that sort as one number.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "scan/fingerprint.hpp"
#include "scan/tally.hpp"

namespace lab::scan {

/// One chunk as it was met in a file.
struct Chunk {
  Fingerprint fingerprint{};
  std::uint32_t length = 0;  // Below 2^24.
  std::uint8_t file_class = 0;
};

inline constexpr std::size_t kClassesMax = 128;

/// The last word ends with 24 bits of length, then 8 of class. Two words keep 96 bits of a fingerprint: among
/// the 2.4e10 blocks of 4 KiB in 100 TB some pair collides with a chance of about 4e-9. Four keep 224.
template <std::size_t kWords>
using Record = std::array<std::uint64_t, kWords>;

template <std::size_t kWords>
Record<kWords> pack(const Chunk& chunk) {
  Record<kWords> record;
  std::copy_n(chunk.fingerprint.begin(), kWords, record.begin());
  record.back() = (record.back() & ~0xFFFFFFFFULL) | (std::uint64_t{chunk.length} << 8U) |
                  std::uint64_t{chunk.file_class};
  return record;
}

/// Takes records in ascending order and gives the tally one call for each distinct chunk.
template <std::size_t kWords>
class Grouper {
 public:
  explicit Grouper(Tally& tally) : tally_(tally), copies_(tally.classes()) {}
  ~Grouper() { finish(); }
  Grouper(const Grouper&) = delete;
  Grouper& operator=(const Grouper&) = delete;

  void add(Record<kWords> record, std::uint64_t copies) {
    const auto file_class = static_cast<std::size_t>(record.back() & 0xFFU);
    record.back() &= ~0xFFULL;
    if (!open_ || record != key_) {
      finish();
      key_ = record;
      open_ = true;
    }
    copies_[file_class] += copies;
  }

  void finish() {
    if (!open_) return;
    tally_.add(static_cast<std::uint32_t>((key_.back() >> 8U) & 0xFFFFFFU), copies_);
    std::fill(copies_.begin(), copies_.end(), 0);
    open_ = false;
  }

 private:
  Tally& tally_;
  Record<kWords> key_{};
  bool open_ = false;
  std::vector<std::uint64_t> copies_;
};

}  // namespace lab::scan
