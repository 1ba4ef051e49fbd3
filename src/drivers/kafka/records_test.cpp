// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/records.hpp"

#include <gtest/gtest.h>

namespace lab::kafka {
namespace {

std::vector<std::string> headers_of(const ObjectRecord& made) {
  std::vector<std::string> names;
  for (const auto& [name, value] : made.record.headers) names.emplace_back(name);
  return names;
}

}  // namespace

TEST(ObjectRecord, HasTheColumnsOfAPayloadAsHeaders) {
  const Object object{
      .id = {std::byte{7}}, .mime = "text/plain", .payload = as_bytes("abc"), .digest = sha256("abc")};
  const ObjectRecord by_id(object, setup_of("delete"));
  EXPECT_EQ(as_text(by_id.record.key), as_text(object.id));
  EXPECT_EQ(headers_of(by_id), (std::vector<std::string>{"mime", "size", "sha256"}));
  const ObjectRecord by_hash(object, setup_of("compact_by_hash"));
  EXPECT_EQ(as_text(by_hash.record.key), as_text(object.digest));
  EXPECT_EQ(headers_of(by_hash), (std::vector<std::string>{"mime", "size", "sha256", "id"}));
}

TEST(ObjectRecord, OfModeNativeSaysItsSchemaAlone) {
  const Object object{
      .id = {std::byte{7}}, .mime = "text/plain", .payload = as_bytes("abc"), .digest = sha256("abc")};
  auto setup = setup_of("delete");
  setup.schema = find_native_schema("text_document");
  const ObjectRecord made(object, setup);
  EXPECT_EQ(as_text(made.record.key), as_text(object.id));
  ASSERT_TRUE(made.record.value);
  EXPECT_EQ(as_text(*made.record.value), "abc");
  EXPECT_EQ(headers_of(made), std::vector<std::string>{"schema"});
  EXPECT_EQ(as_text(made.record.headers[0].second), "text_document");
}

}  // namespace lab::kafka
