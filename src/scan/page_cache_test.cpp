// SPDX-License-Identifier: Apache-2.0
#include "scan/page_cache.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

#include "scan/naive_count_test_support.hpp"

namespace lab::scan {
namespace {

constexpr std::size_t kPages = 512;
constexpr std::size_t kPage = 4096;

std::vector<bool> resident(int descriptor) {
  void* const mapped = ::mmap(nullptr, kPages * kPage, PROT_READ, MAP_SHARED, descriptor, 0);
  EXPECT_NE(mapped, MAP_FAILED);
  std::vector<unsigned char> pages(kPages);
  EXPECT_EQ(::mincore(mapped, kPages * kPage, pages.data()), 0);
  ::munmap(mapped, kPages * kPage);
  std::vector<bool> all;
  for (const unsigned char page : pages) all.push_back((page & 1U) != 0);
  return all;
}

TEST(PageCache, HasAfterAScanWhatItHadBefore) {
  // A file system in memory has no page without its cache.
  const std::filesystem::path path = "page_cache_test.data";
  ASSERT_TRUE(write_file_atomic(path, std::string(kPages * kPage, 'a')));
  struct statfs system{};
  ASSERT_EQ(::statfs(path.c_str(), &system), 0);
  if (system.f_type == TMPFS_MAGIC) GTEST_SKIP() << "the build directory is in memory";
  const auto file = open_file(path, O_RDWR);
  ASSERT_TRUE(file);
  ASSERT_EQ(::fsync(file->get()), 0);
  ASSERT_EQ(::posix_fadvise(file->get(), 0, 0, POSIX_FADV_DONTNEED), 0);
  ASSERT_EQ(::posix_fadvise(file->get(), 0, 0, POSIX_FADV_RANDOM), 0);
  std::string some(16 * kPage, '\0');
  ASSERT_EQ(::pread(file->get(), some.data(), some.size(), 64 * kPage), static_cast<ssize_t>(some.size()));
  const auto before = resident(file->get());
  const auto count = std::count(before.begin(), before.end(), true);
  ASSERT_GT(count, 0);
  ASSERT_LT(count, std::ssize(before));
  CacheKeeper keeper(file->get(), kPages * kPage);
  keeper.begin(0);
  std::string all(kPages * kPage, '\0');
  ASSERT_EQ(::pread(file->get(), all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
  const auto meanwhile = resident(file->get());
  ASSERT_EQ(std::count(meanwhile.begin(), meanwhile.end(), true), std::ssize(before));
  keeper.end(0, kPages * kPage);
  // Large pages of the cache are dropped whole or not at all, so that a few more may stay; none may be lost.
  const auto after = resident(file->get());
  for (std::size_t page = 0; page < kPages; ++page)
    if (before[page]) {
      EXPECT_TRUE(after[page]) << page;
    }
  EXPECT_LT(std::count(after.begin(), after.end(), true), std::ssize(before) / 2);
  // What had no page has none, and what had them all has them all.
  const auto left_after_a_scan = [&] {
    CacheKeeper whole(file->get(), kPages * kPage);
    whole.begin(0);
    EXPECT_EQ(::pread(file->get(), all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
    whole.end(0, kPages * kPage);
    const auto left = resident(file->get());
    return std::count(left.begin(), left.end(), true);
  };
  ASSERT_EQ(::posix_fadvise(file->get(), 0, 0, POSIX_FADV_DONTNEED), 0);
  EXPECT_EQ(left_after_a_scan(), 0);
  ASSERT_EQ(::pread(file->get(), all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
  EXPECT_EQ(left_after_a_scan(), std::ssize(before));
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace lab::scan
