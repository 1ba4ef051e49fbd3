// SPDX-License-Identifier: Apache-2.0
#include "scan/tally.hpp"

namespace lab::scan {

DistinctFigures& DistinctFigures::operator+=(const DistinctFigures& other) {
  chunks += other.chunks;
  bytes += other.bytes;
  squared_bytes += other.squared_bytes;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    buckets[i].distinct += other.buckets[i].distinct;
    buckets[i].chunks += other.buckets[i].chunks;
    buckets[i].bytes += other.buckets[i].bytes;
  }
  return *this;
}

void Tally::add_all_of_one(const DistinctFigures& figures, std::size_t class_index) {
  classes_[class_index] += figures;
  all_ += figures;
}

void Tally::add(std::uint32_t length, std::span<const std::uint64_t> copies_by_class) {
  std::uint64_t total = 0;
  for (std::size_t index = 0; index < copies_by_class.size(); ++index) {
    if (copies_by_class[index] == 0) continue;
    total += copies_by_class[index];
    classes_[index].add(length, copies_by_class[index]);
  }
  all_.add(length, total);
}

void Tally::add_of_one(std::uint32_t length, std::size_t class_index, std::uint64_t copies) {
  classes_[class_index].add(length, copies);
  all_.add(length, copies);
}

void Tally::add_counted(std::optional<std::size_t> class_index, std::size_t bucket,
                        const MultiplicityBucket& counted, std::uint64_t unique_bytes) {
  DistinctFigures& figures = class_index ? classes_[*class_index] : all_;
  figures.chunks += counted.distinct;
  figures.bytes += unique_bytes;
  figures.buckets[bucket].distinct += counted.distinct;
  figures.buckets[bucket].chunks += counted.chunks;
  figures.buckets[bucket].bytes += counted.bytes;
}

}  // namespace lab::scan
