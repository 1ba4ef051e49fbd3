// SPDX-License-Identifier: Apache-2.0
#include "scan/cdc_chunks.hpp"

#include <algorithm>
#include <array>

#include "scan/cdc_scalar.hpp"

namespace lab::scan {
namespace {

constexpr std::array<std::byte, 64 << 10> kZeros{};

}  // namespace

CdcChunks::CdcChunks(FingerprintKind kind, std::span<const Level> levels)
    : kind_(kind), cuts_(levels.size()) {
  std::vector<std::uint32_t> averages;
  for (const Level& level : levels) {
    averages.push_back(level.spec.size);
    open_.push_back({level.stream, {}});
    open_.back().carry.reserve(longest_chunk(level.spec));
    memory_ += longest_chunk(level.spec);
  }
  finder_ = make_scalar_cut_finder(averages);
}

void CdcChunks::begin() {
  finder_->begin_file();
  at_ = 0;
}

void CdcChunks::bytes(std::span<const std::byte> bytes) {
  if (open_.empty()) return;
  for (auto& cuts : cuts_) cuts.clear();
  finder_->feed(bytes, cuts_);
  for (std::size_t i = 0; i < open_.size(); ++i) {
    std::uint64_t begin = at_;
    for (const std::uint64_t cut : cuts_[i]) {
      close(open_[i], bytes.subspan(begin - at_, cut - begin));
      begin = cut;
    }
    const auto rest = bytes.subspan(begin - at_);
    open_[i].carry.insert(open_[i].carry.end(), rest.begin(), rest.end());
  }
  at_ += bytes.size();
}

void CdcChunks::zeros(std::uint64_t count) {
  while (count > 0 && !open_.empty()) {
    const std::uint64_t some = std::min<std::uint64_t>(count, kZeros.size());
    bytes(std::span(kZeros).first(some));
    count -= some;
  }
}

void CdcChunks::end() {
  for (Open& open : open_)
    if (!open.carry.empty()) close(open, {});
}

std::size_t CdcChunks::memory() const { return memory_; }

void CdcChunks::close(Open& open, std::span<const std::byte> last) const {
  std::span<const std::byte> chunk = last;
  if (!open.carry.empty()) {
    open.carry.insert(open.carry.end(), last.begin(), last.end());
    chunk = open.carry;
  }
  open.stream->add(fingerprint_of(kind_, chunk), static_cast<std::uint32_t>(chunk.size()), all_zero(chunk));
  open.carry.clear();
}

}  // namespace lab::scan
