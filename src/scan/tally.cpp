// SPDX-License-Identifier: Apache-2.0
#include "scan/tally.hpp"

#include <bit>

namespace lab::scan {
namespace {

void add_to(DistinctFigures& figures, std::uint32_t length, std::uint64_t copies) {
  figures.chunks += 1;
  figures.bytes += length;
  figures.squared_bytes += static_cast<double>(length) * static_cast<double>(length);
  MultiplicityBucket& bucket = figures.buckets[static_cast<std::size_t>(std::bit_width(copies - 1))];
  bucket.distinct += 1;
  bucket.chunks += copies;
  bucket.bytes += copies * length;
}

void add_all(DistinctFigures& to, const DistinctFigures& from) {
  to.chunks += from.chunks;
  to.bytes += from.bytes;
  to.squared_bytes += from.squared_bytes;
  for (std::size_t i = 0; i < to.buckets.size(); ++i) {
    to.buckets[i].distinct += from.buckets[i].distinct;
    to.buckets[i].chunks += from.buckets[i].chunks;
    to.buckets[i].bytes += from.buckets[i].bytes;
  }
}

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
  add_all(all_, other.all_);
  for (std::size_t i = 0; i < classes_.size(); ++i) add_all(classes_[i], other.classes_[i]);
  return *this;
}

void Tally::add(std::uint32_t length, std::span<const std::uint64_t> copies_by_class) {
  std::uint64_t total = 0;
  for (std::size_t index = 0; index < copies_by_class.size(); ++index) {
    if (copies_by_class[index] == 0) continue;
    total += copies_by_class[index];
    add_to(classes_[index], length, copies_by_class[index]);
  }
  add_to(all_, length, total);
}

void Tally::add_of_one(std::uint32_t length, std::size_t class_index, std::uint64_t copies) {
  add_to(classes_[class_index], length, copies);
  add_to(all_, length, copies);
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
