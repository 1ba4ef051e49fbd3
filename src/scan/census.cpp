// Matching: from a slice to both sides, byte by byte, and over the headers of pages.
// SPDX-License-Identifier: Apache-2.0
#include "scan/census.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace lab {
namespace {

constexpr std::size_t kStripe = 256 * 1024;  // What is worked on at a time.
constexpr std::size_t kHistory =
    64 * 1024;  // Kept before it, for matches that begin before their first slice.

// A page's end and the next one's beginning: 46 bytes in InnoDB, at most 100 in PostgreSQL. An object goes on
// behind them with the byte that comes next, so that even a piece without a slice is found.
constexpr std::size_t kGap = 256;
constexpr std::size_t kSample = 16;    // Bytes that tell where it goes on.
constexpr std::size_t kSampleMin = 4;  // Less than this at the end of an object is not looked for.

constexpr std::array<std::byte, 64U << 10U> kZeros{};

constexpr std::uint64_t kPartMin = 4096;
constexpr std::uint64_t kPartsMax = 32;

std::uint64_t parts_of(std::uint64_t size) {
  return std::clamp<std::uint64_t>(size / kPartMin, 1, kPartsMax);
}

Bytes as_size(std::uint64_t count) { return {static_cast<std::int64_t>(count)}; }

std::uint64_t word_at(const std::byte* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, 8);
  return word;
}

std::size_t equal_ahead(const std::byte* a, const std::byte* b, std::size_t most) {
  std::size_t equal = 0;
  while (equal + 8 <= most && word_at(a + equal) == word_at(b + equal)) equal += 8;
  while (equal < most && a[equal] == b[equal]) ++equal;
  return equal;
}

/// Equal bytes before both pointers.
std::size_t equal_behind(const std::byte* a, const std::byte* b, std::size_t most) {
  std::size_t equal = 0;
  while (equal + 8 <= most && word_at(a - equal - 8) == word_at(b - equal - 8)) equal += 8;
  while (equal < most && *(a - equal - 1) == *(b - equal - 1)) ++equal;
  return equal;
}

}  // namespace

Result<Census> Census::make(Bytes memory, BytesOf bytes_of) {
  if (memory < 4_KiB || memory > 64_GiB)
    return Error{ErrorCode::kInvalidArgument, "scan.census",
                 fmt::format("memory of {}: it is from 4 KiB to 64 GiB", format_bytes_exact(memory))};
  return Census(memory, std::move(bytes_of));
}

Census::Census(Bytes memory, BytesOf bytes_of) : index_(memory), bytes_of_(std::move(bytes_of)) {}

Status Census::add_original(std::uint64_t number, std::uint64_t expected_copies,
                            std::span<const std::byte> bytes) {
  LAB_CHECK(!frozen_, "an original after freeze()");
  if (bytes.size() >> 32U != 0)
    return Error{ErrorCode::kInvalidArgument, "scan.census",
                 fmt::format("object {} has {} bytes; less than 4 GiB can be counted", number, bytes.size())};
  LAB_TRY(index_.add(static_cast<std::uint32_t>(originals_.size()), bytes));
  originals_.push_back({number, bytes.size(), expected_copies, 0, parts_.size()});
  parts_.resize(parts_.size() + parts_of(bytes.size()));
  return ok();
}

void Census::freeze() {
  LAB_CHECK(!frozen_, "frozen twice");
  index_.freeze();
  frozen_ = true;
}

void Census::begin_file(std::uint32_t file_class) {
  LAB_CHECK(frozen_, "a file before freeze()");
  LAB_CHECK(!gear_, "a file inside a file");
  file_class_ = file_class;
  if (classes_.size() <= file_class) classes_.resize(file_class + std::size_t{1});
  gear_.emplace(index_.gear_bits());
  buffer_.clear();
  candidates_.clear();
  open_.reset();
  base_ = 0;
  claimed_ = 0;
}

