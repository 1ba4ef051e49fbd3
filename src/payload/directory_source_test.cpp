// Real files as payloads: what is taken, what is left out, and what happens when they change.
// SPDX-License-Identifier: Apache-2.0
#include "payload/directory_source.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

DatasetSpec spec_of_folder(const TemporaryFolder& folder, std::uint64_t objects, int grade = 0) {
  return spec_of("directory:" + folder.path().string(), objects, grade, {});
}

void fill_folder(const TemporaryFolder& folder, int files) {
  for (int i = 0; i < files; ++i)
    folder.write("f" + std::to_string(i) + ".txt", "content " + std::to_string(i));
}

TEST(DirectoryPayload, TakesEachDistinctContentOnceAndReportsTheRest) {
  const TemporaryFolder folder;
  folder.write("b/second.txt", "twice");
  folder.write("a.txt", "twice");
  folder.write("empty", "");
  folder.write("b/also-empty", "");
  folder.write("b/c/photo.JPG", "picture");
  fs::create_hard_link(folder.path() / "b/c/photo.JPG", folder.path() / "b/z.jpg");
  fs::create_symlink("a.txt", folder.path() / "link");
  fs::create_directory_symlink("b", folder.path() / "folder-link");
  ASSERT_EQ(::mkfifo((folder.path() / "b/pipe").c_str(), 0600), 0);

  const auto dataset = made(spec_of_folder(folder, 3));
  const DirectoryReport report = *dataset->directory_report();
  EXPECT_EQ(report.path, fs::canonical(folder.path()).string());
  EXPECT_EQ(report.files, 6U);
  EXPECT_EQ(report.bytes, Bytes{5 + 5 + 7 + 7});
  EXPECT_EQ(report.distinct, 3U);
  EXPECT_EQ(report.distinct_bytes, Bytes{5 + 7});
  EXPECT_EQ(report.duplicates, 3U);
  EXPECT_EQ(report.duplicate_names, (std::vector<std::string>{"b/second.txt", "b/z.jpg", "empty"}));
  EXPECT_EQ(report.symlinks, 2U);
  EXPECT_EQ(report.symlink_names, (std::vector<std::string>{"folder-link", "link"}));
  EXPECT_EQ(report.specials, 1U);
  EXPECT_EQ(report.special_names, std::vector<std::string>{"b/pipe"});

  std::map<std::string, std::string> found;
  for (std::uint64_t number = 0; number < 3; ++number)
    found.emplace(text_of(*dataset, number), dataset->source().mime_of(number));
  EXPECT_EQ(found,
            (std::map<std::string, std::string>{
                {"", "application/octet-stream"}, {"picture", "image/jpeg"}, {"twice", "text/plain"}}));
}

TEST(DirectoryPayload, IsInBytewisePathOrderWhateverTheFileSystemSays) {
  const TemporaryFolder folder;
  for (const char* name : {"z", "a/b", "a.b", "a-b", "B", "é"}) folder.write(name, name);
  const auto pool = scan_directory(folder.path());
  ASSERT_TRUE(pool);
  std::vector<std::string> names;
  for (const PoolFile& file : (*pool)->files) names.push_back(file.name);
  EXPECT_EQ(names, (std::vector<std::string>{"B", "a-b", "a.b", "a/b", "z", "é"}));
}

TEST(DirectoryPayload, ShufflesThePoolByTheSeedAloneSoThatGradesAndSizesShareOriginals) {
  const TemporaryFolder folder;
  fill_folder(folder, 60);
  const auto texts = [&](DatasetSpec spec, std::uint64_t count) {
    std::vector<std::string> all;
    const auto dataset = made(spec);
    for (std::uint64_t content = 0; content < count; ++content) all.push_back(text_of(*dataset, content));
    return all;
  };
  const auto whole = texts(spec_of_folder(folder, 60), 60);
  EXPECT_EQ(std::set<std::string>(whole.begin(), whole.end()).size(), 60U);
  EXPECT_FALSE(std::ranges::is_sorted(whole));
  const std::vector<std::string> first_five(whole.begin(), whole.begin() + 5);
  EXPECT_EQ(texts(spec_of_folder(folder, 50, 90), 5), first_five);
  EXPECT_EQ(texts(spec_of_folder(folder, 10, 50), 5), first_five);
  DatasetSpec other = spec_of_folder(folder, 60);
  other.dataset_seed = 8;
  EXPECT_NE(texts(other, 5), first_five);
}

