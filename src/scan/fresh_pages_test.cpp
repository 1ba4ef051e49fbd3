// SPDX-License-Identifier: Apache-2.0
#include "scan/fresh_pages.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace lab::scan {
namespace {

TEST(FreshPages, AreThereBeforeTheyAreTouchedAndNotManyMore) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  constexpr std::size_t kBytes = 64U << 20U;
  void* const mapped = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  const auto resident = [&] {
    std::vector<unsigned char> pages(kBytes / page);
    EXPECT_EQ(::mincore(mapped, kBytes, pages.data()), 0);
    return page * static_cast<std::size_t>(
                      std::count_if(pages.begin(), pages.end(), [](unsigned char one) { return one & 1U; }));
  };
  if (::madvise(mapped, page, MADV_POPULATE_WRITE) != 0)
    GTEST_SKIP() << "the system gives pages at their first touch only: " << std::strerror(errno);
  ASSERT_EQ(::madvise(mapped, page, MADV_DONTNEED), 0);
  FreshPages fresh;
  // It begins and ends within a page: of those nothing is asked.
  fresh.begin({static_cast<std::byte*>(mapped) + 100, kBytes - 200});
  fresh.reach(1);
  EXPECT_GE(resident(), 60U << 10U);
  EXPECT_LE(resident(), 64U << 10U);
  for (const std::size_t end : {std::size_t{1} << 20U, std::size_t{20} << 20U, kBytes - 200}) {
    fresh.reach(end);
    EXPECT_GE(resident() + 2 * page, std::min(end, kBytes - 200));
    EXPECT_LE(resident(), end + std::min(end / 4, std::size_t{2} << 20U) + page);
  }
  EXPECT_EQ(::munmap(mapped, kBytes), 0);
}

}  // namespace
}  // namespace lab::scan
