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

TEST(NativeRows, HaveDaysListsAndWhatMayBeNothing) {
  const Server server{.version = {18, 16, 1}, .version_text = "18.16.1"};
  EXPECT_EQ(native_definitions(schema("bank_transactions"), server, ""),
            ", booked_on Date, amount Decimal(15, 2), currency String, counterparty String, purpose String, "
            "balance Nullable(Decimal(15, 2))");
  EXPECT_EQ(native_definitions(schema("numeric_dataset"), server, ""), ", numbers Array(Float64)");
  EXPECT_NE(native_selection(schema("bank_transactions")).find("'\\t', ifNull(toString(balance), ''))"),
            std::string::npos)
      << native_selection(schema("bank_transactions"));
  EXPECT_EQ(native_selection(schema("numeric_dataset")), "toString(numbers)");
  const auto with = row_of("bank_transactions", "2024-12-31\t-1.50\tEUR\tA\t\t2.00\n", true);
  ASSERT_TRUE(with) << with.error().text();
  EXPECT_EQ(hex(*with).substr(32),
            "784e"
            "6affffffffffffff"
            "03455552"
            "0141"
            "00"
            "00c800000000000000");
  const auto without = row_of("bank_transactions", "2024-12-31\t-1.50\tEUR\tA\t\t\n", true);
  ASSERT_TRUE(without) << without.error().text();
  EXPECT_EQ(hex(*without), hex(*with).substr(0, hex(*with).size() - 18) + "01") << "nothing, and no value";
  const std::string_view numbers("\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\xf8\x7f\0\0\0\0\0\0\0\x80", 24);
  const auto list = row_of("numeric_dataset", numbers, true);
  ASSERT_TRUE(list) << list.error().text();
  EXPECT_EQ(list->substr(16), "\3" + std::string(numbers));
  const auto read = native_payload(schema("numeric_dataset"), "[1.5,nan,-0]", "test");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(as_text(read->bytes()), numbers);
  for (const char* const other : {"", "1.5", "[]", "[1.5,]", "[x]"})
    EXPECT_EQ(native_payload(schema("numeric_dataset"), other, "test").error().code, ErrorCode::kCorruption)
        << other;
  const auto first_day = native_payload(schema("bank_transactions"), "0000-00-00\t5.00\t\t\t\t", "test");
  ASSERT_TRUE(first_day) << first_day.error().text();
  EXPECT_EQ(as_text(first_day->bytes()), "1970-01-01\t5.00\t\t\t\t\n") << "as an old server prints it";
  const auto early = row_of("bank_transactions", "1969-12-31\t1.00\tEUR\t\t\t\n", true);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(early.error().detail.find("1969-12-31: a Date of this server is from 1970-01-01"),
            std::string::npos)
      << early.error().detail;
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
