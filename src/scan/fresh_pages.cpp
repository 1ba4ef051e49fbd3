// SPDX-License-Identifier: Apache-2.0
#include "scan/fresh_pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace lab::scan {
namespace {

constexpr std::size_t kLeast = 64U << 10U;
constexpr std::size_t kMost = 2U << 20U;

}  // namespace

void FreshPages::begin(std::span<std::byte> memory) noexcept {
  memory_ = memory;
  asked_ = 0;
}

void FreshPages::reach(std::size_t end) noexcept {
  if (end <= asked_) return;
  static const auto kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t wanted = std::min(end + std::clamp(end / 4, kLeast, kMost), memory_.size());
  const auto before = static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(memory_.data()) % kPage);
  // Whole pages only: the first and the last one may be shared with others.
  const std::size_t first = (before + asked_ + kPage - 1) / kPage * kPage - before;
  const std::size_t last = std::max((before + wanted) / kPage * kPage, before) - before;
#ifdef MADV_POPULATE_WRITE
  if (first < last) static_cast<void>(::madvise(memory_.data() + first, last - first, MADV_POPULATE_WRITE));
#endif
  asked_ = std::max(asked_, last);  // The page that it begins within is asked for next.
}

}  // namespace lab::scan
