// SPDX-License-Identifier: Apache-2.0
#include "probe/volume_probe.hpp"

#include <sys/stat.h>

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
    TrimmedVolumeProbe trimmed(roots(), volume());
    VolumeProbe plain(roots(), volume());
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
  VolumeProbe probe(roots(), volume());
  EXPECT_GT(figure(probe), 0);
  probe.set_reference();
  write_random(data_ / "a", kFile, 2);
  EXPECT_NE(refusal(probe).find("with trim = true it is emptied first"), std::string::npos);
}

TEST_F(VolumeBelow, ALoopDeviceIsItsImage) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  const auto mount = find_mount(data_);
  ASSERT_TRUE(mount);
  VolumeProbe by_device(roots(), std::make_shared<const Volume>(mount->source));
  VolumeProbe by_image(roots(), volume());
  EXPECT_EQ(figure(by_device), figure(by_image));
}

TEST_F(VolumeBelow, AVolumeThatIsNotBelowTheFilesIsRefused) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  write_random(folder_ / "other.img", 4096, 1);
  VolumeProbe probe(roots(), std::make_shared<const Volume>(folder_ / "other.img"));
  EXPECT_NE(refusal(probe).find("does not lie on " + (folder_ / "other.img").string()), std::string::npos);
}

TEST_F(VolumeBelow, AnImageOfAMachineWithoutFilesHereHasAFigureAndNoTrim) {
  write_random(folder_ / "machine.img", 64 << 10, 1);
  const RootsOf none = [](const CallContext&) -> Result<std::vector<std::filesystem::path>> {
    return std::vector<std::filesystem::path>{};
  };
  const auto image = std::make_shared<const Volume>(folder_ / "machine.img");
  VolumeProbe plain(none, image);
  struct stat info{};
  ASSERT_EQ(::stat((folder_ / "machine.img").c_str(), &info), 0);
  EXPECT_EQ(figure(plain), info.st_blocks * 512);
  TrimmedVolumeProbe trimmed(none, image);
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
