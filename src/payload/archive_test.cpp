// Archives: each type is read, and none that is broken, forged or a bomb gets through.
// SPDX-License-Identifier: Apache-2.0
#include "payload/archive.hpp"

#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "payload/archive_test_support.hpp"
#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

/// What read_archive gave, with its outcome.
struct Read {
  ArchiveFiles files{};
  Result<ArchiveTally> tally = ArchiveTally{};
};

Read read_all(const fs::path& path, Bytes limit = Bytes{1LL << 30}, const std::string& unwanted = {}) {
  Read read;
  ExpansionBudget budget{.limit = limit};
  read.tally = read_archive(path, budget,
                            {.begin = [&](const std::string& name) -> Result<bool> {
                               if (name == unwanted) return false;
                               read.files.emplace_back(name, "");
                               return true;
                             },
                             .bytes =
                                 [&](std::span<const std::byte> bytes) {
                                   read.files.back().second += as_text(bytes);
                                   return ok();
                                 }});
  return read;
}

void expect_error(const Read& read, ErrorCode code, const std::string& words) {
  ASSERT_FALSE(read.tally) << "no error with " << words;
  EXPECT_EQ(read.tally.error().code, code) << read.tally.error().text();
  EXPECT_NE(read.tally.error().detail.find(words), std::string::npos) << read.tally.error().detail;
}

/// Bytes that no compression makes much smaller.
std::string noise(std::size_t size) {
  std::vector<std::byte> bytes;
  make_random_binary({1, 2}, size, bytes);
  return std::string(as_text(bytes));
}

TEST(Archive, GivesEachFileOfEachTypeWithItsBytes) {
  const TemporaryFolder folder;
  const ArchiveFiles files = {{"b/one.txt", noise(3'000'000)}, {"a.txt", "two"}, {"größe.txt", ""}};
  for (const char* name : {"x.zip", "x.tar", "x.tar.gz", "x.tar.bz2", "x.tar.xz", "x.tar.zst", "X.ZIP"}) {
    SCOPED_TRACE(name);
    const fs::path made = folder.path() / (name == std::string("X.ZIP") ? "y.zip" : name);
    write_archive(made, files);
    if (name == std::string("X.ZIP")) fs::rename(made, folder.path() / name);
    EXPECT_TRUE(is_archive_name(name));
    const Read read = read_all(folder.path() / name);
    ASSERT_TRUE(read.tally) << read.tally.error().text();
    EXPECT_EQ(read.files, files);
    EXPECT_EQ(read.tally->files, 3U);
  }
}

TEST(Archive, GivesTheOneFileOfACompressedOneUnderItsNameWithoutTheEnding) {
  const TemporaryFolder folder;
  for (const char* name : {"book.txt.gz", "book.txt.bz2", "book.txt.xz", "book.txt.zst"})
    for (const std::string& text : {noise(2'500'000), std::string()}) {
      SCOPED_TRACE(name);
      write_archive(folder.path() / name, {{"data", text}});
      const Read read = read_all(folder.path() / name);
      ASSERT_TRUE(read.tally) << read.tally.error().text();
      if (!text.empty()) {
        EXPECT_EQ(read.files, (ArchiveFiles{{"book.txt", text}}));
      }
    }
  EXPECT_EQ(content_name("a.csv"), "a.csv");
  EXPECT_EQ(content_name("a.csv.GZ"), "a.csv");
  EXPECT_EQ(content_name("a.tar.gz"), std::nullopt);
  EXPECT_FALSE(is_archive_name("a.7z"));
}

