// SPDX-License-Identifier: Apache-2.0
#include "probe/volume_probe.hpp"

#include <sys/stat.h>
#include <sys/vfs.h>

#include "probe/mount.hpp"
#include "probe/testing/probe_fixture.hpp"

namespace lab {
namespace {

constexpr std::int64_t kFile = 8 << 20;
constexpr std::int64_t kSlack = 512 << 10;  // Journal and metadata.

class VolumeBelow : public ProbeFixture {
 protected:
  std::shared_ptr<const Volume> volume() const {
    return std::make_shared<const Volume>(file_system_->image());
  }
  void remove_and_sync() const {
    std::filesystem::remove(data_ / "a");
    EXPECT_TRUE(sync_file_system(data_));
  }
};

TEST_F(VolumeBelow, KeepsWhatWasDeletedUntilItIsTrimmed) {
  for (const char* type : {"ext4", "xfs"}) {
    SCOPED_TRACE(type);
    if (const std::string lacks = move_to(type); !lacks.empty()) GTEST_SKIP() << lacks;
    TrimmedVolumeProbe trimmed(roots(), volume(), nullptr);
    VolumeProbe plain(roots(), volume(), nullptr, {});
    const std::int64_t empty = figure(trimmed);
    EXPECT_EQ(figure(plain), empty);
    plain.set_reference();
    write_random(data_ / "a", kFile, 1);
    const std::int64_t full = figure(plain);
    EXPECT_GE(full - empty, kFile);
    EXPECT_LE(full - empty, kFile + kSlack);
    EXPECT_NEAR(static_cast<double>(figure(trimmed)), static_cast<double>(full), kSlack);
    remove_and_sync();
    EXPECT_GE(figure(plain) - empty, kFile) << "the volume does not know what is free";
    EXPECT_LE(figure(trimmed) - empty, kSlack);
    EXPECT_LE(figure(plain) - empty, kSlack) << "a volume that was trimmed hides nothing";
  }
}

TEST_F(VolumeBelow, GrowthIntoBlocksThatItHadFromBeforeIsNotCalledDeduplication) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  write_random(data_ / "a", kFile, 1);
  remove_and_sync();
  VolumeProbe probe(roots(), volume(), nullptr, {});
  EXPECT_GT(figure(probe), 0);
  probe.set_reference();
  write_random(data_ / "a", kFile, 2);
  EXPECT_NE(refusal(probe).find("with trim = true it is emptied first"), std::string::npos);
}

// Too little to be refused, since a file system may have reserved as much without writing it.
TEST_F(VolumeBelow, AFewBytesThatItMayHaveHadFromBeforeWidenTheFigure) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  constexpr std::int64_t kFew = 128 << 10;
  constexpr std::int64_t kMany = 12 << 20;
  write_random(data_ / "a", kFew, 1);
  remove_and_sync();
  VolumeProbe probe(roots(), volume(), nullptr, {});
  const std::int64_t empty = figure(probe);
  probe.set_reference();
  EXPECT_FALSE(probe.uncertain());
  write_random(data_ / "a", kFew, 2);
  write_random(data_ / "b", kMany, 3);
  const std::int64_t seen = figure(probe) - empty;
  ASSERT_LT(seen, kFew + kMany) << "some of it was to lie in old blocks";
  ASSERT_TRUE(probe.uncertain());
  EXPECT_GE(seen + probe.uncertain()->count, kFew + kMany);
}

// New blocks of the journal make up for what went into old ones, so that the growths do not tell.
TEST_F(VolumeBelow, WhatItHadFromBeforeMayHideAllThatWasWrittenUnlessItWasTrimmed) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  for (const bool trims : {false, true}) {
    SCOPED_TRACE(trims);
    const auto done = std::make_shared<bool>(false);
    VolumeProbe plain(roots(), volume(), nullptr, {.trimmed = done});
    TrimmedVolumeProbe trimmed(roots(), volume(), nullptr, done);
    write_random(data_ / "a", kFile, 1);
    remove_and_sync();
    if (trims) figure(trimmed);
    EXPECT_EQ(*done, trims);
    figure(plain);
    plain.set_reference();
    write_random(data_ / "a", 64 << 10, 2);
    figure(plain);
    *done = true;  // A trim of later: too late for what the empty system had.
    figure(plain);
    const std::int64_t uncertain = plain.uncertain().value_or(Bytes{}).count;
    const auto remark = plain.remarks({});
    ASSERT_TRUE(remark);
    EXPECT_EQ(remark->find("that the volume had from before") != std::string::npos, !trims) << *remark;
    if (trims)
      EXPECT_LE(uncertain, kSlack);
    else
      EXPECT_GE(uncertain, 64 << 10);
    std::filesystem::remove(data_ / "a");
  }
}

