// SPDX-License-Identifier: Apache-2.0
#include "probe/tree_size.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "core/files.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

class TreeSizeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "tree_size_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, std::size_t bytes) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << std::string(bytes, 'x');
    ASSERT_TRUE(sync_file(root_ / name));
  }
  TreeSize measured(const PartOf& part_of = [](const fs::path&) { return FilePart::kPayload; }) {
    const fs::path roots[] = {root_};
    const auto size = measure_tree(roots, part_of);
    EXPECT_TRUE(size) << size.error().text();
    return size ? *size : TreeSize{};
  }
  std::int64_t blocks_of(const std::string& name) {
    struct stat info{};
    EXPECT_EQ(::stat((root_ / name).c_str(), &info), 0);
    return info.st_blocks * 512;
  }

  fs::path root_;
};

TEST_F(TreeSizeTest, CountsAllocatedBlocksAndApparentBytesApart) {
  write("a", 5000);
  write("below/b", 1);
  const TreeSize size = measured();
  EXPECT_EQ(size.apparent.count, 5001);
  EXPECT_EQ(size.allocated.count, blocks_of("a") + blocks_of("below/b"));
  EXPECT_EQ(size.files, 2U);
}

TEST_F(TreeSizeTest, AHoleAddsNothingToTheAllocatedBytes) {
  write("a", 8192);
  const TreeSize before = measured();
  const int sparse = ::open((root_ / "sparse").c_str(), O_CREAT | O_WRONLY, 0600);
  ASSERT_GE(sparse, 0);
  ASSERT_EQ(::ftruncate(sparse, 100 << 20), 0);
  ::close(sparse);
  const TreeSize after = measured();
  EXPECT_EQ(after.allocated, before.allocated);
  EXPECT_EQ((after.apparent - before.apparent).count, 100 << 20);
}

TEST_F(TreeSizeTest, AHardLinkAddsNothing) {
  write("a", 8192);
  const TreeSize before = measured();
  fs::create_hard_link(root_ / "a", root_ / "b");
  const TreeSize after = measured();
  EXPECT_EQ(after.allocated, before.allocated);
  EXPECT_EQ(after.apparent, before.apparent);
}

TEST_F(TreeSizeTest, ASymbolicLinkIsNotFollowed) {
  write("a", 8192);
  fs::create_symlink("/usr", root_ / "away");
  EXPECT_EQ(measured().files, 1U);
}

TEST_F(TreeSizeTest, PartsSumToTheWholeWhenEveryFileIsClassified) {
  write("data", 9000);
  write("wal.log", 100);
  const TreeSize size = measured([](const fs::path& relative) {
    return relative.extension() == ".log" ? FilePart::kLog : FilePart::kPayload;
  });
  EXPECT_TRUE(size.all_classified);
  EXPECT_EQ(size.allocated_parts.at("payload") + size.allocated_parts.at("log"), size.allocated);
  EXPECT_EQ(size.apparent_parts.at("log").count, 100);
}

TEST_F(TreeSizeTest, SaysWhenAFileHoldsSeveralParts) {
  write("all.db", 100);
  EXPECT_FALSE(
      measured([](const fs::path&) -> std::optional<FilePart> { return std::nullopt; }).all_classified);
}

TEST_F(TreeSizeTest, AMissingRootIsAnErrorAndNotZero) {
  const fs::path roots[] = {root_ / "not there"};
  const auto size = measure_tree(roots, [](const fs::path&) { return FilePart::kPayload; });
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace lab
