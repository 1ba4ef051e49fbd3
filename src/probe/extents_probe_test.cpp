// SPDX-License-Identifier: Apache-2.0
#include "probe/extents_probe.hpp"

#include <sys/vfs.h>

#include "probe/btrfs_probe.hpp"
#include "probe/testing/probe_fixture.hpp"

namespace lab {
namespace {

constexpr std::int64_t kFile = 128 << 10;

class Extents : public ProbeFixture {
 protected:
  std::int64_t size() {
    ExtentsProbe probe(roots(), Bytes{4096});
    return figure(probe);
  }
};

TEST_F(Extents, HolesAndHardLinksAddNothing) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  write_random(data_ / "a", kFile, 1);
  EXPECT_EQ(size(), kFile);
  std::filesystem::create_hard_link(data_ / "a", data_ / "b");
  std::ofstream(data_ / "sparse") << "";
  std::filesystem::resize_file(data_ / "sparse", 10 << 20);
  EXPECT_EQ(size(), kFile);
}

TEST_F(Extents, AFileOfMoreExtentsThanOneAnswerHoldsIsCountedWhole) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  constexpr int kBlocks = 700;
  const int file = ::open((data_ / "holes").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string block(4096, 'x');
  for (int number = 0; number < kBlocks; ++number)
    ASSERT_EQ(::pwrite(file, block.data(), block.size(), number * 8192LL), 4096);
  ::close(file);
  EXPECT_EQ(size(), kBlocks * 4096);
}

TEST_F(Extents, WhatTwoFilesShareCountsOnceAndAChangedBlockIsItsOwn) {
  for (const char* type : {"xfs", "btrfs"}) {
    SCOPED_TRACE(type);
    if (const std::string lacks = move_to(type); !lacks.empty()) GTEST_SKIP() << lacks;
    write_random(data_ / "a", kFile, 1);
    ASSERT_TRUE(clone_file(data_ / "a", data_ / "b"));
    ASSERT_TRUE(clone_file(data_ / "a", data_ / "below"));
    EXPECT_EQ(size(), kFile);
    const int file = ::open((data_ / "b").c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(::pwrite(file, "y", 1, 50'000), 1);
    ::close(file);
    EXPECT_EQ(size(), kFile + 4096);
  }
}

TEST_F(Extents, SubvolumesOfOneBtrfsShareOneAddressSpace) {
  if (const std::string lacks = move_to("btrfs"); !lacks.empty()) GTEST_SKIP() << lacks;
  const auto made = run_command({Clock::now() + Millis{30'000}, {}},
                                {.argv = {"btrfs", "subvolume", "create", (data_ / "sub").string()}});
  ASSERT_TRUE(made && made->exit_code == 0);
  write_random(data_ / "a", kFile, 1);
  ASSERT_TRUE(clone_file(data_ / "a", data_ / "sub/a"));
  EXPECT_EQ(size(), kFile);
}

TEST_F(Extents, ACompressedFileHasNoFigureByExtentsAndOneByTheTreeOfBtrfs) {
  if (const std::string lacks = move_to("btrfs", "compress-force=zstd"); !lacks.empty())
    GTEST_SKIP() << lacks;
  std::ofstream(data_ / "text") << std::string(1 << 20, 'x');
  ExtentsProbe extents(roots(), Bytes{4096});
  EXPECT_NE(refusal(extents).find("the probe 'btrfs' counts them"), std::string::npos);
  BtrfsProbe tree(roots(), Bytes{4096});
  const std::int64_t once = figure(tree);
  EXPECT_GT(once, 0);
  EXPECT_LT(once, 100'000);
  EXPECT_EQ(figure(tree, "btrfs:shared"), 0);
  ASSERT_TRUE(clone_file(data_ / "text", data_ / "again"));
  EXPECT_EQ(figure(tree), once);
  EXPECT_EQ(figure(tree, "btrfs:exclusive") + figure(tree, "btrfs:shared"), once);
  EXPECT_EQ(figure(tree, "btrfs:shared"), once);
}

TEST_F(Extents, AFileInsideTheMetadataOfBtrfsCountsByItsLength) {
  if (const std::string lacks = move_to("btrfs"); !lacks.empty()) GTEST_SKIP() << lacks;
  std::ofstream(data_ / "small") << std::string(100, 'x');
  EXPECT_GE(size(), 100);
  EXPECT_LE(size(), 4096);
  BtrfsProbe tree(roots(), Bytes{4096});
  EXPECT_EQ(figure(tree), 100);
}

TEST_F(Extents, AFileSystemThatDoesNotTellIsAReasonAndNotANumber) {
  if (::mount("tmpfs", data_.c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "needs the right to mount a tmpfs";
  std::ofstream(data_ / "a") << "x";
  ExtentsProbe extents(roots(), Bytes{4096});
  EXPECT_NE(refusal(extents).find("(tmpfs) does not tell where its extents lie"), std::string::npos);
  BtrfsProbe tree(roots(), Bytes{4096});
  EXPECT_NE(refusal(tree).find("the files lie on tmpfs, not on btrfs"), std::string::npos);
  ::umount2(data_.c_str(), MNT_DETACH);
}

TEST_F(Extents, AStopEndsTheWalk) {
  write_random(data_ / "a", 4096, 1);
  std::stop_source stop;
  stop.request_stop();
  ExtentsProbe extents(roots(), Bytes{4096});
  const auto figures = extents.read({Clock::time_point::max(), stop.get_token()});
  ASSERT_FALSE(figures);
  EXPECT_EQ(figures.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace lab
