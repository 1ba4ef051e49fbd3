// Local real data: which files count, in which order, what they become, and every way in which they cannot be
// read. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "payload/archive_test_support.hpp"
#include "payload/numeric_table.hpp"
#include "payload/payload_test_support.hpp"
#include "payload/real_kinds.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

/// The whole stream of a kind.
Result<std::string> stream_of(const TemporaryFolder& folder, std::string_view name,
                              Bytes expanded_max = Bytes{1LL << 30}, SourceTally* tally = nullptr) {
  const RealKind& kind = *find_real_kind(name);
  std::string stream;
  const auto met = visit_sources({.root = folder.path(),
                                  .kind = std::string(name),
                                  .is_wanted = [&kind](std::string_view c) { return is_read(kind, c); },
                                  .expanded_max = expanded_max,
                                  .temporary = fs::temp_directory_path()},
                                 [&](const SourceFile& file) {
                                   return kind.convert(file, [&stream](std::string_view bytes) {
                                     stream += bytes;
                                     return ok();
                                   });
                                 });
  if (!met) return met.error();
  if (tally != nullptr) *tally = *met;
  return stream;
}

void expect_error(const Result<std::string>& read, ErrorCode code, const std::string& words) {
  ASSERT_FALSE(read) << "no error with " << words;
  EXPECT_EQ(read.error().code, code) << read.error().text();
  EXPECT_NE(read.error().detail.find(words), std::string::npos) << read.error().detail;
}

/// A spreadsheet of one sheet; a cell that begins with "=" is a number.
void write_spreadsheet(const fs::path& path, const std::vector<std::vector<std::string>>& rows) {
  const std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
  const std::string office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  const std::string package = "http://schemas.openxmlformats.org/package/2006/";
  const std::string main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  const std::string type = "application/vnd.openxmlformats-officedocument.spreadsheetml.";
  std::string sheet = xml + "<worksheet xmlns=\"" + main + "\"><sheetData>";
  for (std::size_t row = 0; row < rows.size(); ++row) {
    sheet += "<row r=\"" + std::to_string(row + 1) + "\">";
    for (std::size_t column = 0; column < rows[row].size(); ++column) {
      const std::string& cell = rows[row][column];
      const std::string at =
          "<c r=\"" + std::string(1, static_cast<char>('A' + column)) + std::to_string(row + 1);
      sheet += cell.starts_with('=') ? at + "\"><v>" + cell.substr(1) + "</v></c>"
                                     : at + "\" t=\"inlineStr\"><is><t>" + cell + "</t></is></c>";
    }
    sheet += "</row>";
  }
  sheet += "</sheetData></worksheet>";
  const fs::path zip = path.string() + ".zip";
  write_archive(
      zip,
      {{"[Content_Types].xml",
        xml + "<Types xmlns=\"" + package + "content-types\"><Default Extension=\"rels\" ContentType=\"" +
            "application/vnd.openxmlformats-package.relationships+xml\"/>" +
            "<Override PartName=\"/xl/workbook.xml\" ContentType=\"" + type + "sheet.main+xml\"/>" +
            "<Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"" + type +
            "worksheet+xml\"/></Types>"},
       {"_rels/.rels", xml + "<Relationships xmlns=\"" + package +
                           "relationships\"><Relationship Id=\"rId1\" " + "Type=\"" + office +
                           "/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"},
       {"xl/_rels/workbook.xml.rels", xml + "<Relationships xmlns=\"" + package +
                                          "relationships\"><Relationship Id=\"rId1\" Type=\"" + office +
                                          "/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"},
       {"xl/workbook.xml",
        xml + "<workbook xmlns=\"" + main + "\" xmlns:r=\"" + office +
            "\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"},
       {"xl/worksheets/sheet1.xml", sheet}});
  fs::rename(zip, path);
}

void write_sqlite(const fs::path& path, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);
}

