// A home is made new and removed only with our mark.
// SPDX-License-Identifier: Apache-2.0
#include "testbed/home.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/testing/temporary_folder.hpp"

namespace lab::testbed {
namespace {

namespace fs = std::filesystem;

const std::string kToken = "0123456789abcdef0123456789abcdef";

class TestbedHome : public testing::Test {
 protected:
  fs::path home() const { return folder_.path() / "a/b/home"; }
  static unsigned mode_of(const fs::path& path) {
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0U;
  }
  TemporaryFolder folder_{};
};

TEST_F(TestbedHome, AHomeIsPrivateAndItsRemovalLeavesNothing) {
  ASSERT_TRUE(make_home(home(), kToken, std::nullopt));
  EXPECT_EQ(mode_of(home()), 0700U);
  EXPECT_EQ(mode_of(folder_.path() / "a"), 0700U);
  ASSERT_TRUE(write_file_atomic(home() / "file", "x"));
  ASSERT_TRUE(make_directories(home() / "data/deep"));
  ASSERT_TRUE(remove_home(home(), kToken));
  EXPECT_FALSE(fs::exists(home()));
  EXPECT_TRUE(remove_home(home(), kToken)) << "removing it again changes nothing";
}

TEST_F(TestbedHome, AFolderThatIsThereIsNotTaken) {
  ASSERT_TRUE(make_directories(home()));
  const Status made = make_home(home(), kToken, std::nullopt);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kRefused);
}

TEST_F(TestbedHome, AFolderWithoutTheMarkIsLeftAsItIs) {
  ASSERT_TRUE(make_directories(home()));
  ASSERT_TRUE(write_file_atomic(home() / "precious", "x"));
  const Status removed = remove_home(home(), kToken);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kRefused);
  EXPECT_TRUE(fs::exists(home() / "precious"));
}

TEST_F(TestbedHome, AFolderWithAnothersMarkIsLeftAsItIs) {
  ASSERT_TRUE(make_home(home(), "ffffffffffffffffffffffffffffffff", std::nullopt));
  EXPECT_FALSE(remove_home(home(), kToken));
  EXPECT_TRUE(fs::exists(home()));
}

TEST_F(TestbedHome, AnEmptyFolderIsRemovedSinceACrashMayHaveComeBeforeTheMark) {
  ASSERT_TRUE(make_directories(home()));
  EXPECT_TRUE(remove_home(home(), kToken));
  EXPECT_FALSE(fs::exists(home()));
}

TEST_F(TestbedHome, ALinkIsNotFollowedAndNotRemoved) {
  ASSERT_TRUE(make_home(folder_.path() / "real", kToken, std::nullopt));
  fs::create_directory_symlink(folder_.path() / "real", folder_.path() / "link");
  EXPECT_FALSE(remove_home(folder_.path() / "link", kToken));
  EXPECT_TRUE(fs::exists(folder_.path() / "real"));
}

TEST_F(TestbedHome, AnotherUserMayEnterOnlyWhereEveryFolderOnTheWayAllowsIt) {
  ASSERT_TRUE(make_directories(home()));
  const UserId other{.user = 64999, .group = 64999};
  EXPECT_FALSE(can_enter(home(), other));
  for (fs::path path = home(); path != folder_.path().parent_path(); path = path.parent_path())
    ASSERT_EQ(::chmod(path.c_str(), 0711), 0);
  EXPECT_TRUE(can_enter(home(), other));
  EXPECT_TRUE(can_enter(home() / "not/there/yet", other));
  ASSERT_EQ(::chmod((folder_.path() / "a").c_str(), 0710), 0);
  EXPECT_FALSE(can_enter(home(), other));
}

TEST_F(TestbedHome, RandomWordsAreLongAndDiffer) {
  const auto one = random_word();
  const auto two = random_word();
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->size(), 32U);
  EXPECT_NE(*one, *two);
}

}  // namespace
}  // namespace lab::testbed
