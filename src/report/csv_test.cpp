// Quoting, blanks, and the columns that scripts depend on.
// SPDX-License-Identifier: Apache-2.0
#include "report/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/testing/temporary_folder.hpp"
#include "core/text.hpp"
#include "report/csv_files.hpp"
#include "report/testing/sample_run.hpp"

namespace lab::report {
namespace {

using testing::HasSubstr;

/// Reads CSV after RFC 4180: rows of fields.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      row.back() += '"';
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == ',') {
      row.emplace_back();
    } else if (!quoted && text[i] == '\n') {
      rows.push_back(row);
      row.assign(1, "");
    } else {
      row.back() += text[i];
    }
  }
  EXPECT_TRUE(row.size() == 1 && row[0].empty()) << "the last row does not end";
  return rows;
}

/// Rows as maps from column to field; all rows have as many fields as there are columns.
std::vector<std::map<std::string, std::string>> table_of(const std::string& text) {
  const auto rows = parse_csv(text);
  std::vector<std::map<std::string, std::string>> table;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].size(), rows[0].size());
    auto& named = table.emplace_back();
    for (std::size_t column = 0; column < std::min(rows[0].size(), rows[i].size()); ++column)
      named[rows[0][column]] = rows[i][column];
  }
  return table;
}

TEST(CsvRow, QuotesAfterRfc4180) {
  struct Case {
    const char* text;
    const char* want;
  };
  for (const Case& c :
       {Case{"plain", "plain\n"}, Case{"", "\n"}, Case{"a,b", "\"a,b\"\n"},
        Case{"say \"no\"", "\"say \"\"no\"\"\"\n"}, Case{"two\nlines", "\"two\nlines\"\n"},
        Case{"a\rb", "\"a\rb\"\n"}, Case{"\xFF", "\xEF\xBF\xBD\n"}, Case{"漢,字", "\"漢,字\"\n"}}) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(CsvRow().text(c.text).take(), c.want);
  }
}

TEST(CsvRow, ATextIsNoFormula) {
  for (const std::string text : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(CsvRow().text(text).take(), "'" + text + "\n");
  }
  EXPECT_EQ(CsvRow().text("=HYPERLINK(\"x\",\"y\")").take(), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"\n");
}

TEST(CsvRow, ANumberStaysANumber) {
  EXPECT_EQ(CsvRow().number(std::optional(std::int64_t{-5})).take(), "-5\n");
  EXPECT_EQ(CsvRow().number(std::optional(-0.25)).number(std::optional(0.1)).take(), "-0.25,0.1\n");
  EXPECT_EQ(CsvRow().number(std::optional(UINT64_MAX)).flag(true).take(), "18446744073709551615,true\n");
}

TEST(CsvRow, WhatIsNoNumberIsBlank) {
  CsvRow row;
  row.number(std::optional<double>())
      .number(std::optional(std::nan("")))
      .number(std::optional(HUGE_VAL))
      .blank();
  EXPECT_EQ(row.take(), ",,,\n");
}

TEST(StreamedFile, AppearsWholeOrNotAtAll) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.csv";
  {
    auto file = StreamedFile::create(path);
    ASSERT_TRUE(file) << file.error().text();
    ASSERT_TRUE(file->write(std::string(3U << 20U, 'x')));
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  auto file = StreamedFile::create(path);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->write(std::string(3U << 20U, 'x')));
  ASSERT_TRUE(file->commit());
  EXPECT_EQ(std::filesystem::file_size(path), 3U << 20U);
}

TEST(StreamedFile, NamesItsPathWhenItFails) {
  const auto file = StreamedFile::create("/nonexistent/folder/x.csv");
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().text(), HasSubstr("/nonexistent/folder"));
}

struct Written {
  std::string text{};
  std::vector<std::map<std::string, std::string>> table{};
};

template <class Write>
Written written(Write&& write) {
  const TemporaryFolder folder;
  const Status status = write(folder.path() / "file.csv");
  EXPECT_TRUE(status) << status.error().text();
  Written result;
  result.text = *read_file(folder.path() / "file.csv");
  result.table = table_of(result.text);
  return result;
}

Written results_of(const RunData& run) {
  return written([&](const auto& path) { return write_results_csv(run, analyse(run), path); });
}