TEST(RealData, IsReadInOrderOfThePathsInFoldersAndInArchives) {
  const TemporaryFolder folder;
  folder.write("text_corpus/b.txt", "[b]");
  folder.write("text_corpus/a/z.md", "[a/z]");
  folder.write("text_corpus/c.json", "[c]");
  folder.write("text_corpus/photo.jpg", "not text");
  folder.write("text_corpus_of_others/x.txt", "not ours");
  write_archive(folder.path() / "text_corpus/a.zip",
                {{"2.txt", "[zip 2]"}, {"1.txt", "[zip 1]"}, {"3.png", "x"}, {"4.txt.gz", "x"}});
  write_archive(folder.path() / "text_corpus/bb.txt.gz", {{"data", "[gz]"}});
  write_archive(folder.path() / "text_corpus.tar.zst", {{"t.txt", "[tar]"}, {"l", "-> t.txt"}});
  fs::create_symlink("b.txt", folder.path() / "text_corpus/link.txt");
  SourceTally tally;
  const auto stream = stream_of(folder, "text_corpus", Bytes{1'000}, &tally);
  ASSERT_TRUE(stream) << stream.error().text();
  EXPECT_EQ(*stream, "[zip 1][zip 2][a/z][b][gz][c][tar]");
  EXPECT_EQ(tally.files, 7U);
  EXPECT_EQ(tally.left_out, 3U) << "two of other types, one archive in an archive";
  EXPECT_EQ(tally.symlinks, 2U);
}

TEST(RealData, OfTextIsTextAsItIsAndThatOfSqliteTables) {
  const TemporaryFolder folder;
  folder.write("text_corpus/1.json", "{\"a\": 1}\n");
  write_sqlite(folder.path() / "text_corpus/2.sqlite",
               "PRAGMA journal_mode=WAL; CREATE TABLE b(x INTEGER, y TEXT, z BLOB);"
               "CREATE TABLE \"a \"\"quoted\"\"\"(t TEXT); INSERT INTO \"a \"\"quoted\"\"\" VALUES('first');"
               "INSERT INTO b VALUES(1, 'second', x'00'), (2, NULL, NULL), (3, 'third', NULL);"
               "CREATE VIEW c AS SELECT 'never' AS t;");
  EXPECT_EQ(*stream_of(folder, "text_corpus"), "{\"a\": 1}\nfirst\nsecond\nthird\n");
  folder.write("text_corpus/3.db", "SQLite format 3, but no more than that: a file that was cut short");
  expect_error(stream_of(folder, "text_corpus"), ErrorCode::kCorruption, "text_corpus/3.db: ");
  std::filesystem::remove(folder.path() / "text_corpus/3.db");
  folder.write("text_corpus/2.sqlite-wal", "");
  EXPECT_TRUE(stream_of(folder, "text_corpus")) << "an empty log holds nothing";
  folder.write("text_corpus/2.sqlite-wal", "rows that the database itself does not have yet");
  expect_error(stream_of(folder, "text_corpus"), ErrorCode::kRefused, "text_corpus/2.sqlite-wal: ");
}

TEST(RealData, OfBanksComesFromTextTablesAndSpreadsheetsAlike) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "bank_transactions");
  folder.write("bank_transactions/1.csv",
               "Buchungstag;Betrag;Verwendungszweck\n31.12.2024;-1.234,50;Miete\n");
  write_spreadsheet(folder.path() / "bank_transactions/2.xlsx",
                    {{"Buchungstag", "Betrag", "Verwendungszweck"}, {"02.01.2025", "=-7.25", "Brot"}});
  const auto stream = stream_of(folder, "bank_transactions");
  ASSERT_TRUE(stream) << stream.error().text();
  EXPECT_EQ(*stream, "2024-12-31,-1234.50,,,Miete,\n2025-01-02,-7.25,,,Brot,\n");
  write_archive(folder.path() / "bank_transactions.zip", {{"x.xlsx", "this is no spreadsheet"}});
  expect_error(stream_of(folder, "bank_transactions"), ErrorCode::kCorruption,
               "bank_transactions.zip: x.xlsx: ");
}

