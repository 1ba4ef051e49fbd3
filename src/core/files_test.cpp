// Whole-file operations: done or not, never half.
// SPDX-License-Identifier: Apache-2.0
#include "core/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "core/testing/temporary_folder.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  fs::path at(const char* name) const { return folder_.path() / name; }
  static unsigned mode_of(const fs::path& path) {
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0U;
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator{}));
  }
  TemporaryFolder folder_{};
};

TEST_F(Files, AnAtomicWriteLeavesTheNewContentWithItsModeAndNothingElse) {
  ASSERT_TRUE(write_file_atomic(at("a"), "first"));
  ASSERT_TRUE(write_file_atomic(at("a"), std::string_view("b\0c", 3), 0640));
  const auto back = read_file(at("a"));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, std::string("b\0c", 3));
  EXPECT_EQ(mode_of(at("a")), 0640U);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, AFailedAtomicWriteLeavesTheOldFileAndNoTemporaryOne) {
  ASSERT_TRUE(make_directories(at("a/b")));  // A rename over a folder with content fails.
  const Status status = write_file_atomic(at("a"), "text");
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().detail.find(at("a").string()), std::string::npos);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, AReadRefusesWhatIsLargerThanItsLimit) {
  ASSERT_TRUE(write_file_atomic(at("a"), std::string(1000, 'x')));
  EXPECT_TRUE(read_file(at("a"), Bytes{1000}));
  const auto refused = read_file(at("a"), Bytes{999});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
}

TEST_F(Files, APipeIsNotWaitedFor) {
  const auto pipe = folder_.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto text = read_file(pipe);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(text.error().detail, pipe.string() + ": is not a regular file");
}

TEST_F(Files, AMissingFileIsNotFoundAndNamed) {
  const auto missing = read_file(at("nothing"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().detail.find("nothing"), std::string::npos);
}

TEST_F(Files, DirectoriesAreMadeToTheBottomWithRightsForTheOwnerAlone) {
  ASSERT_TRUE(make_directories(at("x/y/z")));
  ASSERT_TRUE(make_directories(at("x/y/z")));
  EXPECT_EQ(mode_of(at("x")), 0700U);
  EXPECT_EQ(mode_of(at("x/y/z")), 0700U);
  ASSERT_TRUE(write_file_atomic(at("file"), ""));
  const Status status = make_directories(at("file/below"));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kRefused);
}

TEST_F(Files, RemovingATreeDoesNotFollowLinks) {
  ASSERT_TRUE(make_directories(at("keep")));
  ASSERT_TRUE(write_file_atomic(at("keep/precious"), "p"));
  ASSERT_TRUE(make_directories(at("tree/inner")));
  fs::create_directory_symlink(at("keep"), at("tree/link"));
  ASSERT_TRUE(remove_tree(at("tree")));
  EXPECT_FALSE(fs::exists(at("tree")));
  EXPECT_TRUE(fs::exists(at("keep/precious")));
  EXPECT_TRUE(remove_tree(at("tree"))) << "missing is fine";
}

TEST_F(Files, EntriesAreSeenAndAFileIsNoDirectory) {
  ASSERT_TRUE(make_directories(at("d")));
  ASSERT_TRUE(has_entries(at("d")));
  EXPECT_FALSE(*has_entries(at("d")));
  ASSERT_TRUE(write_file_atomic(at("d/.hidden"), ""));
  EXPECT_TRUE(*has_entries(at("d")));
  EXPECT_FALSE(has_entries(at("d/.hidden")));
}

TEST_F(Files, SyncingReachesFilesFoldersAndFileSystemsAndReportsWhatIsMissing) {
  ASSERT_TRUE(write_file_atomic(at("a"), "x"));
  EXPECT_TRUE(sync_file(at("a")));
  EXPECT_TRUE(sync_directory(folder_.path()));
  EXPECT_TRUE(sync_file_system(at("a")));
  EXPECT_FALSE(sync_file(at("b")));
  EXPECT_FALSE(sync_directory(at("a")));
  EXPECT_FALSE(sync_file_system(at("b")));
}

TEST_F(Files, AHandleClosesItsDescriptorOnce) {
  auto opened = open_file(at("a"), O_WRONLY | O_CREAT);
  ASSERT_TRUE(opened);
  const int number = opened->get();
  FileHandle moved = std::move(*opened);
  EXPECT_FALSE(*opened);
  EXPECT_EQ(moved.get(), number);
  moved.reset();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST_F(Files, AWriteToAFullDeviceIsAnExhaustedResource) {
  auto full = open_file("/dev/full", O_WRONLY);
  if (!full) GTEST_SKIP() << "there is no /dev/full";
  const Status status = write_all(*full, "x", "/dev/full");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace lab
