// What is no journal, and what was changed in one, is said when it is opened or read.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "journal/test_support.hpp"

namespace lab {
namespace {

using namespace journal_test;  // NOLINT: a test file.
using testing::HasSubstr;

/// A SQLite file made by others, or a journal changed by hand.
void run_sql(const fs::path& file, const char* sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
  sqlite3_close(database);
}

TEST(JournalOpen, RefusesWhatIsNotAJournalOfThisFormat) {
  struct Case {
    const char* what;
    ErrorCode want;
    const char* words;
    std::function<void(const fs::path&)> make;
  };
  const Case cases[] = {
      {"no file", ErrorCode::kNotFound, "journal.db", [](const fs::path&) {}},
      {"a pipe", ErrorCode::kRefused, "is not a regular file",
       [](const fs::path& file) { ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0); }},
      {"an empty file", ErrorCode::kCorruption, "empty",
       [](const fs::path& file) { ASSERT_TRUE(write_file_atomic(file, "")); }},
      {"text", ErrorCode::kCorruption, "not a database",
       [](const fs::path& file) { ASSERT_TRUE(write_file_atomic(file, std::string(5000, 'x'))); }},
      {"another program's database", ErrorCode::kRefused, "not a journal",
       [](const fs::path& file) { run_sql(file, "CREATE TABLE t (x)"); }},
      {"a later format", ErrorCode::kRefused, "format 2",
       [](const fs::path& file) {
         ASSERT_TRUE(created(file.parent_path())->close());
         run_sql(file, "PRAGMA user_version=2");
       }},
      {"a table that is gone", ErrorCode::kCorruption, "meta",
       [](const fs::path& file) {
         ASSERT_TRUE(created(file.parent_path())->close());
         run_sql(file, "DROP TABLE meta");
       }},
      {"a run without its seed", ErrorCode::kCorruption, "seed",
       [](const fs::path& file) {
         ASSERT_TRUE(created(file.parent_path())->close());
         run_sql(file, "DELETE FROM meta WHERE key = 'seed'");
       }},
      {"a seed that is no number", ErrorCode::kCorruption, "seed",
       [](const fs::path& file) {
         ASSERT_TRUE(created(file.parent_path())->close());
         run_sql(file, "UPDATE meta SET value = '12x' WHERE key = 'seed'");
       }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const TempDirectory directory;
    c.make(directory.path() / "journal.db");
    for (const bool network : {false, true}) {
      const auto writer = Journal::open(directory.path(), {.network_file_system = network});
      ASSERT_FALSE(writer);
      EXPECT_EQ(writer.error().code, c.want) << writer.error().text();
      EXPECT_THAT(writer.error().detail, HasSubstr(c.words));
    }
    const auto reader = JournalReader::open(directory.path());
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().code, c.want) << reader.error().text();
    EXPECT_THAT(reader.error().detail, HasSubstr(c.words));
  }
}

TEST(JournalOpen, SaysThatARecordIsNotReadable) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  ASSERT_TRUE(add_cell(*journal, 1));
  ASSERT_TRUE(journal->close());
  run_sql(directory.path() / "journal.db", "UPDATE stages SET record = '{\"half\":'");
  run_sql(directory.path() / "journal.db", "UPDATE samples SET packed = x'00112233'");
  const auto reader = reading(directory.path());
  const auto stages = all_stages(*reader);
  ASSERT_FALSE(stages);
  EXPECT_EQ(stages.error().code, ErrorCode::kCorruption);
  EXPECT_THAT(stages.error().detail, HasSubstr("record 1"));
  const auto samples = reader->samples(1);
  ASSERT_FALSE(samples);
  EXPECT_EQ(samples.error().code, ErrorCode::kCorruption);
}

TEST(JournalOpen, AByteThatHasBecomeAnotherIsFoundByReadersAndByWhoGoesOn) {
  struct Case {
    const char* what;
    const char* change;
    const char* words;
  };
  const Case cases[] = {
      {"a digit of a figure",
       "UPDATE stages SET record = replace(record, '\"logical_bytes\":', '\"logical_bytes\":1')",
       "not what was written"},
      {"a seal", "UPDATE stages SET record = replace(record, '\"seal\"', '\"seam\"')", "seal is missing"},
      {"the cell of an attempt", "UPDATE attempts SET cell_id = cell_id || '0'", "another cell"},
      {"the chain of a row", "UPDATE stages SET chain = chain || 'x'", "another stage"},
      {"that it is valid", "UPDATE stages SET valid = 1 - valid", "valid where it is not"},
      {"that it counts", "UPDATE stages SET superseded = 1 - superseded",
       "superseded where its attempt is not"},
      {"that its attempt counts", "UPDATE attempts SET state = 'superseded'",
       "superseded where its attempt is not"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const TempDirectory directory;
    const auto journal = created(directory.path());
    ASSERT_TRUE(add_cell(*journal, 1));
    ASSERT_TRUE(journal->close());
    ASSERT_TRUE(all_stages(*reading(directory.path())));
    const auto before = read_file(directory.path() / "journal.db");
    run_sql(directory.path() / "journal.db", c.change);
    ASSERT_NE(*read_file(directory.path() / "journal.db"), *before) << "nothing was changed";
    const auto stages = all_stages(*reading(directory.path()));
    ASSERT_FALSE(stages);
    EXPECT_EQ(stages.error().code, ErrorCode::kCorruption);
    EXPECT_THAT(stages.error().detail, HasSubstr(c.words));
    const auto writer = Journal::open(directory.path());
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().code, ErrorCode::kCorruption) << writer.error().text();
  }
}

TEST(JournalOpen, RecordsOfAJournalThatHasNoSealsAreReadAsTheyAre) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  ASSERT_TRUE(add_cell(*journal, 1));
  ASSERT_TRUE(journal->close());
  const auto before = all_stages(*reading(directory.path()));
  ASSERT_TRUE(before);
  run_sql(directory.path() / "journal.db", "DELETE FROM meta WHERE key = 'sealed'");
  run_sql(directory.path() / "journal.db",
          "UPDATE stages SET record = substr(record, 1, instr(record, ',\"seal\"') - 1) || '}'");
  const auto stages = all_stages(*reading(directory.path()));
  ASSERT_TRUE(stages) << stages.error().text();
  EXPECT_EQ(stages->size(), before->size());
  EXPECT_TRUE(Journal::open(directory.path()));
}

}  // namespace
}  // namespace lab
