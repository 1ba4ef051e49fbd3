// The replay: least, normal and largest sizes applied to a list of candidates.
// SPDX-License-Identifier: Apache-2.0
#include "scan/chunker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace lab {
namespace {

constexpr std::int64_t kLeastMin = 64;  // Above the window: a chunk's first cut depends on the chunk alone.
constexpr Bytes kNormalMin{256};        // The weak mask has then the 7 bits that the pass begins with.
constexpr Bytes kNormalMax = 1_MiB;
constexpr Bytes kLargestMax = 64_MiB;

// Spans are worked on in parts, so that bytes and candidates stay in the cache from pass to replay.
constexpr std::size_t kPart = 256 * 1024;

Error bad_setting(const ChunkSetting& setting, std::string_view rule) {
  return {ErrorCode::kInvalidArgument, "scan.chunk_setting",
          fmt::format("{}:{}:{}: {}", format_bytes_exact(setting.least), format_bytes_exact(setting.normal),
                      format_bytes_exact(setting.largest), rule)};
}

unsigned log2_of(Bytes power) {
  return static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(power.count))) - 1;
}

/// Without a branch for each candidate, which a processor could only guess: half of them stay.
void keep_from(unsigned bits, std::vector<Candidate>& candidates) {
  std::size_t kept = 0;
  for (const Candidate& candidate : candidates) {
    candidates[kept] = candidate;
    kept += candidate.strength >= bits ? 1 : 0;
  }
  candidates.resize(kept);
}

}  // namespace

Status check(const ChunkSetting& setting) {
  if (setting.normal < kNormalMin || setting.normal > kNormalMax ||
      !std::has_single_bit(static_cast<std::uint64_t>(setting.normal.count)))
    return bad_setting(setting, "the normal size is a power of two from 256 to 1 MiB");
  if (setting.least.count < kLeastMin) return bad_setting(setting, "the least size is 64 or more");
  if (setting.least >= setting.normal) return bad_setting(setting, "the least size is below the normal one");
  if (setting.largest <= setting.normal)
    return bad_setting(setting, "the largest size is above the normal one");
  if (setting.largest > kLargestMax) return bad_setting(setting, "the largest size is 64 MiB or less");
  return ok();
}

CutReplay::CutReplay(const ChunkSetting& setting)
    : least_(static_cast<std::uint64_t>(setting.least.count)),
      normal_(static_cast<std::uint64_t>(setting.normal.count)),
      largest_(static_cast<std::uint64_t>(setting.largest.count)),
      weak_bits_(log2_of(setting.normal) - 1),
      strong_bits_(log2_of(setting.normal) + 1) {}

void CutReplay::cut_at(std::uint64_t end, CutReason reason, std::vector<Cut>& cuts) {
  cuts.push_back({begin_, end, reason});
  begin_ = end;
}

/// Every cut that no candidate before `position` can prevent.
void CutReplay::force_until(std::uint64_t position, std::vector<Cut>& cuts) {
  while (begin_ + largest_ < position) {
    cut_at(begin_ + largest_, CutReason::kForced, cuts);
    counts_.forced += 1;
  }
}

void CutReplay::advance(std::span<const Candidate> candidates, std::uint64_t seen, std::vector<Cut>& cuts) {
  for (const Candidate& candidate : candidates) {
    if (candidate.strength < weak_bits_) continue;
    force_until(candidate.position, cuts);
    const std::uint64_t size = candidate.position - begin_;
    if (size < least_ || (size < normal_ && candidate.strength < strong_bits_)) continue;
    cut_at(candidate.position, CutReason::kContent, cuts);
    counts_.content += 1;
  }
  // A candidate at `seen` has been given, so a chunk that is full there is full for certain.
  force_until(seen + 1, cuts);
}

std::uint64_t CutReplay::skip(std::uint64_t bytes) {
  LAB_CHECK(bytes % largest_ == 0, "what is skipped are chunks of the largest size");
  begin_ += bytes;
  counts_.forced += bytes / largest_;
  return bytes / largest_;
}

void CutReplay::finish(std::uint64_t file_size, std::vector<Cut>& cuts) {
  if (begin_ < file_size) {
    cut_at(file_size, CutReason::kEnd, cuts);
    counts_.ends += 1;
  }
  begin_ = 0;
}

Result<Chunker> Chunker::make(const std::vector<ChunkSetting>& settings, GearPath path) {
  if (settings.empty()) return Error{ErrorCode::kInvalidArgument, "scan.chunker", "no setting is given"};
  std::vector<CutReplay> replays;
  unsigned weakest = kGearBitsMax;
  for (const ChunkSetting& setting : settings) {
    LAB_TRY(check(setting));
    replays.emplace_back(setting);
    weakest = std::min(weakest, replays.back().weak_bits());
  }
  return Chunker(std::move(replays), weakest, path);
}

Chunker::Chunker(std::vector<CutReplay> replays, unsigned weakest_bits, GearPath path)
    : scan_(weakest_bits, path),
      replays_(std::move(replays)),
      cuts_(replays_.size()),
      by_bits_(replays_.size()) {
  std::iota(by_bits_.begin(), by_bits_.end(), std::size_t{0});
  std::stable_sort(by_bits_.begin(), by_bits_.end(), [&](std::size_t a, std::size_t b) {
    return replays_[a].weak_bits() < replays_[b].weak_bits();
  });
}

void Chunker::feed(std::span<const std::byte> bytes) {
  for (std::vector<Cut>& cuts : cuts_) cuts.clear();
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kPart));
    bytes = bytes.subspan(part.size());
    candidates_.clear();
    scan_.feed(part, candidates_);
    unsigned bits = 0;
    for (const std::size_t i : by_bits_) {
      // Each list is read once by the setting that it is made for; the next ones see half of it or less.
      if (std::exchange(bits, replays_[i].weak_bits()) != replays_[i].weak_bits())
        keep_from(bits, candidates_);
      replays_[i].advance(candidates_, scan_.position(), cuts_[i]);
    }
  }
}

std::vector<std::uint64_t> Chunker::skip_run(std::uint64_t bytes) {
  scan_.skip_run(bytes);
  std::vector<std::uint64_t> chunks;
  for (CutReplay& replay : replays_) chunks.push_back(replay.skip(bytes));
  return chunks;
}

void Chunker::finish() {
  for (std::size_t i = 0; i < replays_.size(); ++i) {
    cuts_[i].clear();
    replays_[i].finish(scan_.position(), cuts_[i]);
  }
  scan_.start_file();
}

}  // namespace lab
