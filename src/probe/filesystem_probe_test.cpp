// SPDX-License-Identifier: Apache-2.0
#include "probe/filesystem_probe.hpp"

#include <fcntl.h>

#include "core/files.hpp"
#include "probe/mount.hpp"
#include "probe/testing/probe_fixture.hpp"

namespace lab {
namespace {

constexpr std::int64_t kFile = 4 << 20;

using FileSystemUsed = ProbeFixture;

TEST_F(FileSystemUsed, GrowsByWhatIsWrittenAndByLittleMore) {
  for (const char* type : {"ext4", "xfs", "btrfs"}) {
    SCOPED_TRACE(type);
    if (const std::string lacks = move_to(type); !lacks.empty()) GTEST_SKIP() << lacks;
    FilesystemProbe probe(roots(), Bytes{4096});
    const std::int64_t empty = figure(probe);
    probe.set_reference();
    write_random(data_ / "a", kFile, 1);
    const std::int64_t grown = figure(probe) - empty;
    EXPECT_GE(grown, kFile);
    EXPECT_LE(grown, kFile + (256 << 10));
    EXPECT_EQ(probe.uncertain(), std::nullopt) << "nobody else is there";
  }
}

TEST_F(FileSystemUsed, AReflinkAddsNothing) {
  if (const std::string lacks = move_to("xfs"); !lacks.empty()) GTEST_SKIP() << lacks;
  write_random(data_ / "a", kFile, 1);
  FilesystemProbe probe(roots(), Bytes{4096});
  const std::int64_t before = figure(probe);
  ASSERT_TRUE(clone_file(data_ / "a", data_ / "b"));
  EXPECT_LE(figure(probe) - before, 64 << 10);
}

TEST_F(FileSystemUsed, IsRefusedWhereAStrangerWritesIntoTheSameMount) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  write_random(data_.parent_path() / "stranger/old", kFile, 2);
  FilesystemProbe probe(roots(), Bytes{4096});
  const std::int64_t empty = figure(probe);
  probe.set_reference();
  write_random(data_ / "a", kFile, 1);
  EXPECT_GE(figure(probe) - empty, kFile) << "our own growth is none of a stranger's";
  ASSERT_TRUE(probe.uncertain().has_value());
  EXPECT_LT(probe.uncertain()->count, 64 << 10);
  write_random(data_.parent_path() / "stranger/new", kFile, 3);
  EXPECT_NE(refusal(probe).find("is shared (with " + (data_.parent_path() / "stranger").string() + ")"),
            std::string::npos);
  EXPECT_EQ(probe.uncertain(), std::nullopt);
  std::filesystem::remove(data_.parent_path() / "stranger/new");
  EXPECT_GE(figure(probe) - empty, kFile);
  std::filesystem::remove(data_.parent_path() / "stranger/old");
  EXPECT_FALSE(refusal(probe).empty()) << "what a stranger frees is not ours either";
}

TEST_F(FileSystemUsed, WhatLiesInNoFolderIsNotTakenForOurs) {
  for (const char* type : {"ext4", "xfs"}) {
    SCOPED_TRACE(type);
    if (const std::string lacks = move_to(type); !lacks.empty()) GTEST_SKIP() << lacks;
    FilesystemProbe probe(roots(), Bytes{4096});
    const std::int64_t empty = figure(probe);
    probe.set_reference();
    write_random(data_ / "a", kFile, 1);
    EXPECT_GE(figure(probe) - empty, kFile);
    const auto nameless = file_system_->top() / "nameless";
    write_random(nameless, kFile, 2);
    {
      const auto open = open_file(nameless, O_RDONLY | O_CLOEXEC);
      ASSERT_TRUE(open);
      std::filesystem::remove(nameless);
      EXPECT_NE(refusal(probe).find("in none of the system's files"), std::string::npos);
      probe.set_reference();
    }
    EXPECT_NE(refusal(probe).find("in none of the system's files"), std::string::npos)
        << "what a stranger frees is not ours either";
  }
}

TEST_F(FileSystemUsed, WhatLiesInLostAndFoundIsNotTakenForOurs) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  FilesystemProbe probe(roots(), Bytes{4096});
  EXPECT_GT(figure(probe), 0);
  probe.set_reference();
  write_random(file_system_->top() / "lost+found/theirs", kFile, 1);
  EXPECT_NE(refusal(probe).find("lost+found?"), std::string::npos);
}

