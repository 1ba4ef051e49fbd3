// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/log_folder.hpp"

#include <gtest/gtest.h>

#include "core/files.hpp"
#include "core/testing/temporary_folder.hpp"

namespace lab::kafka {
namespace {

void write(const std::filesystem::path& file, std::string_view text) {
  ASSERT_TRUE(make_directories(file.parent_path()));
  ASSERT_TRUE(write_file_atomic(file, text));
}

}  // namespace

TEST(KafkaLogFolder, SaysWhoseItIs) {
  const TemporaryFolder folder;
  EXPECT_EQ(owner_of(folder.path()).error().code, ErrorCode::kNotFound);
  write(folder.path() / "meta.properties", "#\nnode.id=7\nversion=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\n");
  const auto owner = owner_of(folder.path());
  ASSERT_TRUE(owner) << owner.error().text();
  EXPECT_EQ(owner->cluster, "MkU3OEVBNTcwNTJENDM2Qk");
  EXPECT_EQ(owner->broker, 7);
  write(folder.path() / "meta.properties", "version=1\n");
  EXPECT_EQ(owner_of(folder.path()).error().code, ErrorCode::kCorruption);
}

TEST(KafkaLogFolder, ListsLiveSegmentsInTheirOrderAndCountsRemovedOnes) {
  const TemporaryFolder folder;
  const auto partition = folder.path() / "t-0";
  write(partition / "00000000000000000120.log", "12345");
  write(partition / "00000000000000000000.log", "123");
  write(partition / "00000000000000000000.index", "1");
  write(partition / "00000000000000000007.log.deleted", "1234567");
  const auto segments = segments_of(folder.path(), "t");
  ASSERT_TRUE(segments) << segments.error().text();
  EXPECT_EQ(segments->bases, (std::vector<std::int64_t>{0, 120}));
  EXPECT_EQ(segments->bytes, 8);
  EXPECT_EQ(segments->removed, 1);
  EXPECT_EQ(segments_of(folder.path(), "u").error().code, ErrorCode::kNotFound);
}

TEST(KafkaLogFolder, ReadsHowFarTheCleanerCame) {
  EXPECT_EQ(parse_checkpoint("0\n2\nlab-0 0 512\nlab-1 0 7\n"),
            (std::map<std::string, std::int64_t>{{"lab-0-0", 512}, {"lab-1-0", 7}}));
  EXPECT_TRUE(parse_checkpoint("").empty());
  const TemporaryFolder folder;
  EXPECT_TRUE(cleaned_offsets(folder.path())->empty());
}

TEST(KafkaLogFolder, SeesWorkThatIsNotFinished) {
  const TemporaryFolder folder;
  write(folder.path() / "t-0" / "00000000000000000000.log", "1");
  EXPECT_EQ(pending_files(folder.path()).removed, 0);
  write(folder.path() / "t-0" / "00000000000000000000.log.deleted", "1");
  write(folder.path() / "t-0" / "00000000000000000000.log.cleaned", "1");
  write(folder.path() / "t-0" / "00000000000000000000.index.swap", "1");
  write(folder.path() / "u-0.5f3a-delete" / "00000000000000000000.log", "1");
  const PendingFiles pending = pending_files(folder.path());
  EXPECT_EQ(pending.removed, 1);
  EXPECT_EQ(pending.cleaning, 2);
  EXPECT_EQ(pending.topics, 1);
}

TEST(KafkaLogFolder, AFolderThatNobodyHoldsHasNoStart) {
  const TemporaryFolder folder;
  EXPECT_FALSE(holder_started_at(folder.path()));
  write(folder.path() / ".lock", "");
  EXPECT_FALSE(holder_started_at(folder.path()));
}

}  // namespace lab::kafka
