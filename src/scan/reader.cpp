// SPDX-License-Identifier: Apache-2.0
#include "scan/reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <optional>
#include <system_error>

#include "core/files.hpp"
#include "scan/page_cache.hpp"

namespace lab::scan {
namespace {

constexpr std::uint64_t kHoleStep = 1ULL << 30U;
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

std::uint64_t Reader::end_of_extent(int descriptor, const ScanFile& file, std::uint64_t offset,
                                    std::uint64_t end, bool& hole) {
  hole = false;
  if (data_.path == file.path && offset >= data_.begin && offset < data_.end) {
    const std::uint64_t known = std::min(end, data_.end);
    struct stat info{};
    // Of one that was cut short it is asked again.
    if (::fstat(descriptor, &info) == 0 && static_cast<std::uint64_t>(info.st_size) >= known) return known;
  }
  const off_t data = ::lseek(descriptor, static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0) {
    hole = errno == ENXIO;  // No data behind it. Any other error: the file system does not know holes.
    return end;
  }
  hole = static_cast<std::uint64_t>(data) > offset;
  if (hole) return std::min(end, static_cast<std::uint64_t>(data));
  const off_t next = ::lseek(descriptor, static_cast<off_t>(offset), SEEK_HOLE);
  if (next < 0) return end;
  data_ = {file.path, offset, static_cast<std::uint64_t>(next)};
  return std::min(end, data_.end);
}

std::string hidden_bytes(const ScanFile& file) {
  const FileHandle handle(::open(file.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!handle || !has_byte_at(handle.get(), 0)) return {};
  return file.path.string() + ": " + kHiddenBytes;
}

std::uint64_t hole_at(int descriptor, std::uint64_t offset, std::uint64_t size) {
  const off_t data = ::lseek(descriptor, static_cast<off_t>(offset), SEEK_DATA);
  if (data >= 0) return std::min(static_cast<std::uint64_t>(data), size) - offset;
  return errno == ENXIO ? size - offset : 0;
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
  std::optional<CacheKeeper> own;
  CacheKeeper* cache = range.cache;
  if (cache == nullptr && !options_.direct && !file.device && !options_.again)
    cache = &own.emplace(descriptor, range.end);
  if (!options_.direct) static_cast<void>(::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL));
  std::uint64_t at = range.begin;
  while (at < range.end && outcome.problem.empty()) {
    bool hole = false;
    const std::uint64_t extent =
        file.device ? range.end : end_of_extent(descriptor, file, at, range.end, hole);
    // In steps, so that a stop and the cache keeper do not wait for a whole disk.
    const std::uint64_t step =
        hole ? std::min(extent, at + kHoleStep) : std::min(extent, (at / piece_ + kPiecesOfAStep) * piece_);
    if (hole) {
      // A file that was cut short has no data there either.
      struct stat info{};
      if (::fstat(descriptor, &info) == 0 && static_cast<std::uint64_t>(info.st_size) < extent) {
        outcome.problem = changed_since(file, info);
        break;
      }
      if (stop.stop_requested()) return Error{ErrorCode::kCancelled, "scan"};
      LAB_TRY(sink.zeros(step - at));
      outcome.bytes += step - at;
      outcome.hole_bytes += step - at;
    } else if (range.hole) {
      outcome.problem = fmt::format("not read from byte {} on: it was a hole before", at);
      break;
    } else {
      if (cache != nullptr) cache->begin(at);
      LAB_TRY(read_data(descriptor, at, step, sink, stop, outcome));
    }
    if (cache != nullptr) cache->end(at, step);
    at = step;
  }
  if (cache != nullptr) cache->end(at, range.end);
  return ok();
}

Status Reader::read_data(int descriptor, std::uint64_t begin, std::uint64_t end, ByteSink& sink,
                         const std::stop_token& stop, ReadOutcome& outcome) {
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
    LAB_TRY(sink.bytes({buffer_.get(), taken}));
    outcome.bytes += taken;
    at += taken;
  }
  return ok();
}

}  // namespace lab::scan
