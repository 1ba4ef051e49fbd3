// Lists of downloads: every slip is an error with its line.
// SPDX-License-Identifier: Apache-2.0
#include "payload/download_list.hpp"

#include <gtest/gtest.h>

#include <set>

#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

const std::string kDigest = to_hex(sha256(std::string_view("text")));

Result<std::vector<Download>> load(const std::string& text) {
  const TemporaryFolder folder;
  folder.write("list.toml", text);
  return load_download_list(folder.path() / "list.toml");
}

std::string table(const std::string& kind, const std::string& lines) {
  return "[[" + kind + "]]\nsize = 4\nsha256 = \"" + kDigest + "\"\n" + lines + "\n";
}

TEST(DownloadList, HasATableForEachFile) {
  const auto list = load(table("nasa_image", "address = \"https://h/a/moon.jpg?raw=1\"") +
                         table("github_events", "address = \"http://h/x\"\nname = \"2024.json.gz\""));
  ASSERT_TRUE(list) << list.error().text();
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ(list->at(0).place(), "nasa_image/moon.jpg");
  EXPECT_EQ(list->at(0).address, "https://h/a/moon.jpg?raw=1");
  EXPECT_EQ(list->at(0).size, Bytes{4});
  EXPECT_EQ(list->at(0).sha256, sha256(std::string_view("text")));
  EXPECT_EQ(list->at(1).place(), "github_events/2024.json.gz");
}

