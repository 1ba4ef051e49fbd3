// Whole records of real data: what a record of each kind is, and what is none.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cmath>
#include <set>

#include "payload/bank_record.hpp"
#include "payload/numeric_table.hpp"
#include "payload/payload_test_support.hpp"
#include "payload/real_data_test_support.hpp"

namespace lab {
namespace {

DatasetSpec records_of(std::string kind, std::uint64_t objects) {
  DatasetSpec spec = spec_of(std::move(kind), objects, 0, {});
  spec.object_size = {.kind = SizeLaw::Kind::kRecord};
  return spec;
}

/// As many different records as there are, each as long as its size says.
std::set<std::string> all_records(const TemporaryFolder& folder, const std::string& kind,
                                  std::uint64_t count) {
  const auto dataset = Dataset::make(records_of(kind, count), {folder.path().string()});
  EXPECT_TRUE(dataset) << dataset.error().text();
  std::set<std::string> records;
  for (std::uint64_t content = 0; dataset && content < count; ++content) {
    const std::string text = text_of(**dataset, content);
    EXPECT_EQ(*(*dataset)->source().size_of(content), Bytes{std::ssize(text)});
    records.insert(text);
  }
  return records;
}

std::string detail_of(const TemporaryFolder& folder, const DatasetSpec& spec) {
  const Status checked = Dataset::check(spec, {folder.path().string()});
  EXPECT_FALSE(checked);
  EXPECT_FALSE(Dataset::make(spec, {folder.path().string()}));
  return checked ? "" : checked.error().detail;
}

TEST(RealRecords, OfABankAreItsTransactionsWithTwoDecimalsAndInOneLine) {
  const TemporaryFolder folder;
  folder.write("bank_transactions/a.csv",
               "Date,Amount,Currency,Payee,Purpose,Balance\n"
               "2024-12-31 10:00,-1234.5,EUR,\"A, \"\"B\"\"\",\"two\nlines\",7\n"
               "01.02.2024,0010,,,,\n"
               "2024-02-01,10.00,,,,\n");
  folder.write("bank_transactions/b.csv", "Datum;Betrag\n3.4.24;-0,00\n");
  EXPECT_EQ(all_records(folder, "bank_transactions", 3),
            (std::set<std::string>{"2024-12-31\t-1234.50\tEUR\tA, \"B\"\ttwo lines\t7.00\n",
                                   "2024-02-01\t10.00\t\t\t\t\n", "2024-04-03\t0.00\t\t\t\t\n"}));
  const auto dataset = Dataset::make(records_of("bank_transactions", 3), {folder.path().string()});
  const RealDataReport report = *(*dataset)->real_data_report();
  EXPECT_TRUE(report.records);
  EXPECT_EQ(report.pieces, 3U);
  EXPECT_EQ(report.equal_pieces, 1U) << "10.00 is 0010 once more";
  EXPECT_EQ((*dataset)->source().mime_of(0), "text/tab-separated-values; charset=utf-8");
}

TEST(RealRecords, WhatAColumnCannotHoldIsNamedWithItsLine) {
  struct Case {
    std::string row{};
    const char* words = "";
  };
  for (const Case& c : {Case{"01/02/2024,1,,,,",
                             "a.csv:2: column 1 'Date' holds '01/02/2024': '01/02/2024' is no day such as"},
                        Case{"31.12.2023 noon,1,,,,",
                             "column 1 'Date' holds '31.12.2023 noon': '31.12.2023 noon' is no day such as "
                             "2024-12-31 or 31.12.2024, with a time"},
                        Case{"2024-01-01,1,,,,\"about\n\x1b[5\"", "balance 'about\\n\\x1b[5' is none"},
                        Case{"0999-01-01,1,,,,", "'0999-01-01' is no day"},
                        Case{"2024-01-01,1.234,,,,",
                             "a.csv:2: column 2 'Amount' holds '1.234': amount '1.234' is none of up to 13"},
                        Case{"2024-01-01,\"1,234.567\",,,,",
                             "column 2 'Amount' holds '1,234.567': amount '1234.567' is none"},
                        Case{"2024-01-01 24:05,1,,,,", "'2024-01-01 24:05' is no day"},
                        Case{"2024-01-01,10000000000000,,,,", "amount '10000000000000' is none"},
                        Case{"2024-01-01,1,,,,about 5",
                             "a.csv:2: column 6 'Balance' holds 'about 5': balance 'about 5' is none"},
                        Case{"2024-01-01,1,12345678901234567,,,",
                             "a currency of 17 characters, a record has at "
                             "most 16"},
                        Case{"2024-01-01,1,," + std::string(256, 'x') + ",,", "a counterparty of 256"},
                        Case{"2024-01-01,1,,," + std::string(2'001, 'x') + ",", "a purpose of 2001"}}) {
    SCOPED_TRACE(c.words);
    const TemporaryFolder folder;
    folder.write("bank_transactions/a.csv", "Date,Amount,Currency,Payee,Purpose,Balance\n" + c.row + "\n");
    EXPECT_NE(detail_of(folder, records_of("bank_transactions", 1)).find(c.words), std::string::npos)
        << detail_of(folder, records_of("bank_transactions", 1));
  }
}

TEST(RealRecords, OfASpreadsheetLoseWhatBinaryArithmeticLeavesBehindTheDecimals) {
  const auto amount_of = [](const char* amount, bool binary) {
    const auto record = bank_record({.date = "2024-01-01", .amount = amount}, binary);
    return record ? record->substr(11, record->find('\t', 11) - 11) : std::string("none");
  };
  EXPECT_EQ(amount_of("-0.30000000000000004", true), "-0.30");
  EXPECT_EQ(amount_of("0.99999999", true), "1.00");
  EXPECT_EQ(amount_of("9999999999999.99", true), "9999999999999.99");
  EXPECT_EQ(amount_of("0.305", true), "none");
  EXPECT_EQ(amount_of("0.30000000000000004", false), "none") << "a text says what it means";
}

TEST(RealRecords, OfTextsAreWholeFilesAndLinesAndValuesInUtf8) {
  const TemporaryFolder folder;
  folder.write("text_corpus/a.txt", "one\ntwo\n");
  folder.write("text_corpus/b.txt",
               "Gr\xF6\xDF"
               "e");
  folder.write("text_corpus/c.jsonl", "{\"a\": 1}\r\n\n{\"a\": 2}");
  folder.write("text_corpus/d.txt", "");
  folder.write("text_corpus/e.md", "one\ntwo\n");
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((folder.path() / "text_corpus/f.db").c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "CREATE TABLE t(a, b); INSERT INTO t VALUES('value', 5)", nullptr, nullptr,
                         nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  EXPECT_EQ(all_records(folder, "text_corpus", 5),
            (std::set<std::string>{"one\ntwo\n", "Größe", "{\"a\": 1}", "{\"a\": 2}", "value"}));
  const auto dataset = Dataset::make(records_of("text_corpus", 5), {folder.path().string()});
  const RealDataReport report = *(*dataset)->real_data_report();
  EXPECT_EQ(report.equal_pieces, 1U);
  EXPECT_EQ(report.empty, 2U) << "a file and a line without a character";
  folder.write("text_corpus/g.txt", std::string("a\0b", 3));
  const TemporaryFolder other;  // What was read once is not read again.
  other.write("text_corpus/g.txt", std::string("a\0b", 3));
  EXPECT_NE(detail_of(other, records_of("text_corpus", 1)).find("text_corpus/g.txt: a zero byte"),
            std::string::npos);
}

TEST(RealRecords, HaveNeitherABalanceWithoutADigitNorADayWithOtherWordsBehindIt) {
  for (const auto& [row, says] : {std::pair{"2024-01-01,5,-", "balance '-' is none"},
                                  {"2024-01-01 garbage,5,1", "is no day such as"}}) {
    const TemporaryFolder folder;
    folder.write("bank_transactions/a.csv", std::string("Date,Amount,Balance\n") + row + "\n");
    EXPECT_NE(detail_of(folder, records_of("bank_transactions", 1)).find(says), std::string::npos)
        << detail_of(folder, records_of("bank_transactions", 1));
  }
  const TemporaryFolder folder;
  folder.write("bank_transactions/a.csv", "Date,Amount\n2024-01-01 10:15:00,5\n");
  EXPECT_EQ(all_records(folder, "bank_transactions", 1), std::set<std::string>{"2024-01-01\t5.00\t\t\t\t\n"});
}

TEST(RealRecords, OfNumbersAreTheRowsOfTheirTables) {
  const TemporaryFolder folder;
  folder.write("numeric_dataset/a.csv", "x,name,y\n1,a,2.5\n1,b,NA\n1,c,2.5\n");
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((folder.path() / "numeric_dataset/b.db").c_str(), &database), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(database, "CREATE TABLE t(a, b, c); INSERT INTO t VALUES('name', 5, NULL), ('b', NULL, 5)",
                   nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(database);
  EXPECT_EQ(all_records(folder, "numeric_dataset", 4),
            (std::set<std::string>{
                number_bytes(1) + number_bytes(2.5), number_bytes(1) + number_bytes(std::nan("")),
                number_bytes(5) + number_bytes(std::nan("")), number_bytes(std::nan("")) + number_bytes(5)}));
}

TEST(RealRecords, TooFewOfThemIsAnErrorThatSaysHowManyThereAre) {
  const TemporaryFolder folder;
  write_real_records(folder.path(), 12);
  for (const char* kind : {"bank_transactions", "text_corpus", "numeric_dataset"})
    EXPECT_NE(detail_of(folder, records_of(kind, 13)).find("has 12 different records ("), std::string::npos)
        << detail_of(folder, records_of(kind, 13));
}

TEST(RealRecords, AreOfTheKindsThatHaveSomeAndOfNoOther) {
  const TemporaryFolder folder;
  folder.write("github_events/a.json", "{}");
  EXPECT_NE(
      detail_of(folder, records_of("github_events", 1))
          .find("github_events has no records, which bank_transactions, text_corpus, numeric_dataset have"),
      std::string::npos);
  EXPECT_NE(detail_of(folder, records_of("random_binary", 1)).find("object size record: of real data"),
            std::string::npos);
}

TEST(RealRecords, AreCopiedAsTheGradeSays) {
  const TemporaryFolder folder;
  write_real_records(folder.path(), 20);
  DatasetSpec spec = records_of("bank_transactions", 20);
  spec.grade = 50;
  const auto dataset = Dataset::make(spec, {folder.path().string()});
  ASSERT_TRUE(dataset) << dataset.error().text();
  EXPECT_EQ((*dataset)->distinct(), 10U);
}

}  // namespace
}  // namespace lab