TEST(Archive, LeavesOutLinksAndWhatIsNotWantedAndCountsThem) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.tar.gz";
  write_archive(path, {{"a", "1"}, {"link", "-> /etc/passwd"}, {"./b", "2"}, {"c", "3"}});
  const Read read = read_all(path, Bytes{1'000}, "a");
  ASSERT_TRUE(read.tally) << read.tally.error().text();
  EXPECT_EQ(read.files, (ArchiveFiles{{"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(read.tally->files, 3U);
  EXPECT_EQ(read.tally->skipped, 1U);
  EXPECT_EQ(read.tally->others, 1U);
}

TEST(Archive, RefusesANameThatIsNoPlainPathBelowIt) {
  const TemporaryFolder folder;
  struct Case {
    const char* name;
    const char* words;
  };
  for (const Case& c : {Case{"../evil", "leads upwards"}, Case{"a/../../evil", "leads upwards"},
                        Case{"a\\..\\evil", "leads upwards"}, Case{"/etc/evil", "an absolute name"},
                        Case{"C:evil", "an absolute name"}, Case{"e\x1bvil", "control characters"}}) {
    SCOPED_TRACE(c.name);
    for (const std::string name : {"forged.tar.gz", "forged.zip"}) {
      write_archive(folder.path() / name, {{"good", "1"}, {c.name, "2"}});
      const Read read = read_all(folder.path() / name);
      expect_error(read, ErrorCode::kRefused, c.words);
      expect_error(read, ErrorCode::kRefused, name + ": ");
      EXPECT_EQ(read.files, (ArchiveFiles{{"good", "1"}})) << "nothing of the forged one was given";
    }
  }
}

TEST(Archive, RefusesAnEncryptedEntryByItsName) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "secret.zip";
  for (const char* how : {"zip:encryption=aes256", "zip:encryption=zipcrypt"}) {
    write_archive(path, {{"plan.txt", "nobody knows"}}, how, "password");
    expect_error(read_all(path), ErrorCode::kRefused, "secret.zip: plan.txt: encrypted");
  }
}

TEST(Archive, IsAnErrorAtEachLengthThatItIsCutTo) {
  const TemporaryFolder folder;
  for (const char* name : {"x.zip", "x.tar.gz", "x.tar.bz2", "x.tar.xz", "x.tar.zst", "x.txt.gz", "x.txt.bz2",
                           "x.txt.xz", "x.txt.zst"}) {
    const fs::path path = folder.path() / name;
    write_archive(path, {{"one", noise(20'000)}});
    const auto whole = fs::file_size(path);
    for (const std::uintmax_t size :
         {whole - 1, whole - 9, whole * 3 / 4, whole / 2, whole / 4, std::uintmax_t{20}, std::uintmax_t{0}}) {
      SCOPED_TRACE(std::string(name) + " cut to " + std::to_string(size) + " of " + std::to_string(whole));
      write_archive(path, {{"one", noise(20'000)}});
      fs::resize_file(path, size);
      expect_error(read_all(path), ErrorCode::kCorruption, name);
    }
  }
}

TEST(Archive, OfGzipIsHeldAgainstItsChecksum) {
  const TemporaryFolder folder;
  for (const std::string name : {"x.txt.gz", "x.tar.gz"}) {
    const fs::path path = folder.path() / name;
    write_archive(path, {{"one", noise(20'000)}});
    const std::string packed = *read_file(path);
    for (const std::size_t at : {std::size_t{500}, packed.size() / 2, packed.size() - 6, packed.size() - 1}) {
      SCOPED_TRACE(name + " changed at " + std::to_string(at));
      std::string changed = packed;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      folder.write(name, changed);
      expect_error(read_all(path), ErrorCode::kCorruption, name);
    }
  }
}

TEST(Archive, OfAnyCompressionHasNothingBehindItsStreams) {
  const TemporaryFolder folder;
  for (const std::string name :
       {"x.txt.gz", "x.tar.gz", "x.txt.bz2", "x.tar.bz2", "x.txt.xz", "x.tar.xz", "x.txt.zst", "x.tar.zst"}) {
    SCOPED_TRACE(name);
    const fs::path path = folder.path() / name;
    write_archive(path, {{"one", noise(20'000)}});
    const std::string packed = *read_file(path);
    for (const std::string& behind :
         {std::string("more"), noise(3U << 20U), std::string(1, '\0'), std::string(512, '\0'),
          std::string(3, '\0') + packed, std::string(3U << 20U, '\0')}) {
      SCOPED_TRACE(behind.size());
      folder.write(name, packed + behind);
      expect_error(read_all(path), ErrorCode::kCorruption, name);
    }
  }
  for (const std::string ending : {".txt.gz", ".txt.bz2", ".txt.xz", ".txt.zst"}) {
    SCOPED_TRACE(ending);
    write_archive(folder.path() / ("y" + ending), {{"one", "and one"}});
    write_archive(folder.path() / ("z" + ending), {{"one", ", two"}});
    const fs::path both = folder.path() / ("both" + ending);
    folder.write(both.filename(),
                 *read_file(folder.path() / ("y" + ending)) + *read_file(folder.path() / ("z" + ending)));
    EXPECT_EQ(read_all(both).files, (ArchiveFiles{{"both.txt", "and one, two"}}));
  }
}

TEST(Archive, OfTarThatWasCutBetweenTwoEntriesIsBroken) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.tar";
  const ArchiveFiles files = {{"one", std::string(1'024, 'x')}, {"two", std::string(2'048, '\0')}};
  write_archive(path, files);
  const std::string whole = *read_file(path);
  const std::size_t first = whole.find("two");
  ASSERT_NE(first, std::string::npos);
  for (const std::size_t size : {first, first + 512 + 2'048, std::size_t{0}}) {
    SCOPED_TRACE(size);
    folder.write("x.tar", whole.substr(0, size));
    expect_error(read_all(path), ErrorCode::kCorruption, "x.tar");
  }
  folder.write("x.tar", whole.substr(0, first));
  expect_error(read_all(path), ErrorCode::kCorruption, "x.tar: broken archive: it has no end behind one");
}

TEST(Archive, OfTarEndsWithTwoBlocksOfZerosAndNothingButZeros) {
  const TemporaryFolder folder;
  const ArchiveFiles files = {{"one", std::string(1'024, 'x')}, {"two", std::string(2'048, '\0')}};
  write_archive(folder.path() / "whole.tar", files);
  const std::string whole = *read_file(folder.path() / "whole.tar");
  const std::string entries = whole.substr(0, whole.find("two") + 512 + 2'048);
  const auto zeros = [](std::size_t size) { return std::string(size, '\0'); };
  struct Case {
    std::string bytes{};
    std::string words{};  // Of the error; none where it is whole.
  };
  const Case cases[] = {
      {entries + zeros(1'024), ""},
      {entries + zeros(10'240), ""},
      {entries + zeros(1'024 + 100), ""},
      {entries + zeros(3U << 20U), ""},
      {zeros(10'240), ""},
      {entries + zeros(512), "x.tar: broken archive: a lone block of zeros behind two"},
      {entries + zeros(800), "a lone block of zeros behind two"},
      {entries + zeros(512) + entries, "a lone block of zeros behind two"},
      {entries + zeros(1'024) + "more",
       "x.tar: broken archive: other bytes behind its end, which is behind two"},
      {whole + whole, "other bytes behind its end"},
      {entries + zeros(3U << 20U) + "more", "other bytes behind its end"},
      {zeros(512), "a lone block of zeros behind its beginning"},
  };
  for (const Case& one : cases)
    for (const std::string ending : {"", ".gz", ".bz2", ".xz", ".zst"}) {
      SCOPED_TRACE(std::to_string(one.bytes.size()) + " bytes, " + one.words + ending);
      const fs::path path = folder.path() / ("x.tar" + ending);
      if (ending.empty())
        folder.write("x.tar", one.bytes);
      else
        write_archive(folder.path() / ("raw" + ending), {{"data", one.bytes}});
      if (!ending.empty()) fs::rename(folder.path() / ("raw" + ending), path);
      const Read read = read_all(path);
      if (!one.words.empty()) {
        const std::string words = one.words.starts_with("x.tar") ? one.words.substr(5) : one.words;
        expect_error(read, ErrorCode::kCorruption, words);
        continue;
      }
      ASSERT_TRUE(read.tally) << read.tally.error().text();
      EXPECT_EQ(read.files, one.bytes.front() == '\0' ? ArchiveFiles{} : files);
    }
}

TEST(Archive, OfZipIsOneAndWholeAndAllOfTheFile) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.zip";
  write_archive(path, {{"b.txt", noise(100'000)}, {"a.txt", "two"}});
  const std::string whole = *read_file(path);
  std::string fewer = whole;
  for (const std::size_t at : {8U, 10U}) fewer[fewer.rfind("PK\x05\x06") + at] = 1;
  std::string commented = whole + "a comment of PK and more";
  commented[whole.size() - 2] = static_cast<char>(commented.size() - whole.size());
  struct Case {
    std::string bytes{};
    std::string words{};  // Of the error; none where it is whole.
  };
  for (const Case& one : {Case{whole, ""}, Case{commented, ""},
                          Case{whole + "more", "x.zip: other bytes behind the end of the archive"},
                          Case{whole + std::string(700, '\0'), "other bytes behind the end of the archive"},
                          Case{whole + whole, "other bytes before the archive"},
                          Case{"MZ" + whole, "other bytes before the archive"},
                          Case{fewer, "x.zip: 2 entries, and its end says that there are 1"}}) {
    SCOPED_TRACE(one.words);
    folder.write("x.zip", one.bytes);
    const Read read = read_all(path);
    if (one.words.empty())
      EXPECT_TRUE(read.tally) << read.tally.error().text();
    else
      expect_error(read, ErrorCode::kCorruption, one.words);
    ExpansionBudget budget{.limit = Bytes{1LL << 30}};
    const auto inside = read_zip("x.zip", one.bytes, budget,
                                 {.begin = [](const std::string&) { return Result<bool>(true); },
                                  .bytes = [](std::span<const std::byte>) { return ok(); }});
    EXPECT_EQ(inside.has_value(), one.words.empty());
  }
}

TEST(Archive, OfZipForLargeFilesIsReadAsAnyOther) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.zip";
  const ArchiveFiles files = {{"a.txt", "one"}, {"b.txt", noise(70'000)}};
  write_archive(path, files, "zip:zip64");
  EXPECT_EQ(read_all(path).files, files);
  ArchiveFiles many;
  for (int at = 0; at < 66'000; ++at) many.emplace_back(std::to_string(at), "");
  write_archive(path, many);
  const Read read = read_all(path);
  ASSERT_TRUE(read.tally) << read.tally.error().text();
  EXPECT_EQ(read.tally->files, 66'000U);
}

TEST(Archive, NamesTheEntryWhoseBytesAreNotThoseThatWerePacked) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.zip";
  const std::string bytes = noise(20'000);
  write_archive(path, {{"first", "1"}, {"second", bytes}}, "zip:compression=store");
  std::string packed = *read_file(path);
  const std::size_t at = packed.find(bytes);
  ASSERT_NE(at, std::string::npos);
  packed[at + 10'000] = static_cast<char>(packed[at + 10'000] ^ 1);
  folder.write("x.zip", packed);
  expect_error(read_all(path), ErrorCode::kCorruption, "x.zip: second: ");
}

TEST(Archive, IsWhatItsEndingSaysOrAnError) {
  const TemporaryFolder folder;
  write_archive(folder.path() / "really.txt.bz2", {{"data", "text"}});
  folder.write("plain.txt.gz", "this is no gzip data at all, but a text with some length to it");
  fs::copy(folder.path() / "really.txt.bz2", folder.path() / "other.txt.xz");
  fs::copy(folder.path() / "really.txt.bz2", folder.path() / "other.tar.gz");
  fs::copy(folder.path() / "really.txt.bz2", folder.path() / "other.zip");
  for (const char* name : {"plain.txt.gz", "other.txt.xz", "other.tar.gz", "other.zip"})
    expect_error(read_all(folder.path() / name), ErrorCode::kCorruption, name);
}

TEST(Archive, EndsABombAtTheLimitOfWhatItExpandsTo) {
  const TemporaryFolder folder;
  for (const char* name : {"bomb.zip", "bomb.tar.xz", "bomb.txt.gz"}) {
    SCOPED_TRACE(name);
    write_archive(folder.path() / name, {{"zeros.txt", std::string(20U << 20U, '\0')}});
    EXPECT_LT(fs::file_size(folder.path() / name), 100'000U);
    const Read read = read_all(folder.path() / name, Bytes{3LL << 20});
    expect_error(read, ErrorCode::kResourceExhausted, "expands beyond the limit of 3 MiB");
    expect_error(read, ErrorCode::kResourceExhausted, name);
    for (const auto& [entry, bytes] : read.files) EXPECT_LE(bytes.size(), 3U << 20U);
    EXPECT_TRUE(read_all(folder.path() / name, Bytes{20LL << 20}).tally);
  }
}

TEST(Archive, EndsABombOfManyEntriesAtTheLimitOfOneArchive) {
  const TemporaryFolder folder;
  ArchiveFiles many;
  for (int at = 0; at < 1'000; ++at) many.emplace_back(std::to_string(at) + std::string(100, 'n'), "");
  for (const char* name : {"many.zip", "many.tar.gz"}) {
    SCOPED_TRACE(name);
    write_archive(folder.path() / name, many);
    ExpansionBudget budget{.limit = Bytes{1LL << 30}};
    std::uint64_t begun = 0;
    const ArchiveReader count{.begin = [&begun](const std::string&) { return Result<bool>(++begun > 0); },
                              .bytes = [](std::span<const std::byte>) { return ok(); }};
    EXPECT_TRUE(read_archive(folder.path() / name, budget, count));
    budget.entries_max = 999;
    begun = 0;
    const auto entries = read_archive(folder.path() / name, budget, count);
    expect_error({.tally = entries}, ErrorCode::kResourceExhausted,
                 std::string(name) + ": beyond the limit of 999 entries in one archive");
    EXPECT_EQ(begun, 999U);
    budget.entries_max = 1'000;
    budget.names_max = Bytes{64 << 10};
    expect_error({.tally = read_archive(folder.path() / name, budget, count)}, ErrorCode::kResourceExhausted,
                 "beyond the limit of 64 KiB of names in one archive");
  }
}

TEST(Archive, NoticesThatItsFileChangedWhileItWasRead) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.tar.gz";
  write_archive(path, {{"a", "1"}});
  ExpansionBudget budget{.limit = Bytes{1'000}};
  const auto tally = read_archive(path, budget,
                                  {.begin =
                                       [&](const std::string&) {
                                         std::ofstream(path, std::ios::app) << "more";
                                         return Result<bool>(true);
                                       },
                                   .bytes = [](std::span<const std::byte>) { return ok(); }});
  ASSERT_FALSE(tally);
  EXPECT_NE(tally.error().detail.find("changed while it was read"), std::string::npos)
      << tally.error().detail;
}

}  // namespace
}  // namespace lab
