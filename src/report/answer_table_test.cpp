// The table for the terminal: what it says and that it fits.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text.hpp"
#include "report/outputs.hpp"
#include "report/terminal_text.hpp"
#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

using testing::HasSubstr;
using testing::Not;

RunData sample_run() {
  RunData run;
  add_controls(run);
  add_pairs(run, {}, {0.001, -0.001, 0.002, 0, -0.002});
  add_pairs(run, {.system = "rocksdb", .variant = "blob_files+zstd"}, {0.5, 0.5});
  return run;
}

/// The first line that holds all the words.
std::string line_with(const std::string& text, const std::vector<std::string>& words) {
  for (const std::string& line : split(text, '\n')) {
    bool all = true;
    for (const std::string& word : words) all = all && line.find(word) != std::string::npos;
    if (all) return line;
  }
  return "";
}

TEST(AnswerTable, GivesTheAnswer) {
  const std::string table = answer_table(analyse(sample_run()), 120);
  EXPECT_THAT(table, HasSubstr("bulk_insert, probe files"));
  EXPECT_THAT(table, HasSubstr("sqlite (Server 1.2.3)"));
  const std::string line = line_with(table, {"default", "U90"});
  EXPECT_THAT(line, HasSubstr("10.0"));
  EXPECT_THAT(line, HasSubstr("1.00"));
  EXPECT_THAT(line, HasSubstr("0.000"));
  EXPECT_THAT(line, HasSubstr("[-0.002, 0.002]"));
  EXPECT_THAT(line, HasSubstr("5  none"));
  EXPECT_THAT(line_with(table, {"blob_files+zstd", "U90"}), HasSubstr("too_few_repetitions"));
  EXPECT_NE(line_with(table, {"default", "U0"}), "");
  EXPECT_THAT(table,
              HasSubstr("random_binary U90 on files: passed; eta of files 0.0000, of cas 1.0000, 5 pairs"));
  EXPECT_THAT(table, HasSubstr("records: 14 valid, 0 invalid"));
  EXPECT_THAT(table, HasSubstr("2 complete valid pairs; a verdict needs 5"));
}

TEST(AnswerTable, LeavesOutControlsThatThePlanDoesNotName) {
  EXPECT_EQ(line_with(answer_table(analyse(sample_run())), {"cas (Server"}), "");
}

TEST(AnswerTable, ShowsAFailedControl) {
  RunData run = sample_run();
  for (StageRow& row : run.stages)
    if (row.record.cell.system == "cas") row.record.valid = false;
  const std::string table = answer_table(analyse(run));
  EXPECT_THAT(table, HasSubstr("FAILED, verdicts withheld"));
  EXPECT_THAT(line_with(table, {"default", "U90"}), HasSubstr("withheld"));
}

TEST(AnswerTable, ShowsInvalidRecordsWithTheirReasons) {
  RunData run = sample_run();
  run.stages.back().record.valid = false;
  run.stages.back().record.reason = "CONNECTION_LOST";
  EXPECT_THAT(answer_table(analyse(run)), HasSubstr("1 invalid: CONNECTION_LOST"));
}

TEST(AnswerTable, ShowsWhatADeclaredLossRemoved) {
  RunData run = sample_run();
  for (StageRow& row : run.stages)
    if (row.record.cell.system == "rocksdb" && row.record.cell.dataset.grade == 90) {
      row.record.keeps = "one per key";
      row.record.removed = 360;
    }
  EXPECT_THAT(answer_table(analyse(run)), HasSubstr("semantic (360 of 400)"));
}

TEST(AnswerTable, FitsTheTerminal) {
  RunData run = sample_run();
  add_pairs(run,
            {.system = "lmdb", .payload = "directory:/srv/données/漢字/a/very/long/path/to/the/mail/archive"},
            {0.5, 0.5});
  StageRecord& lost = run.stages.back().record;
  lost.valid = false;
  lost.reason = "the server closed the connection and said nothing that anybody could have understood";
  const Analysis analysis = analyse(run);
  for (const std::size_t width : {40, 50, 60, 72, 80, 100, 120, 200}) {
    SCOPED_TRACE(width);
    const std::string table = answer_table(analysis, width);
    for (const std::string& line : split(table, '\n')) EXPECT_LE(display_width(line), width) << line;
    EXPECT_THAT(table, HasSubstr("verdict"));
  }
  EXPECT_THAT(answer_table(analysis, 100), HasSubstr("…"));
  EXPECT_THAT(answer_table(analysis, 400), Not(HasSubstr("…")));
}

TEST(AnswerTable, ShowsTheDimensionsThatVary) {
  RunData run = sample_run();
  StageRecord record = make_record({.grade = 90});
  record.cell.dataset.order = Order::kAdjacent;
  add_record(run, record);
  const std::string table = answer_table(analyse(run), 140);
  EXPECT_NE(line_with(table, {"payload", "order", "grade"}), "");
  EXPECT_NE(line_with(table, {"adjacent", "U90"}), "");
  EXPECT_EQ(line_with(table, {"payload", "cache", "grade"}), "");
}

TEST(AnswerTable, OfNothingSaysSo) {
  EXPECT_THAT(answer_table({}), HasSubstr("no record of a stage that inserts"));
}

TEST(AnswerTable, EdrMaxIsOfTheBytesAndNotOfTheGrade) {
  RunData run;
  StageRecord record = make_record({.grade = 99});
  record.cell.dataset.objects = record.objects = 40;  // 40 objects at U99 are one original and its copies.
  record.logical_bytes = 40 * kObjectBytes;
  record.unique_bytes = static_cast<std::int64_t>(distinct_objects(40, 99)) * kObjectBytes;
  add_record(run, record);
  EXPECT_THAT(line_with(answer_table(analyse(run)), {"default", "U99"}), HasSubstr("  40.0  "));
}

TEST(AnswerTable, ShowsTheLadderOfTheHighestGradeAndWhereDuplicatesVanish) {
  const std::string table = answer_table(analyse(sample_run()), 160);
  EXPECT_NE(line_with(table, {"sqlite/default", "U90", "L/apparent 1.00 x apparent/files 1.00 = 1.00",
                              "duplicates vanish nowhere"}),
            "");
  EXPECT_THAT(line_with(table, {"rocksdb", "U90", "L/apparent"}), HasSubstr("is not told"));
  EXPECT_EQ(line_with(table, {"sqlite/default", "U0", "L/apparent"}), "");
}

}  // namespace
}  // namespace lab::report