TEST_F(FileSystemUsed, ManySmallFilesOfOursAreNotTakenForAStranger) {
  for (const char* type : {"ext4", "xfs"}) {
    SCOPED_TRACE(type);
    if (const std::string lacks = move_to(type); !lacks.empty()) GTEST_SKIP() << lacks;
    FilesystemProbe probe(roots(), Bytes{4096});
    const std::int64_t empty = figure(probe);
    probe.set_reference();
    for (int number = 0; number < 400; ++number)
      write_random(data_ / std::to_string(number), 4'096, static_cast<unsigned>(number));
    EXPECT_GE(figure(probe) - empty, 400 * 4'096);
    for (int number = 0; number < 400; ++number) std::filesystem::remove(data_ / std::to_string(number));
    EXPECT_GE(figure(probe), empty) << "and gone again";
  }
}

TEST_F(FileSystemUsed, WhatExtentsHasJustFoundIsTakenOnceAndNotWalkedForAgain) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  write_random(data_.parent_path() / "stranger", kFile, 2);
  const auto last = std::make_shared<LastExtents>();
  FilesystemProbe probe(roots(), Bytes{4096}, Millis{0}, last);
  *last = ExtentSize{Bytes{kFile}, 1};
  EXPECT_GT(figure(probe), 0);
  EXPECT_FALSE(last->has_value()) << "the next reading must not find it";
  probe.set_reference();
  *last = ExtentSize{Bytes{kFile}, 1};
  EXPECT_GT(figure(probe), 0);
  EXPECT_FALSE(refusal(probe).empty()) << "it walks by itself where nothing was found before it";
  ExtentsProbe extents(roots(), Bytes{4096}, last);
  write_random(data_ / "a", kFile, 1);
  EXPECT_EQ(figure(extents), kFile);
  ASSERT_TRUE(last->has_value());
  EXPECT_EQ((**last)->physical, Bytes{kFile});
}

TEST_F(FileSystemUsed, AStrangerWhoComesLaterIsSeen) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  FilesystemProbe probe(roots(), Bytes{4096});
  EXPECT_GT(figure(probe), 0);
  probe.set_reference();
  write_random(data_.parent_path() / "stranger", kFile, 2);
  EXPECT_NE(refusal(probe).find("moves by itself"), std::string::npos);
}

TEST_F(FileSystemUsed, SharingOfOurOwnFilesIsNotTakenForAStranger) {
  if (const std::string lacks = move_to("xfs"); !lacks.empty()) GTEST_SKIP() << lacks;
  write_random(data_.parent_path() / "stranger", kFile, 2);
  FilesystemProbe probe(roots(), Bytes{4096});
  const std::int64_t empty = figure(probe);
  probe.set_reference();
  write_random(data_ / "a", kFile, 1);
  for (const char* copy : {"b", "c", "d"}) ASSERT_TRUE(clone_file(data_ / "a", data_ / copy));
  const std::int64_t grown = figure(probe) - empty;
  EXPECT_GE(grown, kFile);
  EXPECT_LE(grown, kFile + (128 << 10));
}

TEST_F(FileSystemUsed, AStrangerIsFoundOnTheWayFromTheTopOfTheMount) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  const auto inner = data_ / "one/two";
  std::filesystem::create_directories(inner);
  const std::filesystem::path two[] = {inner};
  EXPECT_EQ(*find_stranger(two), std::nullopt) << "lost+found is of the file system itself";
  std::filesystem::create_directories(data_ / "other");
  EXPECT_EQ(*find_stranger(two), (data_ / "other").string());
  const std::filesystem::path both[] = {inner, data_ / "other"};
  EXPECT_EQ(*find_stranger(both), std::nullopt);
}

TEST(Mount, ALineOfTheKernelIsReadWithItsEscapes) {
  const std::string text =
      "22 27 0:20 / /sys rw - sysfs sysfs rw\n"
      "90 27 7:0 /a\\040b /mnt/x\\134y rw,relatime shared:1 master:2 - xfs /dev/loop0 rw,attr2\n";
  const auto mount = parse_mountinfo(text, 90);
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->root, "/a b");
  EXPECT_EQ(mount->point, "/mnt/x\\y");
  EXPECT_EQ(mount->type, "xfs");
  EXPECT_EQ(mount->source, "/dev/loop0");
  EXPECT_EQ(parse_mountinfo(text, 9), std::nullopt);
}

}  // namespace
}  // namespace lab
