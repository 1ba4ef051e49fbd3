// A manifest in a file of its own: whole, or not there; nothing of others is replaced.
// SPDX-License-Identifier: Apache-2.0
#include "payload/manifest_writer.hpp"

#include <gtest/gtest.h>

#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

std::size_t entries_of(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(ManifestWriter, GivesTheNameWhenAllIsWritten) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "data.jsonl";
  auto writer = ManifestWriter::open(path);
  ASSERT_TRUE(writer) << writer.error().text();
  ASSERT_TRUE(writer->add("{\"number\":0}"));
  ASSERT_TRUE(writer->add("{\"number\":1}"));
  EXPECT_FALSE(std::filesystem::exists(path));
  const Status finished = writer->finish();
  ASSERT_TRUE(finished) << finished.error().text();
  EXPECT_EQ(text_in(path), "{\"number\":0}\n{\"number\":1}\n");
  EXPECT_EQ(entries_of(folder.path()), 1U);
}

TEST(ManifestWriter, LeavesNothingUnfinished) {
  const TemporaryFolder folder;
  {
    auto writer = ManifestWriter::open(folder.path() / "data.jsonl");
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->add(std::string(3'000'000, 'x')));
    EXPECT_EQ(entries_of(folder.path()), 1U);
  }
  EXPECT_EQ(entries_of(folder.path()), 0U);
}

TEST(ManifestWriter, ReplacesNothing) {
  const TemporaryFolder folder;
  folder.write("data.jsonl", "mine");
  const auto path = folder.path() / "data.jsonl";
  const auto refused = ManifestWriter::open(path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  EXPECT_NE(refused.error().detail.find(path.string()), std::string::npos) << refused.error().detail;
  const auto late = folder.path() / "late.jsonl";
  {
    auto writer = ManifestWriter::open(late);
    ASSERT_TRUE(writer);
    folder.write("late.jsonl", "mine too");
    const Status finished = writer->finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().code, ErrorCode::kRefused);
  }
  EXPECT_EQ(text_in(path), "mine");
  EXPECT_EQ(text_in(late), "mine too");
  EXPECT_EQ(entries_of(folder.path()), 2U);
}

TEST(ManifestWriter, NamesAFolderThatIsNotThere) {
  const TemporaryFolder folder;
  const auto missing = ManifestWriter::open(folder.path() / "none" / "data.jsonl");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().detail.find("none"), std::string::npos) << missing.error().detail;
}

}  // namespace
}  // namespace lab
