// SPDX-License-Identifier: Apache-2.0
#include "scan/cdc_chunks.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lab::scan {
namespace {

constexpr std::array<std::byte, 64 << 10> kZeros{};

Chunker chunker_of(std::span<const CdcChunks::Level> levels) {
  std::vector<ChunkSetting> settings;
  for (const CdcChunks::Level& level : levels) settings.push_back(chunk_setting(Bytes{level.spec.size}));
  auto made = Chunker::make(settings);
  LAB_CHECK(made.has_value(), "averages that parse_chunkers lets pass are settings of a chunker");
  return std::move(*made);
}

}  // namespace

CdcChunks::CdcChunks(FingerprintKind kind, std::span<const Level> levels)
    : kind_(kind), chunker_(chunker_of(levels)) {
  for (const Level& level : levels) {
    open_.push_back({level.taker, longest_chunk(level.spec), {}, {}});
    open_.back().carry.reserve(longest_chunk(level.spec));
    memory_ += longest_chunk(level.spec);
    longest_ = std::max<std::uint64_t>(longest_, longest_chunk(level.spec));
  }
}

void CdcChunks::bytes(std::span<const std::byte> bytes) {
  if (!bytes.empty()) zeros_before_ = 0;
  feed(bytes);
}

void CdcChunks::feed(std::span<const std::byte> bytes) {
  chunker_.feed(bytes);
  for (std::size_t i = 0; i < open_.size(); ++i) {
    std::uint64_t begin = at_;
    for (const Cut& cut : chunker_.cuts(i)) {
      close(open_[i], bytes.subspan(begin - at_, cut.end - begin));
      begin = cut.end;
    }
    const auto rest = bytes.subspan(begin - at_);
    open_[i].carry.insert(open_[i].carry.end(), rest.begin(), rest.end());
  }
  at_ += bytes.size();
}

void CdcChunks::zeros(std::uint64_t count) {
  // A run has no candidates behind its first window. What was open there is cut within the longest chunk, so
  // that from then on every chunk is zeros and as long as can be, and need not be looked for.
  const std::uint64_t settled = kGearWindow + longest_;
  const std::uint64_t first = settled - std::min(zeros_before_, settled);
  zeros_before_ += count;
  if (count >= first + longest_) {
    each_zero(first);
    count -= first;
    skip_zeros(count / longest_ * longest_);
    count %= longest_;
  }
  each_zero(count);
}

void CdcChunks::skip_zeros(std::uint64_t count) {
  const std::vector<std::uint64_t> chunks = chunker_.skip_run(count);
  for (std::size_t i = 0; i < open_.size(); ++i) {
    Open& open = open_[i];
    if (!open.zero) {
      const std::vector<std::byte> zeros(open.longest);
      open.zero = fingerprint_of(kind_, std::span<const std::byte>(zeros));
    }
    open.taker->take_equal(*open.zero, open.longest, true, chunks[i]);
  }
  at_ += count;
}

void CdcChunks::each_zero(std::uint64_t count) {
  while (count > 0) {
    const std::uint64_t some = std::min<std::uint64_t>(count, kZeros.size());
    feed(std::span(kZeros).first(some));
    count -= some;
  }
}

void CdcChunks::end() {
  for (Open& open : open_)
    if (!open.carry.empty()) close(open, {});
  chunker_.finish();
  at_ = 0;
  zeros_before_ = 0;
}

std::vector<std::vector<std::byte>> CdcChunks::take_open() {
  std::vector<std::vector<std::byte>> open;
  for (Open& one : open_) open.push_back(std::exchange(one.carry, {}));
  chunker_.finish();
  at_ = 0;
  zeros_before_ = 0;
  return open;
}

std::size_t CdcChunks::memory() const { return memory_; }

void CdcChunks::close(Open& open, std::span<const std::byte> last) const {
  std::span<const std::byte> chunk = last;
  if (!open.carry.empty()) {
    open.carry.insert(open.carry.end(), last.begin(), last.end());
    chunk = open.carry;
  }
  open.taker->take(fingerprint_of(kind_, chunk), static_cast<std::uint32_t>(chunk.size()), all_zero(chunk));
  open.carry.clear();
}

}  // namespace lab::scan
