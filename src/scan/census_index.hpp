// The slices by which the census knows an original: sampled by content, in fixed memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"
#include "scan/gear.hpp"

namespace lab {

/// A slice is the 64 bytes before a candidate of the gear hash: a file and an original agree on where slices
/// are, however the bytes lie in the file, and a processor finds them at the speed of memory.
inline constexpr std::size_t kSliceBytes = 64;

/// Memory a slice: itself, its share of the directory, at most 16 bits of the filter.
inline constexpr Bytes kMemoryPerSlice{16 + 4 + 2};

struct SlicePlace {
  std::uint32_t original = 0;  // Index in the order of adding.
  std::uint32_t end = 0;       // Offset behind the slice's last byte in the original.
};

/// Slices of many originals. While they are added the density is halved as often as the memory asks; then it
/// is frozen, and slices can be found.
class SliceIndex {
 public:
  explicit SliceIndex(Bytes memory);

  /// Errors: kResourceExhausted when not even the rarest slices find room.
  Status add(std::uint32_t original, std::span<const std::byte> bytes);

  /// Sorts. Slices that are there more than once, in one original or in several, say nothing about whose copy
  /// it is: they are dropped and counted.
  void freeze();

  /// Precondition: frozen; 64 bytes can be read before `end`. `strength` is the candidate's.
  std::optional<SlicePlace> find(const std::byte* end, std::uint32_t strength) const;

  unsigned bits() const { return bits_; }  // One of 2^bits positions has a slice.
  unsigned gear_bits() const { return bits_ < kGearBitsMax ? bits_ : kGearBitsMax; }
  std::uint64_t usable() const { return slices_.size(); }
  std::uint64_t ambiguous() const { return ambiguous_; }
  const std::vector<std::uint32_t>& usable_of() const { return usable_of_; }  // By original, once frozen.

 private:
  struct Slice {
    std::uint64_t key = 0;
    SlicePlace place{};
  };
  Status thin_out();
  void drop_ambiguous();
  void build_directory();

  std::size_t slices_max_;
  unsigned bits_ = kGearBitsMin;
  std::uint32_t originals_ = 0;
  std::uint64_t ambiguous_ = 0;
  std::vector<Slice> slices_{};             // Sorted by key once frozen.
  std::vector<std::uint32_t> directory_{};  // First slice of the keys with these bits at the top.
  unsigned directory_shift_ = 63;
  std::vector<std::uint64_t> filter_{};  // A bit for each key: most of what is not there ends here.
  std::uint64_t filter_mask_ = 0;
  std::vector<std::uint32_t> usable_of_{};
  std::vector<Candidate> candidates_{};
};

}  // namespace lab
