// SPDX-License-Identifier: Apache-2.0
#include "scan/page_cache.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

namespace lab::scan {
namespace {

// The scan has two of them in the cache, and those of which workers still read a part; a window costs a
// mapping and a byte a page.
constexpr std::uint64_t kWindow = 64ULL << 20U;

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

}  // namespace

CacheKeeper::~CacheKeeper() {
  for (const Window& window : windows_) drop(window);
}

void CacheKeeper::begin(std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  looked_ = std::max(looked_, offset - offset % kWindow);
  while (looked_ < std::min(size_, offset + kWindow)) {
    windows_.push_back(look(looked_));
    looked_ = windows_.back().end;
  }
}

void CacheKeeper::end(std::uint64_t begin, std::uint64_t end) {
  std::deque<Window> done;
  {
    const std::lock_guard lock(mutex_);
    later_[begin] = std::max(later_[begin], end);
    while (!later_.empty() && later_.begin()->first <= read_) {
      read_ = std::max(read_, later_.begin()->second);
      later_.erase(later_.begin());
    }
    while (!windows_.empty() && windows_.front().end <= read_) {
      done.push_back(std::move(windows_.front()));
      windows_.pop_front();
    }
  }
  for (const Window& window : done) drop(window);
}

CacheKeeper::Window CacheKeeper::look(std::uint64_t begin) const {
  Window window{begin, std::min(begin + kWindow, size_), {}};
  const std::uint64_t length = window.end - window.begin;
  const std::uint64_t pages = (length + page_size() - 1) / page_size();
  const auto cached = cached_pages(descriptor_, begin, length);
  if (cached == pages) return window;  // Nothing of it will be dropped.
  if (cached == 0) {
    window.resident.resize(pages);
    return window;
  }
  void* const mapped = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, descriptor_, static_cast<off_t>(begin));
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
