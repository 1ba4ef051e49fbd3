// SPDX-License-Identifier: Apache-2.0
#include "scan/reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <new>
#include <optional>
#include <system_error>

#include "core/files.hpp"
#include "scan/fingerprint.hpp"

namespace lab::scan {
namespace {

constexpr std::size_t kHolesMost = 1U << 18U;
constexpr std::uint64_t kHoleStep = 1ULL << 36U;
constexpr std::uint64_t kPiecesOfAStep = 64;
constexpr std::size_t kDirectAlignment = 4096;  // Enough for disks with blocks of 512 bytes and of 4 KiB.

/// As in /proc: such a file would be counted as an empty one.
constexpr const char* kHiddenBytes = "it has bytes, although its size is told as 0: they are not read";

std::string words_of(int number) { return std::generic_category().message(number); }

bool has_byte_at(int descriptor, std::uint64_t offset) {
  std::byte byte{};
  return ::pread(descriptor, &byte, 1, static_cast<off_t>(offset)) > 0;
}

}  // namespace

void Reader::Free::operator()(std::byte* memory) const noexcept { std::free(memory); }

Reader::Reader(const ReadOptions& options)
    : options_(options),
      piece_(options.direct ? kDirectPiece : kPiece),
      buffer_(static_cast<std::byte*>(std::aligned_alloc(kDirectAlignment, piece_))) {
  if (buffer_ == nullptr) throw std::bad_alloc();
}

std::string hidden_bytes(const ScanFile& file) {
  const FileHandle handle(::open(file.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!handle || !has_byte_at(handle.get(), 0)) return {};
  return file.path.string() + ": " + kHiddenBytes;
}

HoleMap::HoleMap(int descriptor, std::uint64_t begin, std::uint64_t end) {
  while (begin < end && holes_.size() < kHolesMost) {
    const off_t data = ::lseek(descriptor, static_cast<off_t>(begin), SEEK_DATA);
    // ENXIO: no data behind it. Any other error: the file system does not know holes.
    if (data < 0 && errno != ENXIO) return;
    const std::uint64_t next = data < 0 ? end : std::min(static_cast<std::uint64_t>(data), end);
    if (next > begin) holes_.push_back({begin, next});
    if (next == end) return;
    const off_t hole = ::lseek(descriptor, data, SEEK_HOLE);
    if (hole <= data) return;
    begin = static_cast<std::uint64_t>(hole);
  }
}

HoleMap::Extent HoleMap::at(std::uint64_t offset) const {
  const auto next = std::upper_bound(holes_.begin(), holes_.end(), offset,
                                     [](std::uint64_t at, const Hole& hole) { return at < hole.end; });
  if (next == holes_.end()) return {false, std::numeric_limits<std::uint64_t>::max()};
  if (next->begin > offset) return {false, next->begin};
  return {true, next->end};
}

Result<ReadOutcome> Reader::read(const ScanFile& file, const Range& range, ByteSink& sink,
                                 const std::stop_token& stop) {
  ReadOutcome outcome;
  // O_NONBLOCK: a file that has become a pipe meanwhile must not hold up the scan.
  const int flags = O_RDONLY | O_NONBLOCK | (options_.direct ? O_DIRECT : 0);
  const FileHandle handle(::open(file.path.c_str(), flags | O_CLOEXEC));
  if (!handle && options_.direct && errno == EINVAL)
    return Error{ErrorCode::kUnsupported, "scan",
                 "--direct: " + file.path.string() + " lies on a file system without O_DIRECT"};
  if (!handle) {
    outcome.problem = words_of(errno);
    return outcome;
  }
  struct stat info{};
  if (::fstat(handle.get(), &info) != 0 || !(file.device ? S_ISBLK(info.st_mode) : S_ISREG(info.st_mode))) {
    outcome.problem = "it is another kind of file now";
    return outcome;
  }
  outcome.opened = true;
  if (range.begin == range.end && has_byte_at(handle.get(), range.begin)) outcome.problem = kHiddenBytes;
  LAB_TRY(read_parts(handle.get(), file, range, sink, stop, outcome));
  if (outcome.problem.empty() && ::fstat(handle.get(), &info) == 0)
    outcome.problem = changed_since(file, info);
  return outcome;
}

Status Reader::read_parts(int descriptor, const ScanFile& file, const Range& range, ByteSink& sink,
                          const std::stop_token& stop, ReadOutcome& outcome) {
  HoleMap own_holes;
  if (range.holes == nullptr && !file.device) own_holes = HoleMap(descriptor, range.begin, range.end);
  const HoleMap& holes = range.holes == nullptr ? own_holes : *range.holes;
  std::optional<CacheKeeper> own_cache;
  CacheKeeper* cache = range.cache;
  // Of all of the file: the kernel may read further than the range.
  if (cache == nullptr && !options_.direct && !file.device && !options_.again)
    cache = &own_cache.emplace(descriptor, file.size);
  if (!options_.direct) static_cast<void>(::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL));
  const auto give = [&](std::span<const std::byte> bytes) { return sink.bytes(bytes); };
  std::uint64_t at = range.begin;
  while (at < range.end && outcome.problem.empty()) {
    const HoleMap::Extent extent = holes.at(at);
    const std::uint64_t end = std::min(extent.end, range.end);
    // In steps, so that a stop and the cache keeper do not wait for a whole disk.
    const std::uint64_t step =
        extent.hole ? std::min(end, at + kHoleStep) : std::min(end, (at / piece_ + kPiecesOfAStep) * piece_);
    if (extent.hole) {
      LAB_TRY(read_hole(descriptor, {.begin = at, .end = step, .hole = range.hole, .cache = cache}, sink,
                        stop, outcome));
    } else {
      if (cache != nullptr) cache->begin(at);
      LAB_TRY(read_data(descriptor, at, step, stop, outcome, give));
    }
    if (cache != nullptr) cache->end(at, step);
    at = step;
  }
  return ok();
}

Status Reader::read_hole(int descriptor, const Range& range, ByteSink& sink, const std::stop_token& stop,
                         ReadOutcome& outcome) {
  if (stop.stop_requested()) return Error{ErrorCode::kCancelled, "scan"};
  std::uint64_t end = range.end;
  struct stat info{};
  // A file that was cut short has no data there either.
  if (::fstat(descriptor, &info) == 0)
    end = std::clamp(static_cast<std::uint64_t>(info.st_size), range.begin, range.end);
  const auto give_zeros = [&](std::uint64_t count) {
    outcome.hole_bytes += count;
    return sink.zeros(count);
  };
  std::uint64_t at = range.begin;
  const auto give = [&](std::span<const std::byte> bytes) {
    at += bytes.size();
    if (all_zero(bytes)) return give_zeros(bytes.size());
    if (!range.hole) return sink.bytes(bytes);
    outcome.problem =
        fmt::format("not read from byte {} on: it was written to where it had a hole", at - bytes.size());
    return ok();
  };
  while (at < end && outcome.problem.empty()) {
    const off_t found = ::lseek(descriptor, static_cast<off_t>(at), SEEK_DATA);
    // Where it does not tell any more, the bytes do.
    const std::uint64_t nothing = errno == ENXIO ? end : at;
    const std::uint64_t data = found < 0 ? nothing : std::min(static_cast<std::uint64_t>(found), end);
    outcome.bytes += data - at;
    if (data > at) LAB_TRY(give_zeros(data - at));
    at = data;
    if (at == end) break;
    const off_t next = ::lseek(descriptor, static_cast<off_t>(at), SEEK_HOLE);
    const std::uint64_t until =
        found < 0 || next <= found ? end : std::min(static_cast<std::uint64_t>(next), end);
    if (range.cache != nullptr) range.cache->begin(at);
    LAB_TRY(read_data(descriptor, at, until, stop, outcome, give));
  }
  if (end < range.end && outcome.problem.empty())
    outcome.problem = fmt::format("not read from byte {} on: it has become shorter", end);
  return ok();
}

template <class Take>
Status Reader::read_data(int descriptor, std::uint64_t begin, std::uint64_t end, const std::stop_token& stop,
                         ReadOutcome& outcome, Take take) {
  std::uint64_t at = begin;
  while (at < end) {
    if (stop.stop_requested()) return Error{ErrorCode::kCancelled, "scan"};
    // Pieces end at multiples of their size: no block of a usual size lies in two of them.
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece_ - at % piece_, end - at));
    // O_DIRECT reads whole sectors, also where the file ends within one.
    const std::size_t asked =
        options_.direct ? (wanted + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment : wanted;
    const ssize_t got = ::pread(descriptor, buffer_.get(), asked, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      outcome.problem = fmt::format("not read from byte {} on: {}", at,
                                    got < 0 ? words_of(errno) : std::string("it has become shorter"));
      return ok();
    }
    const std::size_t taken = std::min(wanted, static_cast<std::size_t>(got));
    LAB_TRY(take(std::span<const std::byte>(buffer_.get(), taken)));
    if (!outcome.problem.empty()) return ok();
    outcome.bytes += taken;
    at += taken;
  }
  return ok();
}

}  // namespace lab::scan