TEST(DownloadList, NamesWhatIsWrongInIt) {
  const std::string good = "address = \"https://h/moon.jpg\"";
  struct Case {
    const char* what;
    std::string text;
    const char* words;
  };
  for (const Case& c : {
           Case{"empty", "", "no downloads in this list"},
           Case{"a slip in the kind", table("nasa_images", good), "did you mean 'nasa_image'?"},
           Case{"a kind that is not downloaded", table("text_corpus", good), "not a kind that is downloaded"},
           Case{"an unknown key", table("nasa_image", good + "\nsha = 1"), "list.toml:5"},
           Case{"no address", table("nasa_image", ""), "an address, a size and a sha256"},
           Case{"no table", "nasa_image = 3\n", "[[nasa_image]]"},
           Case{"another scheme", table("nasa_image", "address = \"ftp://h/moon.jpg\""), "list.toml:4"},
           Case{"a password", table("nasa_image", "address = \"https://u:p@h/moon.jpg\""), "list.toml:4"},
           Case{"a name that leads upwards", table("nasa_image", good + "\nname = \"../moon.jpg\""),
                "not a plain file name"},
           Case{"a hidden name", table("nasa_image", good + "\nname = \".moon.jpg\""),
                "not a plain file name"},
           Case{"no name", table("nasa_image", "address = \"https://h/\""), "not a plain file name"},
           Case{"another ending", table("nasa_image", "address = \"https://h/moon.txt\""),
                "none of the endings"},
           Case{"twice", table("nasa_image", good) + table("nasa_image", good), "moon.jpg stands twice"},
           Case{"no digest", "[[nasa_image]]\naddress = \"https://h/moon.jpg\"\nsize = 4\nsha256 = \"abc\"\n",
                "64 hexadecimal digits"},
           Case{"no size",
                "[[nasa_image]]\naddress = \"https://h/moon.jpg\"\nsize = 0\nsha256 = \"" + kDigest + "\"\n",
                "list.toml:3"},
       }) {
    SCOPED_TRACE(c.what);
    const auto list = load(c.text);
    ASSERT_FALSE(list);
    EXPECT_EQ(list.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(list.error().detail.find(c.words), std::string::npos) << list.error().detail;
    EXPECT_EQ(list.error().detail.find("u:p@"), std::string::npos) << "no password is printed";
  }
  EXPECT_FALSE(load_download_list("/no/such/list.toml"));
  EXPECT_FALSE(load_download_list("/dev/zero")) << "it has no end";
}

TEST(DownloadList, RefusesAnEntryThatIsNotPinnedAndNamesWhatPinsIt) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "list.toml";
  folder.write("list.toml", table("nasa_image", "address = \"https://h/a.jpg\"") +
                                "[[nasa_image]]\naddress = \"https://h/moon.jpg\"\n");
  const auto refused = load_download_list(path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  for (const std::string& words : {path.string() + ":6: nasa_image/moon.jpg has no size and no sha256",
                                   "deduplab download --list " + path.string() + " --into DIR --pin NEWLIST"})
    EXPECT_NE(refused.error().detail.find(words), std::string::npos) << refused.error().detail;
  const auto listed = load_listed_downloads(path);
  ASSERT_TRUE(listed) << listed.error().text();
  ASSERT_EQ(listed->size(), 2U);
  EXPECT_TRUE(listed->at(0).pinned);
  EXPECT_FALSE(listed->at(1).pinned);
  folder.write("list.toml", "[[nasa_image]]\naddress = \"https://h/moon.jpg\"\nsize = 4\n");
  EXPECT_NE(load_listed_downloads(path).error().detail.find("an address, a size and a sha256"),
            std::string::npos)
      << "half of it is a slip";
}

TEST(DownloadList, IsPinnedByLinesBehindAddressesAndElseStaysAsItIs) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "list.toml";
  const std::string first = table("nasa_image", "address = \"https://h/a.jpg\"  # Mine.");
  folder.write("list.toml", "# Pictures.\n" + first +
                                "\n[[nasa_image]]\naddress = \"https://h/b.jpg\" # Yours.\n"
                                "[[nasa_image]]\nname = \"d.jpg\"\naddress = \"https://h/c.jpg\"");
  auto listed = load_listed_downloads(path);
  ASSERT_TRUE(listed) << listed.error().text();
  std::vector<ListedDownload> measured{listed->begin() + 1, listed->end()};
  for (ListedDownload& each : measured) {
    each.download.size = Bytes{4};
    each.download.sha256 = sha256(std::string_view("text"));
  }
  const std::string lines = "size = 4\nsha256 = \"" + kDigest + "\"\n";
  const auto pinned = pinned_list(path, measured);
  ASSERT_TRUE(pinned) << pinned.error().text();
  EXPECT_EQ(*pinned, "# Pictures.\n" + first + "\n[[nasa_image]]\naddress = \"https://h/b.jpg\" # Yours.\n" +
                         lines + "[[nasa_image]]\nname = \"d.jpg\"\naddress = \"https://h/c.jpg\"\n" + lines);
  folder.write("list.toml", *pinned);
  EXPECT_TRUE(load_download_list(path));
  folder.write("list.toml", "nasa_image = [{address = \"https://h/b.jpg\"}]\n");
  listed = load_listed_downloads(path);
  ASSERT_TRUE(listed) << listed.error().text();
  const auto shared = pinned_list(path, *listed);
  ASSERT_FALSE(shared) << *shared;
  EXPECT_NE(shared.error().detail.find("on a line of its own"), std::string::npos);
}

TEST(DownloadList, ThatComesWithTheProgramHasAddressesOfAllKindsAndInventsNoDigest) {
  const auto listed = load_listed_downloads(LAB_LISTS_DIR "/downloads.toml");
  ASSERT_TRUE(listed) << listed.error().text();
  std::set<std::string> kinds;
  for (const ListedDownload& each : *listed) {
    kinds.insert(each.download.kind);
    EXPECT_FALSE(each.pinned) << each.download.place() << ": who published its SHA-256?";
    EXPECT_TRUE(each.download.address.starts_with("https://"));
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"nasa_image", "blender_video", "gutenberg_text", "github_events"}));
}

TEST(ParseDigest, ReadsWhatToHexWrites) {
  EXPECT_EQ(*parse_digest(kDigest), sha256(std::string_view("text")));
  for (const std::string& text :
       {std::string(), kDigest + "0", "x" + kDigest.substr(1), "+1" + kDigest.substr(2)})
    EXPECT_FALSE(parse_digest(text)) << text;
}

}  // namespace
}  // namespace lab