Written stages_of(const RunData& run) {
  return written([&](const auto& path) { return write_stages_csv(run, analyse(run), path); });
}

/// The value of one metric of the first record.
std::string value_in(const Written& written, const std::string& metric) {
  for (const auto& row : written.table)
    if (row.at("metric") == metric) return row.at("value");
  return "no such row";
}

RunData one_record(StageRecord record) {
  RunData run;
  run.info.run_id = "run-1";
  add_record(run, std::move(record));
  return run;
}

TEST(ResultsCsv, HasItsColumns) {
  const Written results = results_of(one_record(make_record({.grade = 50})));
  EXPECT_TRUE(
      results.text.starts_with("timestamp,run_id,system,variant,data_type,data_size_gb,dup_ratio,placement,"
                               "cache_state,stage,replica_id,"
                               "metric,value,unit,mode,repetition,valid,order,chain,cell_id\n"));
  ASSERT_FALSE(results.table.empty());
  const auto& row = results.table.front();
  EXPECT_EQ(row.at("timestamp"), "2023-11-14T22:13:20.001Z");
  EXPECT_EQ(row.at("run_id"), "run-1");
  EXPECT_EQ(row.at("data_type"), "random_binary");
  EXPECT_EQ(row.at("data_size_gb"), "0.0524288");
  EXPECT_EQ(row.at("dup_ratio"), "U50");
  EXPECT_EQ(row.at("placement"), "within");
  EXPECT_EQ(row.at("cache_state"), "warm");
  EXPECT_EQ(row.at("replica_id"), "");
  EXPECT_EQ(row.at("mode"), "blob");
  EXPECT_EQ(row.at("repetition"), "1");
  EXPECT_EQ(row.at("valid"), "true");
  EXPECT_EQ(row.at("order"), "shuffled");
  EXPECT_EQ(row.at("chain"), "bulk_insert");
  EXPECT_THAT(row.at("cell_id"), HasSubstr("grade=U50"));
}

TEST(ResultsCsv, HoldsEveryFigure) {
  StageRecord record = make_record({.cost = 0.5});
  record.latency.count = 400;
  record.latency.values_us = {{"p50", 120.5}};
  const Written results = results_of(one_record(record));
  EXPECT_EQ(value_in(results, "duration_seconds"), "2");
  EXPECT_EQ(value_in(results, "objects"), "400");
  EXPECT_EQ(value_in(results, "logical_bytes"), "52428800");
  EXPECT_EQ(value_in(results, "stored_bytes:files"), "26214400");
  EXPECT_EQ(value_in(results, "edr:files"), "2");
  EXPECT_EQ(value_in(results, "objects_per_second"), "200");
  EXPECT_EQ(value_in(results, "megabytes_per_second"), "26.2144");
  EXPECT_EQ(value_in(results, "latency_us_p50"), "120.5");
  EXPECT_EQ(value_in(results, "latency_us_p99.9"), "");
}

TEST(ResultsCsv, HoldsTheFactorsFromRungToRung) {
  StageRecord record = make_record({.cost = 0.5});
  record.after_bytes["files"] = kEmptyBytes + kLogical;
  const Written results = results_of(one_record(record));
  EXPECT_EQ(value_in(results, "factor:L/apparent"), "2");
  EXPECT_EQ(value_in(results, "factor:apparent/files"), "0.5");
  record.logical_bytes = record.unique_bytes = 0;
  const Written empty = results_of(one_record(record));
  for (const auto& row : empty.table)
    EXPECT_FALSE(row.at("metric").starts_with("factor:")) << row.at("metric");
}

TEST(ResultsCsv, AFailedValueIsBlank) {
  StageRecord record = make_record({});
  record.missing["files"] = "unsettled";
  record.after_bytes.erase("files");
  const Written missing = results_of(one_record(record));
  EXPECT_EQ(value_in(missing, "after_bytes:files"), "");
  EXPECT_EQ(value_in(missing, "stored_bytes:files"), "");
  EXPECT_EQ(value_in(missing, "edr:files"), "");
  record.valid = false;
  const Written invalid = results_of(one_record(record));
  ASSERT_FALSE(invalid.table.empty());
  for (const auto& row : invalid.table) {
    EXPECT_EQ(row.at("value"), "") << row.at("metric");
    EXPECT_EQ(row.at("valid"), "false");
    EXPECT_EQ(row.at("data_size_gb"), "");
  }
}

