// The bytes of the made kinds: their format, their sizes, what they are, and that no two are equal.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <zstd.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "core/text.hpp"
#include "payload/made_kinds.hpp"
#include "payload/payload_test_support.hpp"
#include "payload/prose.hpp"

namespace lab {
namespace {

std::vector<std::byte> content(const std::string& kind, std::uint64_t number, std::size_t size,
                               std::uint64_t seed = 7) {
  std::vector<std::byte> bytes;
  find_made_kind(kind)->make({seed, number}, size, bytes);
  return bytes;
}

std::string text_content(const std::string& kind, std::uint64_t number, std::size_t size) {
  return std::string(as_text(content(kind, number, size)));
}

TEST(ContentStreamNumbers, AreBijectionsOfTheContentOnEverySmallDomain) {
  for (const unsigned bits : {2U, 3U, 7U, 8U, 13U, 16U}) {
    SCOPED_TRACE(bits);
    std::set<std::uint64_t> seen;
    for (std::uint64_t value = 0; value < 1ULL << bits; ++value) seen.insert(mixed_serial(value, 99, bits));
    EXPECT_EQ(seen.size(), std::size_t{1} << bits);
    EXPECT_EQ(*seen.rbegin(), (1ULL << bits) - 1);
  }
}

struct FormatCase {
  const char* kind;
  std::uint64_t seed;
  std::uint64_t content;
  std::size_t size;
  const char* sha256;
};

// A hash that changes is a new format: datasets made before can no longer be compared with new ones.
constexpr FormatCase kFormatV2[] = {
    {"random_binary", 1, 0, 131'072, "4a662b0fa6fea9ad72db86a6f08411ec34441db3458107d30e8a0a208e8d2fdd"},
    {"random_binary", 1, 1, 4'099, "c4e524fc1af7db5fba77afa89a066a9a2012055f33d36b60f69f72367bc5d51e"},
    {"random_binary", 0xFFFF'FFFF'FFFF'FFFF, 123'456'789'012, 1'000,
     "75ab3d6d932bc087d4060ac880451936cb33cacca1d4c57cd639cafab2592463"},
    {"random_binary", 1, 200, 1, "e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8"},
    {"random_binary", 1, 70'000, 3, "46b2f29016bb89cbab8deb7780dc8a9c1e82dce1ecdd5157c644cddf5fa91183"},
    {"structured_json", 1, 0, 131'072, "ce4ab6d36b22d2a86bcfef6bb6fea9c3f0e70e4605d2009200084d3d21a7b3b4"},
    {"structured_json", 1, 1, 4'099, "b4a27d5fadde921f7f3047d5ed5afb7d8ba2f5db5b841cbaeba178463b2bcb43"},
    {"structured_json", 0xFFFF'FFFF'FFFF'FFFF, 123'456'789'012, 1'000,
     "3380c264b72cf64a39597e597b017eac04f364d98df776da89872a1c559f6fa3"},
    {"structured_json", 1, 2, 46, "2cbaf3c58906953b629ef2999bf5e5b4a430b40b8171024e1f085bde94c11926"},
    {"text_document", 1, 0, 131'072, "ba71164e3214c3b6c90cdf2baa2c7aa29fed1a84b569b5750241c3ab5b080d3a"},
    {"text_document", 1, 1, 4'099, "7ebc7491d6b793aeff44d6cc4302ff996017bf24e4156601596f98e0ba42e9b9"},
    {"text_document", 0xFFFF'FFFF'FFFF'FFFF, 123'456'789'012, 1'000,
     "2357ccd5f7a9130cdb20b284b5ff65f71b90d6cfa3d07603eeb22e9c2398438f"},
    {"text_document", 1, 2, 27, "7c0f55775e8ab111f2d6d103ab44340219f592ea89fd6610a823e39e014f2637"},
    {"uuid_keys", 1, 0, 131'072, "a7d9d95816a466a4d9beb95b12767b26afd671a335dd2e87f63cfb2b651cde71"},
    {"uuid_keys", 1, 1, 4'099, "a6a555960cad43d9ed0695135760b51ea7ebaee33e6f5659774f277904f652a5"},
    {"uuid_keys", 0xFFFF'FFFF'FFFF'FFFF, 123'456'789'012, 1'000,
     "294259de13285084a331428fb6a1c04816a3dc756c01a2f9b093d6eab8e149dd"},
    {"uuid_keys", 1, 2, 40, "0557cd67748e2f433b9c96ff35c39afe7df0d084654562746ddcef1f3ba33ccf"},
    {"jsonb_documents", 1, 0, 131'072, "7c6da8abea71bc236bcd5848ade1de791b3b8cf2e60a5e3557747eb23f84c1e7"},
    {"jsonb_documents", 1, 1, 4'099, "b4c5699de1d1dc46e467404d30d3df58746d93eed4f5eef3a06c120e824f105f"},
    {"jsonb_documents", 0xFFFF'FFFF'FFFF'FFFF, 123'456'789'012, 1'000,
     "b4068c3bc780e8fb94e341072716668649193b9a942142becaf864e23d47041b"},
    {"jsonb_documents", 1, 2, 50, "d3bf5601a45ec7d6841bd77a5d6086ee9f334b318933bc5b2dcb3a8f24c86cdb"},
    {"time_series", 1, 0, 131'072, "06c9191908a2f5f74859fcf242aab65a8d85828db7bc808848cc2fa54238c109"},
    {"time_series", 1, 1, 4'099, "2c2d54c9f61ffa9da1b3087d05a5381d0782f1205611c376e314aa77db84d03a"},
    {"time_series", 0xFFFF'FFFF'FFFF'FFFF, 123'456'789'012, 1'000,
     "6b00db4f50bbc11bd5f85e0dcc2ffc9f0d636c60879c3c4676b3f26aeed81dd5"},
    {"time_series", 1, 2, 48, "8726dd80c13e6bd15e2ea700125da82ac3b48fc3f9375bd85feb5e728cfcd725"},
    {"synthetic_transactions", 1, 0, 131'072,
     "b4bd9051c4a75d7c6e72df62e3da04984f6e5e1aa4d7949d0bbffdd7d6c0f1fb"},
    {"synthetic_transactions", 1, 1, 4'099,
     "48f2334cddbf1eaa90653e1fc00ad580c4273d17559e13179d85e2bc1bf86c07"},
    {"synthetic_transactions", 0xFFFF'FFFF'FFFF'FFFF, 123'456'789'012, 1'000,
     "f1e003923759b81dc8fe247660bb4dc081d6437eb7d9958dae8c974a7f600fdf"},
    {"synthetic_transactions", 1, 2, 134, "49d0e094d9be088873956b462c36a3aab31110cf6defb784911715ac507b19fa"},
};

TEST(MadeContent, IsFormatV2) {
  for (const FormatCase& c : kFormatV2) {
    SCOPED_TRACE(testing::Message() << c.kind << " seed " << c.seed << " content " << c.content << " size "
                                    << c.size);
    EXPECT_EQ(to_hex(sha256(content(c.kind, c.content, c.size, c.seed))), c.sha256);
  }
}

TEST(MadeContent, HasItsSizeToTheByte) {
  for (const std::string& kind : made_kind_names()) {
    const auto smallest = static_cast<std::size_t>(find_made_kind(kind)->smallest_any.count);
    for (std::size_t size = smallest; size < smallest + 1'500; ++size) {
      ASSERT_EQ(content(kind, size, size).size(), size) << kind;
    }
    EXPECT_EQ(content(kind, 5, 1'000'003).size(), 1'000'003U);
  }
}

TEST(MadeContent, DoesNotDependOnWhatTheBufferHeld) {
  for (const std::string& kind : made_kind_names()) {
    std::vector<std::byte> used(5'000, std::byte{'x'});
    find_made_kind(kind)->make({7, 3}, 777, used);
    EXPECT_EQ(used, content(kind, 3, 777)) << kind;
  }
}

TEST(MadeContent, DiffersByContentAndBySeedAtTheSmallestSizes) {
  for (const std::string& kind : made_kind_names()) {
    const auto smallest = static_cast<std::size_t>(find_made_kind(kind)->smallest_any.count);
    std::set<std::string> seen;
    for (std::uint64_t number = 0; number < 3'000; ++number)
      seen.insert(text_content(kind, number, smallest));
    EXPECT_EQ(seen.size(), 3'000U) << kind;
    EXPECT_NE(content(kind, 0, smallest, 1), content(kind, 0, smallest, 2)) << kind;
  }
}

TEST(RandomBinary, UsesUpTheWholeDomainOfOneAndTwoBytes) {
  for (const std::size_t size : {1U, 2U}) {
    std::set<std::string> seen;
    const std::uint64_t domain = 1ULL << (8 * size);
    for (std::uint64_t number = 0; number < domain; ++number)
      seen.insert(text_content("random_binary", number, size));
    EXPECT_EQ(seen.size(), domain);
  }
}

TEST(RandomBinary, IsIncompressible) {
  std::string all;
  for (std::uint64_t number = 0; number < 8; ++number) all += text_content("random_binary", number, 131'072);
  std::vector<char> compressed(ZSTD_compressBound(all.size()));
  const std::size_t size = ZSTD_compress(compressed.data(), compressed.size(), all.data(), all.size(), 19);
  ASSERT_FALSE(ZSTD_isError(size));
  EXPECT_GE(static_cast<double>(size) / static_cast<double>(all.size()), 0.999);
}

TEST(MadeContent, HasNoTwoEqualBlocksOf512Bytes) {
  constexpr std::size_t kObjects = 200;
  constexpr std::size_t kSize = 65'536;
  for (const std::string& kind : made_kind_names()) {
    std::set<Digest> blocks;
    for (std::uint64_t number = 0; number < kObjects; ++number) {
      const auto bytes = content(kind, number, kSize);
      for (std::size_t at = 0; at < kSize; at += 512)
        blocks.insert(sha256(std::span(bytes).subspan(at, 512)));
    }
    EXPECT_EQ(blocks.size(), kObjects * kSize / 512) << kind;
  }
}

TEST(MadeContent, CompressesLikeTextWhereItIsText) {
  for (const char* kind : {"structured_json", "text_document", "jsonb_documents", "synthetic_transactions"}) {
    const auto bytes = content(kind, 1, 131'072);
    std::vector<char> compressed(ZSTD_compressBound(bytes.size()));
    const std::size_t size =
        ZSTD_compress(compressed.data(), compressed.size(), bytes.data(), bytes.size(), 3);
    const double ratio = static_cast<double>(size) / static_cast<double>(bytes.size());
    EXPECT_GT(ratio, 0.2) << kind << ": more regular than real data";
    EXPECT_LT(ratio, 0.5) << kind << ": less regular than real data";
  }
}

TEST(MadeContent, CompressesToItsStatedRatioWithinTwoPercent) {
  // docs/payloads.md states them: zstd at level 3, one object of 128 KiB.
  for (const auto& [kind, stated] : {std::pair{"structured_json", 0.300},
                                     {"text_document", 0.381},
                                     {"uuid_keys", 0.529},
                                     {"jsonb_documents", 0.295},
                                     {"time_series", 0.197},
                                     {"synthetic_transactions", 0.492}})
    for (const std::uint64_t number : {1, 7, 99}) {
      SCOPED_TRACE(testing::Message() << kind << " " << number);
      const auto bytes = content(kind, number, 131'072);
      std::vector<char> compressed(ZSTD_compressBound(bytes.size()));
      const std::size_t size =
          ZSTD_compress(compressed.data(), compressed.size(), bytes.data(), bytes.size(), 3);
      ASSERT_FALSE(ZSTD_isError(size));
      const double ratio = static_cast<double>(size) / static_cast<double>(bytes.size());
      EXPECT_NEAR(ratio / stated, 1, 0.02);
    }
}

TEST(StructuredJson, IsCanonical) {
  for (std::uint64_t number = 0; number < 300; ++number) {
    const std::size_t size = 46 + number * 17;
    const std::string text = text_content("structured_json", number, size);
    const auto parsed = nlohmann::json::parse(text, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << text;
    // The parser sorts keys and the dump has no white space: equal text is canonical text.
    ASSERT_EQ(parsed.dump(), text);
    ASSERT_TRUE(parsed.is_object());
  }
}

TEST(StructuredJson, HasEverySortOfValue) {
  const auto json = nlohmann::json::parse(text_content("structured_json", 0, 4'096));
  ASSERT_GT(json.at("items").size(), 3U);
  const auto& item = json.at("items").at(0);
  EXPECT_TRUE(item.at("active").is_boolean());
  EXPECT_TRUE(item.at("amount").is_number_integer());
  EXPECT_TRUE(item.at("contact").is_object());
  EXPECT_TRUE(item.at("lines").is_array());
  EXPECT_TRUE(item.at("text").is_string());
}

TEST(TextDocument, IsValidUtf8InSentencesAndParagraphs) {
  bool other_letters = false;
  for (std::size_t size = 27; size < 3'000; ++size) {
    const std::string text = text_content("text_document", size, size);
    ASSERT_EQ(to_valid_utf8(text), text);
    ASSERT_TRUE(text.starts_with("Document "));
    ASSERT_TRUE(text.ends_with(".\n")) << text;
    ASSERT_TRUE(std::isalnum(static_cast<unsigned char>(text[text.size() - 3]))) << text;
    other_letters |=
        std::ranges::any_of(text, [](char byte) { return static_cast<unsigned char>(byte) >= 0x80; });
  }
  EXPECT_TRUE(other_letters) << "some names have letters beyond ASCII";
  const std::string long_text = text_content("text_document", 1, 20'000);
  EXPECT_GT(split(long_text, '\n').size(), 20U);
}

TEST(Prose, HasVariousWordsAndNoneThatBreaksAJsonString) {
  ContentStream random({1, 2}, Purpose::kText);
  std::set<std::string> words;
  std::vector<char> buffer(kSentenceRoom);
  for (int i = 0; i < 3'000; ++i) {
    char* const end = Prose::instance().write_sentence(buffer.data(), random);
    ASSERT_LE(end, buffer.data() + buffer.size());
    const std::string text(buffer.data(), end);
    ASSERT_EQ(text.find_first_of("\"\\\n\t"), std::string::npos);
    ASSERT_TRUE(text.ends_with(". "));
    for (const std::string& word : split(text, ' ')) words.insert(word);
  }
  EXPECT_GT(words.size(), 1'500U);
}

}  // namespace
}  // namespace lab
