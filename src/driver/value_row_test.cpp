// SPDX-License-Identifier: Apache-2.0
// A row is one value and comes back as it was; anything else is recognised.
#include "driver/value_row.hpp"

#include <gtest/gtest.h>

namespace lab {
namespace {

TEST(ValueRow, GivesThePayloadBack) {
  for (const std::string& payload : {std::string(), std::string("a\0b\xff", 4), std::string(70'000, 'x')}) {
    SCOPED_TRACE(payload.size());
    const Object object{.mime = "text/plain", .payload = as_bytes(payload), .digest = sha256(payload)};
    const std::string value = row_header(object) + payload;
    const auto stored = row_payload(value, "test");
    ASSERT_TRUE(stored);
    EXPECT_EQ(as_text(*stored), payload);
  }
}

TEST(ValueRow, RecognisesEveryTruncationAsCorruption) {
  const std::string payload = "payload";
  const std::string value = row_header({.mime = "text/plain", .payload = as_bytes(payload)}) + payload;
  for (std::size_t length = 0; length < value.size(); ++length)
    EXPECT_FALSE(row_payload(std::string_view(value).substr(0, length), "test")) << length;
  EXPECT_FALSE(row_payload(value + "x", "test"));
}

TEST(ValueRow, KeepsIdsAsTheirBytes) {
  ObjectId id{};
  id[0] = std::byte{0xff};
  EXPECT_EQ(*id_from_text(id_text(id), "test"), id);
  EXPECT_EQ(id_from_text("short", "test").error().code, ErrorCode::kCorruption);
}

}  // namespace
}  // namespace lab
