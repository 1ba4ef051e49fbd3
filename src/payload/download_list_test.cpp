// Lists of downloads: every slip is an error with its line.
// SPDX-License-Identifier: Apache-2.0
#include "payload/download_list.hpp"

#include <gtest/gtest.h>

#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

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

TEST(ParseDigest, ReadsWhatToHexWrites) {
  EXPECT_EQ(*parse_digest(kDigest), sha256(std::string_view("text")));
  for (const std::string& text :
       {std::string(), kDigest + "0", "x" + kDigest.substr(1), "+1" + kDigest.substr(2)})
    EXPECT_FALSE(parse_digest(text)) << text;
}

}  // namespace
}  // namespace lab