TEST(DirectoryPayload, SaysHowManyObjectsItCanGive) {
  const TemporaryFolder folder;
  fill_folder(folder, 4);
  folder.write("again.txt", "content 0");
  const auto dataset = Dataset::make(spec_of_folder(folder, 5));
  ASSERT_FALSE(dataset);
  EXPECT_EQ(dataset.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(dataset.error().detail.find("4 distinct files"), std::string::npos) << dataset.error().detail;
  EXPECT_TRUE(Dataset::make(spec_of_folder(folder, 4)));
}

TEST(DirectoryPayload, RefusesAnEmptyFolderAndAFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(Dataset::make(spec_of_folder(folder, 1)).error().code, ErrorCode::kInvalidArgument);
  folder.write("file", "x");
  const auto of_file = Dataset::make(spec_of("directory:" + (folder.path() / "file").string(), 1, 0, {}));
  ASSERT_FALSE(of_file);
  EXPECT_EQ(of_file.error().code, ErrorCode::kInvalidArgument);
}

TEST(DirectoryPayload, SparesTheFilesBeyondItsObjects) {
  const TemporaryFolder folder;
  fill_folder(folder, 6);
  const auto dataset = made(spec_of_folder(folder, 4, 50));
  EXPECT_EQ(*dataset->spare_content(0), 4U);
  EXPECT_EQ(*dataset->spare_content(1), 5U);
  EXPECT_EQ(dataset->spare_content(2).error().code, ErrorCode::kInvalidArgument);
  std::vector<std::byte> bytes;
  EXPECT_FALSE(dataset->source().fill(6, bytes));
  EXPECT_FALSE(dataset->source().size_of(6));
}

TEST(DirectoryPayload, NoticesAFileThatChangedInAnyWay) {
  struct Case {
    const char* what;
    void (*change)(const fs::path&);
  };
  for (const Case& c : {
           Case{"other bytes of the same size", [](const fs::path& p) { std::ofstream(p) << "CONTENT 0"; }},
           Case{"grown", [](const fs::path& p) { std::ofstream(p, std::ios::app) << "more"; }},
           Case{"cut", [](const fs::path& p) { fs::resize_file(p, 3); }},
           Case{"removed", [](const fs::path& p) { fs::remove(p); }},
       }) {
    SCOPED_TRACE(c.what);
    const TemporaryFolder folder;
    fill_folder(folder, 1);
    const auto dataset = made(spec_of_folder(folder, 1));
    c.change(folder.path() / "f0.txt");
    std::vector<std::byte> bytes;
    const Status filled = dataset->source().fill(0, bytes);
    ASSERT_FALSE(filled);
    EXPECT_EQ(filled.error().code, ErrorCode::kCorruption);
    EXPECT_NE(filled.error().detail.find("f0.txt"), std::string::npos) << filled.error().detail;
  }
}

TEST(DirectoryPayload, IsScannedOnceUnderAllOfItsNames) {
  const TemporaryFolder folder;
  fill_folder(folder, 3);
  const auto first = scan_directory(folder.path());
  ASSERT_TRUE(first);
  folder.write("new.txt", "came later");
  const auto again = scan_directory(folder.path() / "." / "");
  ASSERT_TRUE(again);
  EXPECT_EQ(first->get(), again->get());
}

TEST(DirectoryPayload, NamesTheFileThatCannotBeRead) {
  const TemporaryFolder folder;
  fill_folder(folder, 2);
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder.path() / "f1.txt", fs::perms::none);
  constexpr uid_t kNobody = 65'534;  // Root reads everything: become somebody else for the scan.
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  const auto dataset = Dataset::make(spec_of_folder(folder, 1));
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_FALSE(dataset);
  EXPECT_EQ(dataset.error().code, ErrorCode::kRefused);
  EXPECT_NE(dataset.error().detail.find("f1.txt"), std::string::npos) << dataset.error().detail;
  // The failure is not remembered.
  fs::permissions(folder.path() / "f1.txt", fs::perms::owner_all);
  EXPECT_TRUE(Dataset::make(spec_of_folder(folder, 1)));
}

TEST(MimeOfName, GoesByTheExtensionInAnyCase) {
  struct Case {
    const char* name;
    const char* mime;
  };
  for (const Case& c :
       {Case{"a.txt", "text/plain"}, Case{"dir.d/A.PDF", "application/pdf"},
        Case{"x.tar.gz", "application/gzip"}, Case{"README", "application/octet-stream"},
        Case{"odd.", "application/octet-stream"}, Case{"dir.txt/README", "application/octet-stream"},
        Case{".json", "application/json"}})
    EXPECT_EQ(mime_of_name(c.name), c.mime) << c.name;
}

}  // namespace
}  // namespace lab