TEST(ResultsCsv, ASupersededRecordIsNotInIt) {
  StageRecord record = make_record({});
  record.superseded = true;
  EXPECT_TRUE(results_of(one_record(record)).table.empty());
}

TEST(ResultsCsv, HasNoNotANumber) {
  StageRecord record = make_record({});
  record.duration_seconds = 0;
  record.settle_seconds = std::nan("");
  record.copies = HUGE_VAL;
  const Written results = results_of(one_record(record));
  EXPECT_EQ(value_in(results, "objects_per_second"), "");
  for (const auto& row : results.table) {
    EXPECT_EQ(row.at("value").find("nan"), std::string::npos);
    EXPECT_EQ(row.at("value").find("inf"), std::string::npos);
  }
}

TEST(StagesCsv, HasTheSameColumnsWhateverTheRunHolds) {
  StageRecord odd = make_record({});
  odd.after_bytes["files:strange"] = 5;
  odd.server_seconds["insert"] = 1;
  const auto header = [](const std::string& text) { return text.substr(0, text.find('\n')); };
  const std::string of_none = header(stages_of({}).text);
  EXPECT_EQ(of_none, header(stages_of(one_record(odd)).text));
  for (const char* column :
       {"stored_bytes:files", "edr:files:payload", "after_bytes:volume:trimmed", "reason"})
    EXPECT_THAT(split(of_none, ','), testing::Contains(std::string(column)));
}

TEST(StagesCsv, ShowsEachRecordOnceWithItsFate) {
  RunData run = one_record(make_record({.cost = 0.5}));
  StageRecord lost = make_record({.repetition = 2});
  lost.valid = false;
  lost.reason = "CONNECTION_LOST: \"server closed, it said\"";
  add_record(run, lost);
  lost.superseded = true;
  add_record(run, lost);
  const auto table = stages_of(run).table;
  ASSERT_EQ(table.size(), 3U);
  EXPECT_EQ(table[0].at("stored_bytes:files"), "26214400");
  EXPECT_EQ(table[0].at("edr:files"), "2");
  EXPECT_EQ(table[0].at("edr:engine"), "");
  EXPECT_EQ(table[1].at("valid"), "false");
  EXPECT_EQ(table[1].at("reason"), "CONNECTION_LOST: \"server closed, it said\"");
  EXPECT_EQ(table[1].at("after_bytes:files"), "");
  EXPECT_EQ(table[1].at("duration_seconds"), "");
  EXPECT_EQ(table[2].at("superseded"), "true");
}

TEST(StagesCsv, SaysWhatIsMissing) {
  StageRecord record = make_record({});
  record.missing["engine"] = "not asked";
  const auto table = stages_of(one_record(record)).table;
  EXPECT_EQ(table.at(0).at("missing"), "engine: not asked");
}

TEST(StagesCsv, SaysWhatTheFiguresOfAProbeAreOf) {
  StageRecord record = make_record({});
  record.counted["volume"] = "claims data-0, data-1";
  record.valid = false;  // What was counted may be why.
  const auto table = stages_of(one_record(record)).table;
  EXPECT_EQ(table.at(0).at("counted"), "volume: claims data-0, data-1");
}

TEST(EventsCsv, HasItsColumnsAndDisarmsForeignText) {
  RunData run;
  run.events.push_back(
      {1'700'000'000'000, "retry", "sqlite", "random_binary", "U50", "bulk_insert", "=cmd|'/c x'!A1"});
  const Written events = written([&](const auto& path) { return write_events_csv(run, path); });
  EXPECT_TRUE(
      events.text.starts_with("timestamp_ms,event_type,system,payload_type,dup_grade,stage,detail\n"));
  ASSERT_EQ(events.table.size(), 1U);
  EXPECT_EQ(events.table[0].at("timestamp_ms"), "1700000000000");
  EXPECT_EQ(events.table[0].at("detail"), "'=cmd|'/c x'!A1");
}

TEST(SamplesCsv, OfARunWithoutAJournalIsItsHeader) {
  const RunData run = one_record(make_record({}));
  const Written samples = written([&](const auto& path) { return write_samples_csv(run, path); });
  EXPECT_EQ(samples.text, "timestamp_ms,system,metric,value,unit,cell\n");
}

