// What is distinct among counted chunks: sums and how often they occur, for all files and for each class.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lab::scan {

/// Distinct chunks that occur 1, 2, 3-4, 5-8, 9-16, ... times: bucket i ends at 2^i.
struct MultiplicityBucket {
  std::uint64_t distinct = 0;
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;  // Of all their copies.
};

struct DistinctFigures {
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;
  double squared_bytes = 0;  // Sum of length^2, for the interval of a sample.
  std::array<MultiplicityBucket, 65> buckets{};

  /// One distinct chunk that occurs `copies` times, at least once.
  void add(std::uint32_t length, std::uint64_t copies) {
    chunks += 1;
    bytes += length;
    squared_bytes += static_cast<double>(length) * static_cast<double>(length);
    MultiplicityBucket& bucket = buckets[static_cast<std::size_t>(std::bit_width(copies - 1))];
    bucket.distinct += 1;
    bucket.chunks += copies;
    bucket.bytes += copies * length;
  }

  /// What was counted of other chunks.
  DistinctFigures& operator+=(const DistinctFigures& other);
};

/// Adds up distinct chunks. Those of a class are distinct within it; a chunk may be in several.
class Tally {
 public:
  explicit Tally(std::size_t classes) : classes_(classes) {}

  /// One distinct chunk and how often each class has it (at least one of them does).
  void add(std::uint32_t length, std::span<const std::uint64_t> copies_by_class);

  /// One distinct chunk that a single class has, `copies` times, at least once.
  void add_of_one(std::uint32_t length, std::size_t class_index, std::uint64_t copies);

  /// What others have counted of one bucket, of all files or of one class. The squares that a sample's
  /// interval needs are not part of it.
  void add_counted(std::optional<std::size_t> class_index, std::size_t bucket,
                   const MultiplicityBucket& counted, std::uint64_t unique_bytes);

  /// Other chunks, that a single class has.
  void add_all_of_one(const DistinctFigures& figures, std::size_t class_index);

  const DistinctFigures& all() const noexcept { return all_; }
  const DistinctFigures& of_class(std::size_t index) const { return classes_[index]; }
  std::size_t classes() const noexcept { return classes_.size(); }

  /// Of a sample: the share of the distinct chunks that were counted is 2^-level. 0: all were.
  unsigned sample_level = 0;

 private:
  DistinctFigures all_{};
  std::vector<DistinctFigures> classes_;
};

}  // namespace lab::scan
