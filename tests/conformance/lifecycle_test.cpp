// Reset, reopening, removal, and that nothing of others is ever touched.
// SPDX-License-Identifier: Apache-2.0
#include "conformance.hpp"

namespace lab {

TEST_P(DriverConformance, KeepsEverythingOverReopening) {
  if (!GetParam().entry.has_files) GTEST_SKIP() << "keeps nothing on disk";
  auto objects = made_many(0, 50, 20'000);
  load(objects);
  const Made last = made(60, "not flushed, but acknowledged");
  ASSERT_TRUE(driver_->put(soon(), last.view()));
  objects.push_back(last);
  for (int round = 0; round < 2; ++round) {
    close();
    open();
    expect_holds(objects);
  }
}

TEST_P(DriverConformance, ResetLeavesTheSameFilesEachTime) {
  if (!GetParam().entry.has_files) GTEST_SKIP() << "keeps nothing on disk";
  std::vector<Tree> empty;
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(driver_->reset(soon()));
    ASSERT_TRUE(driver_->flush(soon()));
    empty.push_back(tree_of(data()));
    load(made_many(static_cast<std::uint64_t>(round) * 100, 20, 100'000));
  }
  for (const Tree& tree : empty) {
    EXPECT_EQ(tree.apparent, empty.front().apparent);
    EXPECT_EQ(tree.allocated, empty.front().allocated);
  }
}

TEST_P(DriverConformance, TouchesNothingBesideItsData) {
  if (!GetParam().entry.has_files) GTEST_SKIP() << "keeps nothing on disk";
  const auto others = folder_.path() / "others";
  ASSERT_TRUE(make_directories(others / "deep"));
  ASSERT_TRUE(write_file_atomic(others / "deep" / "file", "theirs"));
  ASSERT_TRUE(write_file_atomic(home() / "beside", "theirs too"));
  const Tree before = tree_with_digests(others);
  load(made_many(0, 10, 10'000));
  ASSERT_TRUE(driver_->reset(soon()));
  EXPECT_EQ(count(), 0U);
  close();
  ASSERT_TRUE(GetParam().entry.remove(config_, soon()));
  EXPECT_EQ(tree_with_digests(others).digests, before.digests);
  EXPECT_EQ(*read_file(home() / "beside"), "theirs too");
  EXPECT_EQ(tree_with_digests(home()).digests.size(), 1U);
}

TEST_P(DriverConformance, RefusesAFolderThatIsNotOurs) {
  if (!GetParam().entry.has_files) GTEST_SKIP() << "keeps nothing on disk";
  close();
  config_.path = folder_.path() / "theirs";
  ASSERT_TRUE(make_directories(config_.path / "data"));
  ASSERT_TRUE(write_file_atomic(config_.path / "data" / "thesis", "years of work"));
  const Tree before = tree_with_digests(config_.path);
  const auto opened = GetParam().entry.open(config_, soon());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kRefused);
  const Status removed = GetParam().entry.remove(config_, soon());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kRefused);
  EXPECT_EQ(tree_with_digests(config_.path).digests, before.digests);
}

TEST_P(DriverConformance, ResetRefusesWhenTheMarkerIsGone) {
  if (!GetParam().entry.has_files) GTEST_SKIP() << "keeps nothing on disk";
  load(made_many(0, 3, 1'000));
  std::filesystem::remove(home() / ".deduplab");
  const Status emptied = driver_->reset(soon());
  ASSERT_FALSE(emptied);
  EXPECT_EQ(emptied.error().code, ErrorCode::kRefused);
  EXPECT_GE(tree_of(data()).apparent, 3'000);
}

TEST_P(DriverConformance, RemoveLeavesNothing) {
  load(made_many(0, 10, 10'000));
  close();
  const Status removed = GetParam().entry.remove(config_, soon());
  ASSERT_TRUE(removed) << removed.error().text();
  EXPECT_FALSE(std::filesystem::exists(home()));
  EXPECT_TRUE(GetParam().entry.remove(config_, soon())) << "nothing to remove is fine";
}

TEST_P(DriverConformance, RefusesASecondSessionOnTheSameFolder) {
  if (!GetParam().entry.has_files) GTEST_SKIP() << "keeps nothing on disk";
  const auto second = GetParam().entry.open(config_, soon());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInUse);
  const Status removed = GetParam().entry.remove(config_, soon());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kInUse);
}

TEST_P(DriverConformance, RejectsAnUnknownVariantAndOption) {
  SystemConfig config = config_;
  config.path = folder_.path() / "other";
  config.variant = "no_such_variant";
  EXPECT_EQ(GetParam().entry.open(config, soon()).error().code, ErrorCode::kInvalidArgument);
  config.variant = config_.variant;
  config.options["no_such_option"] = "1";
  EXPECT_EQ(GetParam().entry.open(config, soon()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(config.path));
}

TEST_P(DriverConformance, SeveralConnectionsOfOneSessionSeeTheSameObjects) {
  auto second = session_->open_driver(soon());
  ASSERT_TRUE(second) << second.error().text();
  const auto objects = made_many(0, 4, 1'000);
  load(objects);
  EXPECT_EQ(*(*second)->count(soon()), 4U);
  const Made more = made(9, "by the second");
  ASSERT_TRUE((*second)->put(soon(), more.view()));
  EXPECT_EQ(count(), 5U);
  ASSERT_TRUE(driver_->reset(soon()));
  EXPECT_EQ(*(*second)->count(soon()), 0U);
  ASSERT_TRUE((*second)->put(soon(), more.view()));
  expect_holds({more});
}

}  // namespace lab
