// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/layout.hpp"

#include <gtest/gtest.h>

#include "core/files.hpp"
#include "core/testing/temporary_folder.hpp"
#include "drivers/minio/marker.hpp"

namespace lab::minio {
namespace {

namespace fs = std::filesystem;

class MinioLayout : public testing::Test {
 protected:
  void write(const std::string& relative, const std::string& bytes) {
    const fs::path path = folder_.path() / relative;
    ASSERT_TRUE(make_directories(path.parent_path()));
    ASSERT_TRUE(write_file_atomic(path, bytes));
  }
  std::optional<FilesHere> find() {
    const auto found = find_bucket(folder_.path(), "lab-0");
    EXPECT_TRUE(found) << found.error().text();
    return found ? *found : std::nullopt;
  }
  Status check(const std::optional<FilesHere>& before) {
    return check_directory(folder_.path(), before, find(), "run-one");
  }
  TemporaryFolder folder_{};
};

TEST_F(MinioLayout, PlainFilesAreThisServersWhenTheyHoldTheMarkerJustWritten) {
  EXPECT_FALSE(check(std::nullopt)) << "it is empty";
  write("data/lab-0/.deduplab-marker", marker_text("run-two"));
  EXPECT_EQ(check(std::nullopt).error().code, ErrorCode::kInvalidArgument) << "another server's bucket";
  write("data/lab-0/.deduplab-marker", marker_text("run-one"));
  EXPECT_TRUE(check(std::nullopt));
  EXPECT_EQ(find()->layout, Layout::kPlainFiles);
}

TEST_F(MinioLayout, VolumesAreThisServersWhenTheyGrewWithTheMarker) {
  write("lab-0_1.dat", "12345678");
  write("lab-0_1.idx", "");
  const auto before = find();
  ASSERT_TRUE(before);
  EXPECT_EQ(before->layout, Layout::kSeaweed);
  EXPECT_FALSE(check(before)) << "nothing came: it is another server's";
  write("lab-0_2.dat", "12345678 marker");
  EXPECT_TRUE(check(before));
  EXPECT_TRUE(check(std::nullopt));
}

TEST_F(MinioLayout, TheErasureCodeIsReadFromTheMarkersMetadata) {
  // As in a map of MessagePack: a name of three letters begins with 0xa3, a small number is one byte.
  const auto field = [](const std::string& name, char value) { return "\xa3" + name + value; };
  const std::string meta = "XL2 " + field("EcM", 2) + field("EcN", 1) + "\xa7" + "EcBSize";
  write("d1/lab-0/.deduplab-marker/xl.meta", meta + marker_text("run-one"));
  EXPECT_TRUE(check(std::nullopt));
  EXPECT_EQ(find()->layout, Layout::kMinio);
  EXPECT_DOUBLE_EQ(*copies_of_xl_meta(meta), 1.5);
  EXPECT_EQ(copies_of_xl_meta("XL2 something").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(copies_of_xl_meta("XL2 " + field("EcM", 2)).error().code, ErrorCode::kUnsupported);
}

TEST_F(MinioLayout, BucketsWithLongerNamesAreNotOurs) {
  write("lab-01_1.dat", "x");
  write("other/lab-0-copy/.deduplab-marker", marker_text("run-one"));
  EXPECT_FALSE(find());
  EXPECT_EQ(find_bucket(folder_.path() / "none", "lab-0").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(MinioLayout, BeforeOurBucketIsThereADirectoryIsPossibleOrNot) {
  const auto possible = [&] { return check_possible(folder_.path(), {"theirs", "photos"}); };
  EXPECT_TRUE(possible()) << "it is empty";
  write("base/16384/2619", "a table of PostgreSQL");
  ASSERT_FALSE(possible());
  EXPECT_EQ(possible().error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(possible().error().detail.find("none of a bucket of this server, which has photos, theirs"),
            std::string::npos)
      << possible().error().detail;
  write("2619.dat.old", "no volume");
  EXPECT_FALSE(possible());
  for (const char* file :
       {"drive/theirs/photo", "d1/.minio.sys/format.json", "vol_dir.uuid", "volumes/7.dat"}) {
    SCOPED_TRACE(file);
    write(file, "x");
    EXPECT_TRUE(possible());
    std::filesystem::remove_all(folder_.path() / *std::filesystem::path(file).begin());
    EXPECT_FALSE(possible());
  }
}

TEST_F(MinioLayout, EachFileHasItsPart) {
  struct Case {
    Layout layout;
    const char* file;
    FilePart part;
  };
  const Case cases[] = {
      {Layout::kPlainFiles, "lab-0/07000000-0000-4000-8000-000000000000", FilePart::kPayload},
      {Layout::kPlainFiles, "lab-0/.deduplab-marker", FilePart::kMeta},
      {Layout::kSeaweed, "lab-0_12.dat", FilePart::kPayload},
      {Layout::kSeaweed, "lab-0_12.idx", FilePart::kIndex},
      {Layout::kSeaweed, "lab-0_12.ec00", FilePart::kPayload},
      {Layout::kSeaweed, "lab-0_12.ecx", FilePart::kIndex},
      {Layout::kSeaweed, "lab-0_12.vif", FilePart::kMeta},
      {Layout::kSeaweed, "7.dat", FilePart::kMeta},
      {Layout::kSeaweed, "theirs_7.dat", FilePart::kOthers},
      {Layout::kSeaweed, "lab-copy-0_7.dat", FilePart::kOthers},
      {Layout::kSeaweed, "filerldb2/00/000001.log", FilePart::kMeta},
      {Layout::kPlainFiles, "theirs/lab", FilePart::kOthers},
      {Layout::kMinio, "d1/theirs/07000000/xl.meta", FilePart::kOthers},
      {Layout::kMinio, "d1/lab-0/07000000/xl.meta", FilePart::kPayload},
      {Layout::kMinio, "d1/lab-0/07000000/c1/part.1", FilePart::kPayload},
      {Layout::kMinio, "d1/.minio.sys/tmp/.trash/x/part.1", FilePart::kMeta},
      {Layout::kMinio, "d1/lab-0/.deduplab-marker/xl.meta", FilePart::kMeta},
  };
  for (const Case& c : cases) EXPECT_EQ(part_of(c.layout, "lab", c.file), c.part) << c.file;
}

TEST_F(MinioLayout, AReplacedFileIsSeenAndAnUntouchedOneIsNot) {
  write("lab-0_1.dat", std::string(100'000, 'x'));
  const auto before = tree_state(folder_.path());
  EXPECT_EQ(tree_state(folder_.path())->files, before->files);
  write("lab-0_1.dat", std::string(100'000, 'x'));  // By rename, as a compaction does.
  EXPECT_NE(tree_state(folder_.path())->files, before->files);
  EXPECT_GE(before->allocated, 100'000);
}

}  // namespace
}  // namespace lab::minio