TEST(RealData, OfNumbersIsEightBytesEach) {
  const TemporaryFolder folder;
  folder.write("numeric_dataset/1.csv", "id,value\na,1.5\nb,?\n");
  write_sqlite(folder.path() / "numeric_dataset/2.db",
               "CREATE TABLE t(a, b, c); INSERT INTO t VALUES(1, 'word', NULL), (2.5, NULL, 7);");
  write_spreadsheet(folder.path() / "numeric_dataset/3.xlsx", {{"n"}, {"=42"}});
  const auto stream = stream_of(folder, "numeric_dataset");
  ASSERT_TRUE(stream) << stream.error().text();
  EXPECT_EQ(*stream, number_bytes(1.5) + number_bytes(std::nan("")) + number_bytes(1) +
                         number_bytes(std::nan("")) + number_bytes(2.5) + number_bytes(7) + number_bytes(42));
  write_sqlite(folder.path() / "numeric_dataset/2.db", "INSERT INTO t VALUES('7', '', 8);");
  expect_error(stream_of(folder, "numeric_dataset"), ErrorCode::kCorruption,
               "numeric_dataset/2.db: 't': row 3: column 1 'a' holds '7', and numbers in other rows");
}

TEST(RealData, SaysWhatToPutWhere) {
  const TemporaryFolder folder;
  expect_error(stream_of(folder, "text_corpus"), ErrorCode::kNotFound,
               "has no text_corpus: put a folder text_corpus, or a file text_corpus.*");
  const auto nowhere = Dataset::make(spec_of("text_corpus", 1, 0, Bytes{4}));
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(nowhere.error().detail.find("--real-world-dir"), std::string::npos) << nowhere.error().detail;
  fs::create_directory(folder.path() / "text_corpus");
  const auto empty = Dataset::make(spec_of("text_corpus", 1, 0, Bytes{4}), {folder.path().string()});
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, ErrorCode::kNotFound);
  EXPECT_NE(empty.error().detail.find(".txt"), std::string::npos) << empty.error().detail;
  fs::remove(folder.path() / "text_corpus");
  fs::create_directory_symlink("/tmp", folder.path() / "text_corpus");
  expect_error(stream_of(folder, "text_corpus"), ErrorCode::kInvalidArgument, "links are not followed");
}