// Each commit goes into blocks of the journal that the volume has never seen, until the journal begins anew.
// On a tmpfs the zeros that a new journal is made of are holes.
TEST_F(VolumeBelow, AJournalThatIsWrittenForTheFirstTimeIsNoCertainPartOfTheFigure) {
  struct statfs memory{};
  constexpr long kTmpfs = 0x01021994;
  if (::statfs("/dev/shm", &memory) != 0 || memory.f_type != kTmpfs) GTEST_SKIP() << "/dev/shm is no tmpfs";
  std::string name = "/dev/shm/volume_XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  std::filesystem::remove_all(folder_);
  folder_ = name;
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  VolumeProbe plain(roots(), volume(), nullptr, {});
  TrimmedVolumeProbe trimmed(roots(), volume(), nullptr);
  const std::int64_t empty = figure(trimmed);
  figure(plain);
  plain.set_reference();
  trimmed.set_reference();
  constexpr int kFiles = 150;
  for (int i = 0; i < kFiles; ++i) {
    write_random(data_ / ("small" + std::to_string(i)), 4096, static_cast<std::uint64_t>(i));
    ASSERT_TRUE(sync_file_system(data_));
  }
  const std::int64_t grown = figure(trimmed) - empty;
  ASSERT_GT(grown, kFiles * 4096 + kSlack) << "the journal was written";
  ASSERT_TRUE(trimmed.uncertain());
  EXPECT_GE(trimmed.uncertain()->count, grown - kFiles * 4096 - kSlack);
  figure(plain);
  const auto remark = plain.remarks({});
  ASSERT_TRUE(remark);
  EXPECT_NE(remark->find("its journal, written for the first time"), std::string::npos) << *remark;
  ASSERT_TRUE(plain.uncertain());
  EXPECT_GE(plain.uncertain()->count, grown - kFiles * 4096 - kSlack);
}

TEST_F(VolumeBelow, WhatOthersWriteIsNotCountedAsOurs) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  const auto foreign = std::make_shared<ForeignGrowth>();
  FilesystemProbe below(roots(), Bytes{4096}, Millis{0}, nullptr, foreign);
  VolumeProbe plain(roots(), volume(), foreign, {});
  TrimmedVolumeProbe trimmed(roots(), volume(), foreign);
  EXPECT_GT(figure(trimmed), 0);
  EXPECT_GT(figure(below), 0);
  EXPECT_GT(figure(plain), 0);
  below.set_reference();
  plain.set_reference();
  write_random(data_ / "a", kFile, 1);
  write_random(file_system_->top() / "theirs", kFile, 2);
  EXPECT_NE(refusal(below).find("is shared"), std::string::npos);
  EXPECT_NE(refusal(plain).find("is shared"), std::string::npos);
  EXPECT_NE(refusal(trimmed).find("is shared"), std::string::npos);
  std::filesystem::remove(file_system_->top() / "theirs");
  EXPECT_GT(figure(below), 0);
  EXPECT_GT(figure(plain), 0) << "they are gone again";
}

TEST_F(VolumeBelow, AfterAHookOnlyATrimmedVolumeHasAFigure) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  VolumeProbe probe(roots(), volume(), nullptr, {.hook = true});
  EXPECT_GT(figure(probe), 0);
  probe.set_reference();
  write_random(data_ / "a", kFile, 1);
  EXPECT_NE(refusal(probe).find("a hook may free blocks"), std::string::npos);
}

TEST_F(VolumeBelow, ALoopDeviceIsItsImage) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  const auto mount = find_mount(data_);
  ASSERT_TRUE(mount);
  VolumeProbe by_device(roots(), std::make_shared<const Volume>(mount->source), nullptr, {});
  VolumeProbe by_image(roots(), volume(), nullptr, {});
  EXPECT_EQ(figure(by_device), figure(by_image));
}

TEST_F(VolumeBelow, AVolumeThatIsNotBelowTheFilesIsRefused) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  write_random(folder_ / "other.img", 4096, 1);
  VolumeProbe probe(roots(), std::make_shared<const Volume>(folder_ / "other.img"), nullptr, {});
  EXPECT_NE(refusal(probe).find("does not lie on " + (folder_ / "other.img").string()), std::string::npos);
}

TEST_F(VolumeBelow, AnImageOfAMachineWithoutFilesHereHasAFigureAndNoTrim) {
  write_random(folder_ / "machine.img", 64 << 10, 1);
  const RootsOf none = [](const CallContext&) -> Result<std::vector<std::filesystem::path>> {
    return std::vector<std::filesystem::path>{};
  };
  const auto image = std::make_shared<const Volume>(folder_ / "machine.img");
  VolumeProbe plain(none, image, nullptr, {});
  struct stat info{};
  ASSERT_EQ(::stat((folder_ / "machine.img").c_str(), &info), 0);
  EXPECT_EQ(figure(plain), info.st_blocks * 512);
  TrimmedVolumeProbe trimmed(none, image, nullptr);
  EXPECT_TRUE(trimmed.info().disturbs);
  EXPECT_NE(refusal(trimmed).find("to trim"), std::string::npos);
}

TEST_F(VolumeBelow, WhatKeepsNoCountIsAReason) {
  const auto reason = [](const std::filesystem::path& path) {
    const auto size = Volume(path).allocation({});
    return size ? std::string() : size.error().detail;
  };
  EXPECT_NE(reason(folder_ / "gone").find("gone"), std::string::npos);
  EXPECT_NE(reason("/dev/null").find("neither an image file nor a block device"), std::string::npos);
}

TEST(Thin, TheMappedSectorsAreTheAllocation) {
  const auto bytes = parse_thin_status("0 2097152 thin 524288 2097151\n");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, 256_MiB);
  for (const char* text : {"", "0 2097152 linear", "0 2097152 thin -", "0 8 thin-pool 1 2/3 4/5"})
    EXPECT_FALSE(parse_thin_status(text)) << text;
}

}  // namespace
}  // namespace lab
