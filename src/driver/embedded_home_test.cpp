// SPDX-License-Identifier: Apache-2.0
// Whose folder it is, who may touch it, and that nothing of others is ever removed.
#include "driver/embedded_home.hpp"

#include <gtest/gtest.h>

#include "core/testing/temporary_folder.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

class EmbeddedHomeTest : public testing::Test {
 protected:
  fs::path home() const { return folder_.path() / "home"; }
  static void write(const fs::path& path, const std::string& text) {
    ASSERT_TRUE(make_directories(path.parent_path()));
    ASSERT_TRUE(write_file_atomic(path, text));
  }
  TemporaryFolder folder_{};
};

TEST_F(EmbeddedHomeTest, MakesTheFolderWithTheRunInItsMarker) {
  const auto opened = EmbeddedHome::open(home() / "deep", "run-7");
  ASSERT_TRUE(opened) << opened.error().text();
  EXPECT_EQ(*read_file(home() / "deep" / ".deduplab"), "run-7\n");
  EXPECT_TRUE(fs::is_directory(opened->data()));
}

TEST_F(EmbeddedHomeTest, RefusesAFolderThatHasEntriesAndNoMarkerAndLeavesItAlone) {
  write(home() / "thesis.txt", "years of work");
  const auto opened = EmbeddedHome::open(home(), "run");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kRefused);
  const Status removed = EmbeddedHome::remove(home());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kRefused);
  EXPECT_EQ(*read_file(home() / "thesis.txt"), "years of work");
  EXPECT_EQ(std::distance(fs::directory_iterator(home()), fs::directory_iterator()), 1);
}

TEST_F(EmbeddedHomeTest, NamesTheRunThatHoldsTheFolder) {
  const auto first = EmbeddedHome::open(home(), "run-1");
  ASSERT_TRUE(first);
  const auto second = EmbeddedHome::open(home(), "run-2");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInUse);
  EXPECT_NE(second.error().detail.find("run-1"), std::string::npos) << second.error().detail;
  const Status removed = EmbeddedHome::remove(home());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kInUse);
}

TEST_F(EmbeddedHomeTest, TakesOverWhatAnEarlierRunLeft) {
  ASSERT_TRUE(EmbeddedHome::open(home(), "a-run-with-a-long-name"));
  const auto again = EmbeddedHome::open(home(), "run-2");
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(*read_file(home() / ".deduplab"), "run-2\n");
}

TEST_F(EmbeddedHomeTest, EmptiesDataAndNothingBesideIt) {
  const auto opened = EmbeddedHome::open(home(), "run");
  ASSERT_TRUE(opened);
  write(opened->data() / "a" / "b" / "file", "x");
  write(opened->data() / "file", "x");
  write(home() / "beside", "stays");
  ASSERT_TRUE(opened->empty_data());
  EXPECT_FALSE(*has_entries(opened->data()));
  EXPECT_EQ(*read_file(home() / "beside"), "stays");
}

TEST_F(EmbeddedHomeTest, DoesNotFollowLinksOutOfTheFolder) {
  write(folder_.path() / "others" / "file", "theirs");
  {
    const auto opened = EmbeddedHome::open(home(), "run");
    ASSERT_TRUE(opened);
    fs::create_directory_symlink(folder_.path() / "others", opened->data() / "link");
    ASSERT_TRUE(opened->empty_data());
    fs::remove(opened->data());
    fs::create_directory_symlink(folder_.path() / "others", opened->data());
    const Status emptied = opened->empty_data();
    ASSERT_FALSE(emptied);
    EXPECT_EQ(emptied.error().code, ErrorCode::kRefused);
  }
  EXPECT_FALSE(EmbeddedHome::remove(home()));
  EXPECT_EQ(*read_file(folder_.path() / "others" / "file"), "theirs");
}

TEST_F(EmbeddedHomeTest, RefusesToEmptyWhenTheMarkerIsGone) {
  const auto opened = EmbeddedHome::open(home(), "run");
  ASSERT_TRUE(opened);
  write(opened->data() / "file", "x");
  fs::remove(home() / ".deduplab");
  const Status emptied = opened->empty_data();
  ASSERT_FALSE(emptied);
  EXPECT_EQ(emptied.error().code, ErrorCode::kRefused);
  EXPECT_TRUE(fs::exists(opened->data() / "file"));
}

TEST_F(EmbeddedHomeTest, StopsEmptyingWhenAStopIsRequested) {
  const auto opened = EmbeddedHome::open(home(), "run");
  ASSERT_TRUE(opened);
  write(opened->data() / "file", "x");
  std::stop_source stop;
  stop.request_stop();
  const Status emptied = opened->empty_data({Clock::time_point::max(), stop.get_token()});
  ASSERT_FALSE(emptied);
  EXPECT_EQ(emptied.error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(fs::exists(opened->data() / "file"));
}

TEST_F(EmbeddedHomeTest, RemoveLeavesNothingOfOursAndAllOfOthers) {
  EXPECT_TRUE(EmbeddedHome::remove(home())) << "missing is fine";
  ASSERT_TRUE(EmbeddedHome::open(home(), "run"));
  ASSERT_TRUE(EmbeddedHome::remove(home()));
  EXPECT_FALSE(fs::exists(home()));
  ASSERT_TRUE(EmbeddedHome::open(home(), "run"));
  write(home() / "beside", "stays");
  ASSERT_TRUE(EmbeddedHome::remove(home()));
  EXPECT_EQ(*read_file(home() / "beside"), "stays");
  EXPECT_EQ(std::distance(fs::directory_iterator(home()), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace lab
