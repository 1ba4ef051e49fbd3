// Sampling, sorting and finding of slices.
// SPDX-License-Identifier: Apache-2.0
#include "scan/census_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/random.hpp"

namespace lab {
namespace {

constexpr std::uint64_t kStrengthMask = 63;  // The lowest bits of a key: thinning out needs no second look.
constexpr unsigned kBitsMax = 32;            // The strongest candidate there is.

/// 64 bytes into 58 bits, and the strength below. Two words a multiplication, each with a constant of its
/// own.
std::uint64_t key_of(const std::byte* end, std::uint32_t strength) {
  std::uint64_t words[kSliceBytes / 8];
  std::memcpy(words, end - kSliceBytes, kSliceBytes);
  std::uint64_t sum = 0;
  std::uint64_t constant = 0x9E3779B97F4A7C15ULL;
  for (std::size_t i = 0; i < kSliceBytes / 8; i += 2) {
    const auto product = static_cast<Uint128>(words[i] ^ constant) * (words[i + 1] ^ 0xD1B54A32D192ED03ULL);
    sum += static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
    constant = constant * 0xBF58476D1CE4E5B9ULL;
  }
  return (mix64(sum) & ~kStrengthMask) | strength;
}

std::uint64_t filter_bit(std::uint64_t key, std::uint64_t mask) { return (key >> 6U) & mask; }

}  // namespace

SliceIndex::SliceIndex(Bytes memory)
    : slices_max_(static_cast<std::size_t>(memory.count / kMemoryPerSlice.count)) {
  LAB_CHECK(slices_max_ > 0 && slices_max_ < (std::size_t{1} << 32U), "memory for slices");
  slices_.reserve(slices_max_);  // Doubling a vector would need three times the memory that was asked for.
}

Status SliceIndex::thin_out() {
  if (bits_ == kBitsMax)
    return Error{ErrorCode::kResourceExhausted, "scan.census",
                 fmt::format("{} slices are not enough for these originals", slices_max_)};
  bits_ += 1;
  std::erase_if(slices_, [&](const Slice& slice) { return (slice.key & kStrengthMask) < bits_; });
  return ok();
}

Status SliceIndex::add(std::uint32_t original, std::span<const std::byte> bytes) {
  originals_ = original + 1;
  constexpr std::size_t kPart = 1 << 20U;
  GearScan scan(gear_bits());
  for (std::size_t from = 0; from < bytes.size(); from += kPart) {
    candidates_.clear();
    scan.feed(bytes.subspan(from, std::min(kPart, bytes.size() - from)), candidates_);
    for (const Candidate& candidate : candidates_) {
      if (candidate.position < kSliceBytes || candidate.strength < bits_) continue;
      while (slices_.size() >= slices_max_) LAB_TRY(thin_out());
      if (candidate.strength < bits_) continue;
      const auto end = static_cast<std::uint32_t>(candidate.position);
      slices_.push_back({key_of(bytes.data() + end, candidate.strength), {original, end}});
    }
  }
  return ok();
}

void SliceIndex::drop_ambiguous() {
  std::size_t kept = 0;
  for (std::size_t begin = 0, end = 0; begin < slices_.size(); begin = end) {
    while (end < slices_.size() && slices_[end].key == slices_[begin].key) ++end;
    if (end - begin == 1)
      slices_[kept++] = slices_[begin];
    else
      ambiguous_ += end - begin;
  }
  slices_.resize(kept);
}

void SliceIndex::build_directory() {
  const std::size_t buckets = std::max<std::size_t>(2, std::bit_floor(slices_.size()));
  directory_shift_ = 64U - static_cast<unsigned>(std::countr_zero(buckets));
  directory_.assign(buckets, 0);
  std::size_t at = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    while (at < slices_.size() && (slices_[at].key >> directory_shift_) < bucket) ++at;
    directory_[bucket] = static_cast<std::uint32_t>(at);
  }
  const std::size_t filter_bits = std::max<std::size_t>(64, std::bit_ceil(8 * slices_.size()));
  filter_mask_ = filter_bits - 1;
  filter_.assign(filter_bits / 64, 0);
  usable_of_.assign(originals_, 0);
  for (const Slice& slice : slices_) {
    const std::uint64_t bit = filter_bit(slice.key, filter_mask_);
    filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    usable_of_[slice.place.original] += 1;
  }
}

void SliceIndex::freeze() {
  std::sort(slices_.begin(), slices_.end(), [](const Slice& a, const Slice& b) { return a.key < b.key; });
  drop_ambiguous();
  build_directory();
}

std::optional<SlicePlace> SliceIndex::find(const std::byte* end, std::uint32_t strength) const {
  const std::uint64_t key = key_of(end, strength);
  const std::uint64_t bit = filter_bit(key, filter_mask_);
  if ((filter_[bit / 64] >> (bit % 64) & 1U) == 0) return std::nullopt;
  for (std::size_t at = directory_[key >> directory_shift_]; at < slices_.size(); ++at) {
    if (slices_[at].key == key) return slices_[at].place;
    if (slices_[at].key > key) break;
  }
  return std::nullopt;
}

}  // namespace lab