/// One system's files at U90, of which a scan found half redundant in blocks of 4 KiB.
StageRecord scanned_record() {
  StageRecord record = make_record({.grade = 90});
  StageScan scan{.left_out = {{"/data/socket", "a socket"}}, .seconds = 0.5};
  scan.rows = {{{ChunkerSpec::Kind::kFixed, 4096},
                {.name = "all", .files = 2, .bytes = 1000, .unique_bytes = 500, .zero_bytes = 100}},
               {{ChunkerSpec::Kind::kFixed, 4096}, {.name = "log", .files = 1}}};
  scan.census = CensusFigures{.copies_expected = 400,
                              .copies_whole = 399,
                              .copies_by_bytes = 399.5,
                              .expected_bytes = 800,
                              .located_bytes = 600,
                              .gone = GoneContent{3, 2, 1},
                              .parts = {{"log", 70, 50}}};
  record.scan = std::move(scan);
  return record;
}

/// The row of a metric of one chunker and part.
std::map<std::string, std::string> scan_row(const Written& written, const std::string& chunker,
                                            const std::string& part, const std::string& metric) {
  for (const auto& row : written.table)
    if (row.at("chunker") == chunker && row.at("part") == part && row.at("metric") == metric) return row;
  ADD_FAILURE() << "no row " << chunker << " " << part << " " << metric;
  return {};
}

Written scans_of(const RunData& run) {
  return written([&](const auto& path) { return write_scans_csv(run, path); });
}

TEST(ScansCsv, HoldsEveryFigureOfAScanByChunkerAndPart) {
  const Written scans = scans_of(one_record(scanned_record()));
  EXPECT_TRUE(scans.text.starts_with(
      "run_id,system,variant,payload,object_size,total_bytes,grade,order,placement,mode,cache,repetition,"
      "control,chain,stage,cell_id,chunker,align,part,metric,value,unit,reason\n"));
  const auto residual = scan_row(scans, "fixed:4096", "all", "residual");
  EXPECT_EQ(residual.at("value"), "0.5");
  EXPECT_EQ(residual.at("unit"), "share");
  EXPECT_EQ(residual.at("align"), "0");
  EXPECT_EQ(residual.at("grade"), "U90");
  EXPECT_EQ(residual.at("stage"), "bulk_insert");
  EXPECT_EQ(scan_row(scans, "fixed:4096", "all", "zero_bytes").at("value"), "100");
  EXPECT_EQ(scan_row(scans, "census", "all", "copies_whole").at("value"), "399");
  EXPECT_EQ(scan_row(scans, "census", "all", "copies_by_bytes").at("value"), "399.5");
  EXPECT_EQ(scan_row(scans, "census", "all", "share_located").at("value"), "0.75");
  EXPECT_EQ(scan_row(scans, "census", "all", "gone_copies_whole").at("value"), "2");
  EXPECT_EQ(scan_row(scans, "census", "log", "located_bytes").at("value"), "50");
  EXPECT_EQ(scan_row(scans, "", "", "left_out").at("value"), "1");
}

TEST(ScansCsv, AShareOfNothingAndAScanThatFailedAreBlankWithTheirReason) {
  StageRecord record = scanned_record();
  const Written empty_part = scans_of(one_record(record));
  EXPECT_EQ(scan_row(empty_part, "fixed:4096", "log", "residual").at("value"), "");
  EXPECT_EQ(scan_row(empty_part, "fixed:4096", "log", "residual").at("reason"), "no bytes");
  record.scan = StageScan{.missing = "not done within the limit of 1m"};
  const Written failed = scans_of(one_record(record));
  ASSERT_EQ(failed.table.size(), 1U);
  EXPECT_EQ(failed.table[0].at("metric"), "scan");
  EXPECT_EQ(failed.table[0].at("value"), "");
  EXPECT_EQ(failed.table[0].at("reason"), "not done within the limit of 1m");
}

TEST(ScansCsv, RecordsThatWereNotScannedOrDoNotCountHaveNoRow) {
  StageRecord superseded = scanned_record();
  superseded.superseded = true;
  RunData run = one_record(superseded);
  add_record(run, make_record({.grade = 90}));
  EXPECT_TRUE(scans_of(run).table.empty());
}

}  // namespace
}  // namespace lab::report
