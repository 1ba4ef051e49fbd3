// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/native_rows.hpp"

#include <gtest/gtest.h>

#include "drivers/clickhouse/dialect.hpp"

namespace lab::clickhouse {
namespace {

constexpr std::string_view kReading = "1688702111007,1f438ef5750bbf72,1.076,0784695757\n";
constexpr std::string_view kKeys = "a8bbeb89-d11a-496a-bc01-acc470739776,03\n";

const NativeSchema& schema(std::string_view payload) { return *find_native_schema(payload); }
std::string hex(std::string_view bytes) { return to_hex(as_bytes(bytes)); }

Result<std::string> row_of(std::string_view payload, std::string_view record, bool milliseconds) {
  return native_row(schema(payload), milliseconds, {.payload = as_bytes(record)}, "test");
}

}  // namespace

TEST(NativeRows, HaveTheTypesThatTheServerHas) {
  const Server old_server{.version = {18, 16, 1}, .version_text = "18.16.1"};
  const Server new_server{.version = {24, 8, 4}, .version_text = "24.8.4"};
  EXPECT_EQ(native_definitions(schema("time_series"), old_server, ""),
            ", measured_at DateTime('UTC'), device String, temperature Decimal(5, 3), meter Int64");
  EXPECT_EQ(native_definitions(schema("uuid_keys"), new_server, " CODEC(NONE)"),
            ", entity UUID CODEC(NONE), shard Int16 CODEC(NONE)");
  EXPECT_NE(native_definitions(schema("time_series"), new_server, "").find("DateTime64(3, 'UTC')"),
            std::string::npos);
  EXPECT_EQ(native_order(schema("time_series")), "(device, measured_at, id)");
  EXPECT_EQ(native_order(schema("text_document")), "id");
  auto setup = setup_of("default");
  setup.schema = &schema("uuid_keys");
  EXPECT_NE(create_table_sql(setup, old_server, "d").find("ORDER BY (entity, id)"), std::string::npos);
  EXPECT_EQ(insert_sql(setup, "d"), "INSERT INTO `d`.`files` (id, entity, shard) FORMAT RowBinary");
}

TEST(NativeRows, WritesWhatTheServersFormatHas) {
  const auto keys = row_of("uuid_keys", kKeys, true);
  ASSERT_TRUE(keys) << keys.error().text();
  EXPECT_EQ(hex(*keys).substr(32),
            "6a491ad189ebbba8"
            "76977370c4ac01bc"
            "0300")
      << "each half from its end";
  const auto reading = row_of("time_series", kReading, true);
  ASSERT_TRUE(reading) << reading.error().text();
  EXPECT_EQ(hex(*reading).substr(32),
            "1f4d7d2e89010000"
            "10" +
                hex("1f438ef5750bbf72") +
                "34040000"
                "cd81c52e00000000");
}

TEST(NativeRows, ATimeThatTheServerCannotKeepIsRefused) {
  const auto refused = row_of("time_series", kReading, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  const auto whole = row_of("time_series", "1688702111000,1f438ef5750bbf72,1.076,0784695757\n", false);
  ASSERT_TRUE(whole) << whole.error().text();
  EXPECT_EQ(hex(*whole).substr(32, 8), "9f8ca764") << "seconds in four bytes";
  EXPECT_EQ(row_of("time_series", "no row", true).error().code, ErrorCode::kInvalidArgument);
}

TEST(NativeRows, AreReadAsTheTextsOfTheirColumns) {
  const auto payload = native_payload(schema("uuid_keys"), "a8bbeb89-d11a-496a-bc01-acc470739776\t3", "test");
  ASSERT_TRUE(payload) << payload.error().text();
  EXPECT_EQ(as_text(payload->bytes()), kKeys);
  EXPECT_EQ(as_text(native_payload(schema("text_document"), "a\tb", "test")->bytes()), "a\tb")
      << "one column has no separator";
  EXPECT_EQ(native_payload(schema("uuid_keys"), "3", "test").error().code, ErrorCode::kCorruption);
}

}  // namespace lab::clickhouse
