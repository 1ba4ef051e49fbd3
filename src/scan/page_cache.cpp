// SPDX-License-Identifier: Apache-2.0
#include "scan/page_cache.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>

namespace lab::scan {
namespace {

// The scan has at most two of them in the cache; a window costs a mapping and a byte a page.
constexpr std::uint64_t kWindow = 64ULL << 20U;

constexpr std::uint64_t kAheadStep = 256ULL << 10U;  // More at once the kernel may cut short.

std::uint64_t page_size() {
  static const auto kSize = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return kSize;
}

/// How many pages of the range are in the cache; nullopt where the kernel does not tell: before Linux 6.5,
/// and of files that this user may not write. Where all are, or none, mincore takes several times as long.
std::optional<std::uint64_t> cached_pages(int descriptor, std::uint64_t begin, std::uint64_t length) {
  constexpr long kCachestat = 451;  // On x86-64, arm64 and most others; glibc 2.36 has no name for it.
  struct Range {
    std::uint64_t offset;
    std::uint64_t length;
  };
  struct Counts {
    std::uint64_t cached, dirty, writeback, evicted, recently_evicted;
  };
  Range range{begin, length};
  Counts counts{};
  if (::syscall(kCachestat, descriptor, &range, &counts, 0U) != 0) return std::nullopt;
  return counts.cached;
}

/// Of a file that is neither this user's nor may be written to, it says that all pages are in the cache.
bool mincore_tells(int descriptor) {
  struct stat info{};
  return (::fstat(descriptor, &info) == 0 && info.st_uid == ::geteuid()) ||
         ::access(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), W_OK) == 0;
}

}  // namespace

CacheKeeper::CacheKeeper(int descriptor, std::uint64_t begin, std::uint64_t end)
    : descriptor_(descriptor), end_(end) {
  now_ = look(begin - begin % page_size());
  next_ = look(now_.end);
}

void CacheKeeper::read_up_to(std::uint64_t offset) {
  while (now_.begin < now_.end && offset >= now_.end) {
    drop(now_);
    now_ = std::move(next_);
    next_ = look(now_.end);
  }
}

void CacheKeeper::read_ahead(std::uint64_t begin, std::uint64_t end) const {
  while (begin < end) {
    const std::uint64_t next = std::min(begin - begin % kAheadStep + kAheadStep, end);
    if (missing(begin, next))
      static_cast<void>(::posix_fadvise(descriptor_, static_cast<off_t>(begin),
                                        static_cast<off_t>(next - begin), POSIX_FADV_WILLNEED));
    begin = next;
  }
}

/// Of a range within the two windows.
bool CacheKeeper::missing(std::uint64_t begin, std::uint64_t end) const {
  for (const Window* window : {&now_, &next_}) {
    if (window->resident.empty()) continue;
    const std::uint64_t first = std::max(begin, window->begin);
    const std::uint64_t last = std::min(end, window->end);
    for (std::uint64_t at = first; at < last; at += page_size())
      if ((window->resident[(at - window->begin) / page_size()] & 1U) == 0) return true;
  }
  return false;
}

CacheKeeper::Window CacheKeeper::look(std::uint64_t begin) {
  Window window{begin, std::min(begin + kWindow, std::max(begin, end_)), {}};
  const std::uint64_t length = window.end - window.begin;
  if (length == 0) return window;
  const std::uint64_t pages = (length + page_size() - 1) / page_size();
  const auto cached = cached_pages(descriptor_, begin, length);
  if (cached == pages) return window;  // Nothing of it will be dropped.
  if (cached == 0) {
    window.resident.resize(pages);
    return window;
  }
  void* const mapped = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, descriptor_, static_cast<off_t>(begin));
  known_ = known_ && (cached || mincore_tells(descriptor_));
  if (mapped == MAP_FAILED) return window;
  window.resident.resize(pages);
  if (::mincore(mapped, length, window.resident.data()) != 0) window.resident.clear();
  ::munmap(mapped, length);
  return window;
}

void CacheKeeper::drop(const Window& window) const {
  std::size_t page = 0;
  while (page < window.resident.size()) {
    std::size_t end = page;
    while (end < window.resident.size() && (window.resident[end] & 1U) == 0) ++end;
    if (end > page)
      static_cast<void>(::posix_fadvise(descriptor_, static_cast<off_t>(window.begin + page * page_size()),
                                        static_cast<off_t>((end - page) * page_size()), POSIX_FADV_DONTNEED));
    page = end + 1;
  }
}

}  // namespace lab::scan
