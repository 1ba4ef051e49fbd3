// SPDX-License-Identifier: Apache-2.0
#include "drivers/postgres/data_directory.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "core/files.hpp"
#include "core/testing/temporary_folder.hpp"

namespace lab::postgres {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kIdentifier = 7'212'345'678'901'234'567ULL;

class DataDirectory : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(make_directories(root() / "global"));
    ASSERT_TRUE(make_directories(root() / "pg_wal"));
    ASSERT_TRUE(make_directories(root() / "pg_tblspc"));
    ASSERT_TRUE(write_file_atomic(root() / "PG_VERSION", "15\n"));
    std::string control(8192, '\0');
    std::memcpy(control.data(), &kIdentifier, sizeof kIdentifier);
    ASSERT_TRUE(write_file_atomic(root() / "global" / "pg_control", control));
    ASSERT_TRUE(write_file_atomic(root() / "postmaster.pid", "4711\n/data\n1700000000\n5433\n\n*\n"));
  }
  fs::path root() const { return folder_.path() / "data"; }
  Status check(const ServerMarks& marks) const { return check_data_directory(root(), marks); }

  const ServerMarks marks_{std::to_string(kIdentifier), 15, 5433};
  TemporaryFolder folder_{};
};

}  // namespace

TEST_F(DataDirectory, IsBelievedWhenAllMarksAgree) {
  const Status checked = check(marks_);
  EXPECT_TRUE(checked) << checked.error().text();
}

TEST_F(DataDirectory, OfAnotherServerIsRefused) {
  EXPECT_EQ(check({marks_.system_identifier, 16, 5433}).error().code, ErrorCode::kRefused);
  EXPECT_EQ(check({"7212345678901234568", 15, 5433}).error().code, ErrorCode::kRefused);
  EXPECT_EQ(check({marks_.system_identifier, 15, 5432}).error().code, ErrorCode::kRefused) << "a standby's";
}

TEST_F(DataDirectory, WithoutARunningServerIsRefused) {
  fs::remove(root() / "postmaster.pid");
  EXPECT_EQ(check(marks_).error().code, ErrorCode::kRefused);
}

TEST_F(DataDirectory, ThatIsNotThereIsNotFound) {
  EXPECT_EQ(check_data_directory(folder_.path() / "none", marks_).error().code, ErrorCode::kNotFound);
}

TEST_F(DataDirectory, FollowsTheLogAndTablespacesOutOfIt) {
  EXPECT_EQ(*roots_of(root()), std::vector<fs::path>{root()});
  ASSERT_TRUE(make_directories(folder_.path() / "log"));
  ASSERT_TRUE(make_directories(folder_.path() / "space"));
  fs::remove(root() / "pg_wal");
  fs::create_directory_symlink(folder_.path() / "log", root() / "pg_wal");
  fs::create_directory_symlink(folder_.path() / "space", root() / "pg_tblspc" / "16390");
  const fs::path real = fs::canonical(folder_.path());
  EXPECT_EQ(*roots_of(root()), (std::vector<fs::path>{root(), real / "log", real / "space"}));
}

TEST_F(DataDirectory, ALinkThatLeadsNowhereIsAnError) {
  fs::create_directory_symlink(folder_.path() / "gone", root() / "pg_tblspc" / "16390");
  EXPECT_FALSE(roots_of(root()));
}

TEST(RelationFiles, AreKnownWithTheirForksAndSegmentsWhereverTheyLie) {
  EXPECT_EQ(relation_key("base/16384/16401"), "16384/16401");
  EXPECT_EQ(relation_key("base/16384/16401.12"), "16384/16401");
  EXPECT_EQ(relation_key("base/16384/16401_fsm"), "16384/16401");
  EXPECT_EQ(relation_key("pg_tblspc/16390/PG_15_202209061/16384/16401"),
            relation_key("PG_15_202209061/16384/16401_vm"));
  EXPECT_EQ(relation_key("PG_VERSION"), "");
}

TEST(RelationFiles, EachFileHasAPart) {
  const OurFiles ours{.database = "16384",
                      .relations = {{"16384/16401", FilePart::kPayload}, {"16384/16406", FilePart::kIndex}}};
  EXPECT_EQ(part_of_file("base/16384/16401.1", ours), FilePart::kPayload);
  EXPECT_EQ(part_of_file("base/16384/16406", ours), FilePart::kIndex);
  EXPECT_EQ(part_of_file("base/16384/1640", ours), FilePart::kMeta);
  EXPECT_EQ(part_of_file("base/16384/pg_filenode.map", ours), FilePart::kMeta);
  for (const char* file : {"base/5/16401", "base/5/16402.1", "PG_15_202209061/5/16401"})
    EXPECT_EQ(part_of_file(file, ours), FilePart::kOthers) << file << ": another database's";
  for (const char* file : {"base/pgsql_tmp/pgsql_tmp12.0", "global/1262", "PG_15_202209061/16384/2601"})
    EXPECT_EQ(part_of_file(file, ours), FilePart::kMeta) << file;
  EXPECT_EQ(part_of_file("base/5/16401", {}), FilePart::kMeta) << "which database is ours is not known";
  EXPECT_EQ(part_of_file("pg_wal/000000010000000000000003", ours), FilePart::kLog);
  EXPECT_EQ(part_of_file("pg_wal/archive_status/000000010000000000000003.done", ours), FilePart::kLog);
  EXPECT_EQ(part_of_file("000000010000000000000003", ours), FilePart::kLog)
      << "pg_wal outside of the directory";
  EXPECT_EQ(part_of_file("pg_xact/0000", ours), FilePart::kMeta);
  EXPECT_EQ(part_of_file("PG_VERSION", ours), FilePart::kMeta);
}

}  // namespace lab::postgres
