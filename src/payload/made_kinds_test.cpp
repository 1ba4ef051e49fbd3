// What the rows and documents of the made kinds look like, and that they survive a database's own reading.
// SPDX-License-Identifier: Apache-2.0
#include "payload/made_kinds.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "core/text.hpp"
#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

std::string content(const std::string& kind, std::uint64_t number, std::size_t size) {
  std::vector<std::byte> bytes;
  find_made_kind(kind)->make({7, number}, size, bytes);
  return std::string(as_text(bytes));
}

/// The fields of each row.
std::vector<std::vector<std::string>> rows_of(const std::string& text) {
  EXPECT_TRUE(text.ends_with('\n')) << text;
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : split(text.substr(0, text.size() - 1), '\n'))
    rows.push_back(split(line, ','));
  return rows;
}

bool only_of(std::string_view text, std::string_view letters) {
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHexadecimal = "0123456789abcdef";

TEST(UuidKeys, AreRowsOfAValidUuidAndItsShardAtEverySize) {
  std::set<std::string> seen;
  for (std::size_t size = 40; size < 600; ++size) {
    const auto rows = rows_of(content("uuid_keys", size, size));
    ASSERT_EQ(rows.size(), size / 40);
    for (const auto& row : rows) {
      ASSERT_EQ(row.size(), 2U);
      const auto groups = split(row[0], '-');
      ASSERT_EQ(groups.size(), 5U);
      for (const auto& [group, length] : {std::pair{0, 8U}, {1, 4U}, {2, 4U}, {3, 4U}, {4, 12U}}) {
        ASSERT_EQ(groups[static_cast<std::size_t>(group)].size(), length) << row[0];
        ASSERT_TRUE(only_of(groups[static_cast<std::size_t>(group)], kHexadecimal)) << row[0];
      }
      ASSERT_EQ(groups[2][0], '4') << "version";
      ASSERT_NE(std::string("89ab").find(groups[3][0]), std::string::npos) << "variant";
      ASSERT_TRUE(only_of(row[1], kDigits));
      ASSERT_LT(std::stoi(row[1]), 64);
      ASSERT_TRUE(seen.insert(row[0]).second) << row[0] << " stands twice";
    }
  }
}

TEST(TimeSeries, IsOneDeviceInEqualStepsOfTimeAtEverySize) {
  std::set<std::string> devices;
  for (std::size_t size = 48; size < 1'500; ++size) {
    const auto rows = rows_of(content("time_series", size, size));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSERT_EQ(rows[i].size(), 4U);
      ASSERT_TRUE(only_of(rows[i][0], kDigits));
      ASSERT_EQ(rows[i][1], rows[0][1]);
      ASSERT_TRUE(only_of(rows[i][2], "0123456789."));
      ASSERT_TRUE(only_of(rows[i][3], kDigits));
      if (i < 2) continue;
      ASSERT_EQ(std::stoull(rows[i][0]) - std::stoull(rows[i - 1][0]),
                std::stoull(rows[1][0]) - std::stoull(rows[0][0]));
      ASSERT_LE(std::abs(std::stod(rows[i][2]) - std::stod(rows[i - 1][2])), 0.2001);
      ASSERT_GE(std::stod(rows[i][3]), std::stod(rows[i - 1][3])) << "a meter does not go back";
    }
    devices.insert(rows[0][1]);
  }
  EXPECT_EQ(devices.size(), 1'500U - 48U);
}

TEST(SyntheticTransactions, ArePaymentsInTheOrderOfTheirTimeAtEverySize) {
  std::set<std::string> ids;
  for (std::size_t size = 134; size < 1'500; ++size) {
    const std::string text = content("synthetic_transactions", size, size);
    ASSERT_EQ(to_valid_utf8(text), text);
    const auto rows = rows_of(text);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& row = rows[i];
      ASSERT_EQ(row.size(), 8U) << text;
      ASSERT_EQ(row[0].size(), 32U);
      ASSERT_TRUE(only_of(row[0], kHexadecimal));
      ASSERT_EQ(row[1].size(), 19U) << "2024-02-29 23:59:59";
      ASSERT_GE(row[1], rows[i == 0 ? 0 : i - 1][1]);
      for (const std::size_t account : {2U, 3U}) ASSERT_EQ(row[account].size(), 12U);
      ASSERT_EQ(row[4][row[4].size() - 3], '.');
      ASSERT_EQ(row[5].size(), 3U);
      ASSERT_TRUE(only_of(row[7], kDigits));
      ASSERT_TRUE(ids.insert(row[0]).second);
    }
  }
}

/// As PostgreSQL prints a jsonb value; `sorted` says whether keys stood as it would sort them.
std::string jsonb_text(const nlohmann::ordered_json& value, bool& sorted) {
  std::vector<std::string> parts;
  if (value.is_array()) {
    for (const auto& item : value) parts.push_back(jsonb_text(item, sorted));
    return "[" + join(parts, ", ") + "]";
  }
  if (!value.is_object()) return value.dump();
  std::string last;
  for (const auto& [key, item] : value.items()) {
    sorted = sorted && std::pair(last.size(), last) < std::pair(key.size(), key);
    last = key;
    parts.push_back("\"" + key + "\": " + jsonb_text(item, sorted));
  }
  return "{" + join(parts, ", ") + "}";
}

TEST(JsonbDocuments, AreTheTextThatPostgresqlGivesThemAtEverySize) {
  for (std::size_t size = 50; size < 2'500; ++size) {
    const std::string text = content("jsonb_documents", size, size);
    const auto parsed = nlohmann::ordered_json::parse(text, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << text;
    bool sorted = true;
    ASSERT_EQ(jsonb_text(parsed, sorted), text);
    ASSERT_TRUE(sorted) << text;
  }
}

TEST(JsonbDocuments, HaveEverySortOfValueAndNoneLongerThanItsPromise) {
  bool null_tag = false;
  bool text_tag = false;
  for (std::uint64_t number = 0; number < 50; ++number) {
    const auto json = nlohmann::ordered_json::parse(content("jsonb_documents", number, 16'384));
    ASSERT_GT(json.at("docs").size(), 50U);
    for (const auto& document : json.at("docs")) {
      bool sorted = true;
      ASSERT_LE(jsonb_text(document, sorted).size(), 222U);
      ASSERT_TRUE(document.at("at").is_number_integer());
      ASSERT_TRUE(document.at("ok").is_boolean());
      ASSERT_EQ(document.at("geo").size(), 2U);
      ASSERT_TRUE(document.at("user").at("name").is_string());
      ASSERT_TRUE(document.at("score").is_number_float());
      ASSERT_EQ(document.at("trace").get<std::string>().size(), 32U);
      null_tag |= document.at("tag").is_null();
      text_tag |= document.at("tag").is_string();
    }
  }
  EXPECT_TRUE(null_tag && text_tag);
}

TEST(MadeRows, AreShortEnoughForADifferentBeginningInEveryBlockOf512Bytes) {
  for (const auto& [kind, longest] :
       {std::pair{"uuid_keys", 40U}, {"time_series", 66U}, {"synthetic_transactions", 134U}})
    for (std::uint64_t number = 0; number < 100; ++number) {
      const std::string text = content(kind, number, 65'536);
      const auto lines = split(text, '\n');
      for (std::size_t i = 0; i + 2 < lines.size(); ++i) ASSERT_LT(lines[i].size(), longest) << kind;
    }
}

}  // namespace
}  // namespace lab