Status Census::scan(std::span<const std::byte> bytes) {
  LAB_CHECK(gear_.has_value(), "bytes outside of a file");
  classes_[file_class_].scanned += as_size(bytes.size());
  while (!bytes.empty()) {
    // Stripes begin at fixed places of the file, so that the caller's spans cannot change what is found.
    const std::uint64_t stripe_end = (file_end() / kStripe + 1) * kStripe;
    const auto taken = bytes.first(std::min<std::uint64_t>(bytes.size(), stripe_end - file_end()));
    buffer_.insert(buffer_.end(), taken.begin(), taken.end());
    bytes = bytes.subspan(taken.size());
    if (file_end() == stripe_end) LAB_TRY(work(false));
  }
  return ok();
}

Status Census::zeros(std::uint64_t count) {
  while (count > 0) {
    if (in_zeros() && count >= kStripe) {
      // Each stripe would leave everything as it is, but for its place.
      const std::uint64_t skipped = count / kStripe * kStripe;
      classes_[file_class_].scanned += as_size(skipped);
      gear_->skip_run(skipped);
      base_ += skipped;
      count -= skipped;
      continue;
    }
    const std::uint64_t some =
        std::min({count, kStripe - file_end() % kStripe, std::uint64_t{kZeros.size()}});
    LAB_TRY(scan(std::span(kZeros).first(some)));
    count -= some;
  }
  return ok();
}

