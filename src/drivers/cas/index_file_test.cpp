// SPDX-License-Identifier: Apache-2.0
// The index survives reopening and every torn tail, and refuses damage in its middle.
#include "drivers/cas/index_file.hpp"

#include <gtest/gtest.h>

#include "core/testing/temporary_folder.hpp"

namespace lab::cas {
namespace {

class IndexFileTest : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "index"; }

  Result<std::vector<IndexRecord>> replayed() const {
    std::vector<IndexRecord> records;
    const auto index = IndexFile::open(path(), [&](const IndexRecord& record) { records.push_back(record); });
    if (!index) return index.error();
    return records;
  }

  static std::vector<IndexRecord> some_records() {
    std::vector<IndexRecord> records;
    for (unsigned char number = 1; number <= 3; ++number) {
      ObjectId id{};
      id[15] = std::byte{number};
      const auto kind = number == 3 ? IndexRecord::Kind::kDrop : IndexRecord::Kind::kPut;
      records.push_back(
          {kind, {number * 1000U, id}, number * 5'000'000'000ULL, sha256(std::to_string(number))});
    }
    return records;
  }

  void write_records() const {
    auto index = IndexFile::open(path(), [](const IndexRecord&) {});
    ASSERT_TRUE(index) << index.error().text();
    ASSERT_TRUE(index->append(some_records()));
  }

  TemporaryFolder folder_{};
};

TEST_F(IndexFileTest, GivesTheRecordsBackInOrder) {
  write_records();
  EXPECT_EQ(*replayed(), some_records());
}

TEST_F(IndexFileTest, CutsOffATornTailAtEveryLength) {
  write_records();
  const std::string whole = *read_file(path());
  const std::size_t record = 72;
  const std::size_t first_line = whole.size() - 3 * record;
  for (std::size_t length = first_line; length < whole.size(); ++length) {
    SCOPED_TRACE(length);
    ASSERT_TRUE(write_file_atomic(path(), whole.substr(0, length)));
    const auto records = replayed();
    ASSERT_TRUE(records) << records.error().text();
    EXPECT_EQ(records->size(), (length - first_line) / record);
    EXPECT_EQ((std::filesystem::file_size(path()) - first_line) % record, 0U);
  }
}

TEST_F(IndexFileTest, CutsOffRecordsThatWereNeverWritten) {
  write_records();
  const std::string whole = *read_file(path());
  ASSERT_TRUE(write_file_atomic(path(), whole + std::string(200, '\0')));
  EXPECT_EQ(*replayed(), some_records());
  EXPECT_EQ(*read_file(path()), whole);
}

TEST_F(IndexFileTest, RefusesDamageBeforeAGoodRecord) {
  write_records();
  std::string damaged = *read_file(path());
  damaged[damaged.size() - 72 - 10] ^= 1;
  ASSERT_TRUE(write_file_atomic(path(), damaged));
  const auto records = replayed();
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().code, ErrorCode::kCorruption);
  EXPECT_EQ(*read_file(path()), damaged) << "a refused file stays as it is";
}

TEST_F(IndexFileTest, RefusesAFileOfAnotherKind) {
  ASSERT_TRUE(write_file_atomic(path(), "something else"));
  EXPECT_EQ(replayed().error().code, ErrorCode::kCorruption);
}

TEST_F(IndexFileTest, AppendsAfterARewrite) {
  write_records();
  auto index = IndexFile::open(path(), [](const IndexRecord&) {});
  ASSERT_TRUE(index);
  const auto records = some_records();
  ASSERT_TRUE(index->rewrite(std::span(records).first(1)));
  ASSERT_TRUE(index->append(std::span(records).subspan(1, 1)));
  EXPECT_EQ(index->size().count, static_cast<std::int64_t>(std::filesystem::file_size(path())));
  EXPECT_EQ(*replayed(), std::vector(records.begin(), records.begin() + 2));
}

}  // namespace
}  // namespace lab::cas