TEST(RealData, CountsWhatAllArchivesExpandToTogether) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "text_corpus");
  for (const char* name : {"text_corpus/1.zip", "text_corpus/2.zip"})
    write_archive(folder.path() / name, {{"a.txt", std::string(600, 'x')}});
  expect_error(stream_of(folder, "text_corpus", Bytes{1'000}), ErrorCode::kResourceExhausted,
               "text_corpus/2.zip: a.txt: expands beyond the limit of 1000");
  EXPECT_TRUE(stream_of(folder, "text_corpus", Bytes{1'200}));
}

TEST(RealData, DoesNotExpandABombInAnArchive) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "text_corpus");
  write_archive(folder.path() / "bomb.zip", {{"zeros.txt", std::string(20U << 20U, '\0')}});
  write_archive(folder.path() / "text_corpus/outer.tar.gz",
                {{"bomb.zip", *read_file(folder.path() / "bomb.zip")}, {"a.txt", "text"}});
  SourceTally tally;
  const auto stream = stream_of(folder, "text_corpus", Bytes{1'000}, &tally);
  ASSERT_TRUE(stream) << stream.error().text();
  EXPECT_EQ(*stream, "text");
  EXPECT_EQ(tally.left_out, 1U);
}

TEST(RealData, NamesTheFileThatCannotBeRead) {
  const TemporaryFolder folder;
  folder.write("text_corpus/secret.txt", "x");
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder.path() / "text_corpus", fs::perms::all);
  fs::permissions(folder.path() / "text_corpus/secret.txt", fs::perms::none);
  constexpr uid_t kNobody = 65'534;  // Root reads everything: become somebody else for the reading.
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  const auto stream = stream_of(folder, "text_corpus");
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  expect_error(stream, ErrorCode::kRefused, "secret.txt");
}

TEST(RealData, NoticesAFileThatShrinksOrGrowsWhileItIsRead) {
  for (const std::uintmax_t size : {std::uintmax_t{1}, std::uintmax_t{5U << 20U}}) {
    const TemporaryFolder folder;
    folder.write("text_corpus/a.txt", std::string(3U << 20U, 'x'));
    const auto met = visit_sources({.root = folder.path(),
                                    .kind = "text_corpus",
                                    .is_wanted = [](std::string_view) { return true; },
                                    .temporary = fs::temp_directory_path()},
                                   [&](const SourceFile& file) {
                                     fs::resize_file(folder.path() / "text_corpus/a.txt", size);
                                     return file.read([](std::span<const std::byte>) { return ok(); });
                                   });
    ASSERT_FALSE(met) << size;
    EXPECT_EQ(met.error().code, ErrorCode::kCorruption);
    EXPECT_EQ(met.error().detail, "text_corpus/a.txt: shrank or grew while it was read");
  }
}

/// Slices "0000", "0001", ... and the first `again` of them a second time, then half a slice.
void write_slices(const TemporaryFolder& folder, int slices, int again) {
  std::string text;
  for (int i = 0; i < slices + again; ++i) {
    const std::string number = std::to_string(i % slices);
    text += std::string(4 - number.size(), '0') + number;
  }
  // Two files: a slice may begin in one and end in the next.
  folder.write("text_corpus/1.txt", text.substr(0, 6));
  folder.write("text_corpus/2.txt", text.substr(6) + "xx");
}

TEST(RealData, IsCutIntoSlicesOfWhichEqualOnesAreSkippedAndCounted) {
  const TemporaryFolder folder;
  write_slices(folder, 40, 7);
  const DatasetInputs places{folder.path().string()};
  const auto dataset = Dataset::make(spec_of("text_corpus", 40, 0, Bytes{4}), places);
  ASSERT_TRUE(dataset) << dataset.error().text();
  std::set<std::string> contents;
  std::vector<std::string> order;
  for (std::uint64_t content = 0; content < 40; ++content) {
    order.push_back(text_of(**dataset, content));
    contents.insert(order.back());
    EXPECT_EQ(*(*dataset)->source().size_of(content), Bytes{4});
  }
  EXPECT_EQ(contents.size(), 40U);
  EXPECT_FALSE(std::ranges::is_sorted(order)) << "the seed decides the order";
  const RealDataReport report = *(*dataset)->real_data_report();
  EXPECT_EQ(report.files, 2U);
  EXPECT_EQ(report.bytes, Bytes{47 * 4 + 2});
  EXPECT_EQ(report.pieces, 40U);
  EXPECT_EQ(report.equal_pieces, 7U);
  EXPECT_EQ(report.left_over, Bytes{2});
  EXPECT_EQ((*dataset)->source().mime_of(0), "text/plain; charset=utf-8");
  std::vector<std::byte> bytes;
  EXPECT_FALSE((*dataset)->source().fill(40, bytes));

  const auto half = Dataset::make(spec_of("text_corpus", 40, 50, Bytes{4}), places);
  ASSERT_TRUE(half);
  for (std::uint64_t content = 0; content < 20; ++content)
    EXPECT_EQ(text_of(**half, content), order[content])
        << "the originals of a grade are the first ones of U0";
  EXPECT_EQ(*(*Dataset::make(spec_of("text_corpus", 39, 0, Bytes{4}), places))->spare_content(0), 39U);
}

TEST(RealData, TooLittleOfItIsAnErrorThatSaysHowManySlicesThereAre) {
  const TemporaryFolder folder;
  write_slices(folder, 12, 3);
  const auto dataset = Dataset::make(spec_of("text_corpus", 13, 0, Bytes{4}), {folder.path().string()});
  ASSERT_FALSE(dataset);
  EXPECT_EQ(dataset.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(dataset.error().detail.find("13 objects asked"), std::string::npos);
  EXPECT_NE(
      dataset.error().detail.find("12 different slices of 4 (2 files, 62 bytes, 3 equal slices skipped)"),
      std::string::npos)
      << dataset.error().detail;
}

TEST(RealData, RefusesSizesThatVaryAndCompressedShares) {
  const TemporaryFolder folder;
  write_slices(folder, 12, 0);
  DatasetSpec varying = spec_of("text_corpus", 2, 0, {});
  varying.object_size = {.kind = SizeLaw::Kind::kUniform, .low = Bytes{2}, .high = Bytes{4}};
  DatasetSpec compressible = spec_of("text_corpus", 2, 0, Bytes{4});
  compressible.compressible = 500;
  for (const DatasetSpec& spec : {varying, compressible}) {
    EXPECT_EQ(Dataset::check(spec, {folder.path().string()}).error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(Dataset::make(spec, {folder.path().string()}));
  }
  EXPECT_TRUE(Dataset::check(spec_of("text_corpus", 12, 0, Bytes{4}), {folder.path().string()}));
}

}  // namespace
}  // namespace lab