/// At the end of a stripe, behind which nothing is open and before which there are only zeros.
bool Census::in_zeros() const {
  return file_end() % kStripe == 0 && buffer_.size() == kHistory && !open_ && candidates_.empty() &&
         std::all_of(buffer_.begin(), buffer_.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

Status Census::end_file() {
  LAB_CHECK(gear_.has_value(), "the end of no file");
  LAB_TRY(work(true));
  gear_.reset();
  return ok();
}

Status Census::work(bool last) {
  gear_->feed(std::span(buffer_).subspan(gear_->position() - base_), candidates_);
  if (open_) {
    LAB_TRY(load(open_->original));
    if (!follow(*open_, last)) open_.reset();
  }
  std::size_t done = 0;
  for (; done < candidates_.size() && !open_; ++done) {
    const Candidate& candidate = candidates_[done];
    // Bytes before the claimed ones belong to a match; a slice that reaches into them is looked at.
    if (candidate.position > claimed_ && candidate.position >= kSliceBytes &&
        candidate.strength >= index_.bits())
      LAB_TRY(try_slice(candidate, last));
  }
  candidates_.erase(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(done));
  if (!last && buffer_.size() > kHistory) {
    const std::size_t gone = buffer_.size() - kHistory;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(gone));
    base_ += gone;
  }
  return ok();
}

Status Census::load(std::uint32_t original) {
  if (loaded_ == original) return ok();
  loaded_.reset();
  auto bytes = bytes_of_(originals_[original].number);
  if (!bytes) return std::move(bytes).error();
  if (bytes->size() != originals_[original].size)
    return Error{ErrorCode::kCorruption, "scan.census",
                 fmt::format("object {} had {} bytes and has {} now", originals_[original].number,
                             originals_[original].size, bytes->size())};
  known_ = *bytes;
  loaded_ = original;
  return ok();
}

Status Census::try_slice(const Candidate& candidate, bool last) {
  const auto place = index_.find(at(candidate.position), candidate.strength);
  if (!place) return ok();
  LAB_TRY(load(place->original));
  Match match{place->original, candidate.position - kSliceBytes, place->end - kSliceBytes};
  if (std::memcmp(at(match.file), known_.data() + match.offset, kSliceBytes) != 0) {
    false_hits_ += 1;
    return ok();
  }
  if (match.file < claimed_) {  // Its first bytes were taken for the end of another match.
    match.offset += claimed_ - match.file;
    match.file = claimed_;
  }
  extend_back(match);
  claimed_ = match.file;
  if (follow(match, last)) open_ = match;
  return ok();
}

/// What lies before the match, back to its own start, an earlier match, or more than a gap of other bytes.
void Census::extend_back(Match match) {
  const std::uint64_t limit = std::max(claimed_, base_);
  while (match.offset > 0) {
    const std::size_t equal = equal_behind(at(match.file), known_.data() + match.offset,
                                           std::min(match.file - limit, match.offset));
    credit(match.original, match.offset - equal, match.offset);
    match.file -= equal;
    match.offset -= equal;
    const std::size_t sample = std::min<std::uint64_t>(match.offset, kSample);
    const std::uint64_t from = match.file - std::min<std::uint64_t>(match.file - limit, kGap + sample);
    if (sample < kSampleMin || match.file - from < sample) return;
    const std::byte* wanted = known_.data() + match.offset - sample;
    const auto* found = std::find_end(at(from), at(match.file), wanted, wanted + sample);
    if (found == at(match.file)) return;
    match.file = from + static_cast<std::uint64_t>(found - at(from)) + sample;
  }
}

/// Goes forward from the match to where it ends, and claims that. True if it depends on bytes still to come.
bool Census::follow(Match& match, bool last) {
  while (true) {
    const std::size_t equal = equal_ahead(at(match.file), known_.data() + match.offset,
                                          std::min(file_end() - match.file, known_.size() - match.offset));
    credit(match.original, match.offset, match.offset + equal);
    match.file += equal;
    match.offset += equal;
    claimed_ = match.file;
    if (match.offset == known_.size()) return false;
    if (!last && file_end() - match.file < kGap + kSample) return true;
    if (!jump(match)) return false;
  }
}

/// Over other bytes to where the original goes on. Where chance has made the bytes before the gap equal too,
/// the original goes on a little later there than in the file: the difference has been credited already.
bool Census::jump(Match& match) const {
  const std::size_t sample = std::min<std::uint64_t>(known_.size() - match.offset, kSample);
  if (sample < kSampleMin) return false;
  const std::byte* wanted = known_.data() + match.offset;
  const std::byte* from = at(match.file);
  const std::byte* until = from + std::min<std::uint64_t>(file_end() - match.file, kGap + kSample);
  const auto* found = std::search(from, until, wanted, wanted + sample);
  if (found == until) return false;
  match.file += static_cast<std::uint64_t>(found - from);
  return true;
}

void Census::credit(std::uint32_t original, std::uint64_t begin, std::uint64_t end) {
  Original& counted = originals_[original];
  counted.located += end - begin;
  classes_[file_class_].located += as_size(end - begin);
  const std::uint64_t parts = parts_of(counted.size);
  const auto begin_of = [&](std::uint64_t part) { return counted.size * part / parts; };
  for (std::uint64_t part = begin * parts / counted.size; begin < end; ++part) {
    const std::uint64_t until = std::min(end, begin_of(part + 1));
    if (until <= begin) continue;  // Rounding has named the part before.
    parts_[counted.first_part + part] += until - begin;
    begin = until;
  }
}

CensusResult Census::result() const {
  LAB_CHECK(frozen_ && !gear_, "a result before the end");
  CensusResult result;
  for (std::size_t i = 0; i < originals_.size(); ++i) {
    const Original& original = originals_[i];
    OriginalCount count{original.number, as_size(original.size), original.expected, {}};
    if (index_.usable_of()[i] == 0) {
      result.uncountable += 1;
      result.originals.push_back(count);
      continue;
    }
    std::optional<std::uint64_t> whole;
    const std::uint64_t parts = parts_of(original.size);
    for (std::uint64_t part = 0; part < parts; ++part) {
      const std::uint64_t size = original.size * (part + 1) / parts - original.size * part / parts;
      const std::uint64_t times = parts_[original.first_part + part] / size;
      whole = std::min(whole.value_or(times), times);
    }
    count.found = OriginalFound{as_size(original.located), *whole};
    result.originals.push_back(count);
    result.expected += as_size(original.size * original.expected);
    result.not_found += original.located == 0 ? 1 : 0;
  }
  result.classes = classes_;
  for (const ClassCount& counted : classes_) result.located += counted.located;
  result.slices = index_.usable();
  result.ambiguous_slices = index_.ambiguous();
  result.false_hits = false_hits_;
  result.slice_distance = std::uint64_t{1} << index_.bits();
  result.memory_per_slice = kMemoryPerSlice;
  return result;
}

}  // namespace lab
