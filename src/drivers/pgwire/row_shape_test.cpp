// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/row_shape.hpp"

#include <gtest/gtest.h>

namespace lab::pgwire {
namespace {

constexpr std::string_view kReading = "1688702111007,1f438ef5750bbf72,-0.005,078469575\n";

Field value_of(RowFields& row, const NativeColumn& column, const NativeValue& value) {
  append_value(row, column, value);
  return row.fields.back();
}

std::string hex(std::string_view bytes) { return to_hex(as_bytes(bytes)); }

}  // namespace

TEST(RowShape, OfABlobIsTheFiveColumns) {
  const RowShape shape(nullptr);
  EXPECT_EQ(shape.columns(), "id, mime, size_bytes, sha256, payload");
  EXPECT_EQ(shape.placeholders(), "$1, $2, $3, $4, $5");
  EXPECT_EQ(shape.selection(), "id, payload");
  EXPECT_EQ(shape.selection_up_to(7), "id, CASE WHEN octet_length(payload) <= 7 THEN payload END");
  const Object object{.mime = "text/plain", .payload = as_bytes("abc")};
  const auto row = shape.fields_of(object, "test");
  ASSERT_TRUE(row);
  ASSERT_EQ(row->fields.size(), 5U);
  EXPECT_EQ(hex(row->fields[2].bytes), "0000000000000003");
  EXPECT_EQ(row->fields[4].bytes, "abc");
}

TEST(RowShape, OfANativeSchemaIsTheIdAndItsColumns) {
  const RowShape shape(find_native_schema("time_series"));
  EXPECT_EQ(shape.columns(), "id, measured_at, device, temperature, meter");
  EXPECT_EQ(shape.definitions(),
            "id uuid, measured_at timestamptz, device varchar(16), temperature numeric(5, 3), meter bigint");
  EXPECT_EQ(shape.placeholders(), "$1, $2, $3, $4, $5");
  const Object object{.payload = as_bytes(kReading)};
  const auto row = shape.fields_of(object, "test");
  ASSERT_TRUE(row) << row.error().text();
  ASSERT_EQ(row->fields.size(), 5U);
  EXPECT_EQ(row->fields[2].bytes, "1f438ef5750bbf72");
  EXPECT_EQ(row->parameters().count(), 5);
  EXPECT_EQ(shape.fields_of({.payload = as_bytes("no row")}, "test").error().code,
            ErrorCode::kInvalidArgument);
}

TEST(RowShape, WritesValuesAsTheServersBinaryFormHasThem) {
  RowFields row;
  const NativeColumn decimal{"d", NativeType::kDecimal, 9, 3};
  // Groups, power of the first, sign, digits behind the point, groups of four digits.
  EXPECT_EQ(hex(value_of(row, decimal, std::int64_t{21'076}).bytes),
            "0002"
            "0000"
            "0000"
            "0003"
            "0015"
            "02f8");
  EXPECT_EQ(hex(value_of(row, decimal, std::int64_t{-5}).bytes),
            "0001"
            "ffff"
            "4000"
            "0003"
            "0032");
  EXPECT_EQ(hex(value_of(row, decimal, std::int64_t{0}).bytes).substr(0, 4), "0000");
  EXPECT_EQ(hex(value_of(row, decimal, std::int64_t{123'456'000}).bytes),
            "0003"
            "0001"
            "0000"
            "0003"
            "000c"
            "0d80"
            "0000");
  const Field time = value_of(row, {"t", NativeType::kTimestamp}, std::int64_t{946'684'800'001});
  EXPECT_EQ(time.type, 1184U);
  EXPECT_EQ(hex(time.bytes), "00000000000003e8") << "microseconds since 2000";
  EXPECT_EQ(hex(value_of(row, {"s", NativeType::kInteger, 2}, std::int64_t{63}).bytes), "003f");
  EXPECT_EQ(hex(value_of(row, {"b", NativeType::kInteger, 9}, std::int64_t{-2}).bytes), "fffffffffffffffe");
  const Field json = value_of(row, {"j", NativeType::kJson}, std::string_view("{}"));
  EXPECT_EQ(json.type, 3802U);
  EXPECT_EQ(json.bytes, "\1{}") << "the version of the form, then the text";
  EXPECT_EQ(value_of(row, {"x", NativeType::kBinary}, std::string_view("\0", 1)).type, 17U);
  EXPECT_EQ(value_of(row, {"u", NativeType::kUuid}, ObjectId{std::byte{7}}).bytes.size(), 16U);
  const Field date = value_of(row, {"d", NativeType::kDate}, std::int64_t{10'956});
  EXPECT_EQ(date.type, 1082U);
  EXPECT_EQ(hex(date.bytes), "ffffffff") << "days since 2000";
  const Field list = value_of(row, {"l", NativeType::kReals}, std::string_view("\1\0\0\0\0\0\xf8\x3f", 8));
  EXPECT_EQ(list.type, 1022U);
  EXPECT_EQ(hex(list.bytes),
            "00000001"
            "00000000"
            "000002bd"
            "00000001"
            "00000001"
            "00000008"
            "3ff8000000000001");
  EXPECT_TRUE(
      value_of(row, {"n", NativeType::kDecimal, 9, 2, Spelling::kUsual, true}, std::monostate()).null);
}

TEST(RowShape, SendsNothingAsNullAndNotAsAnEmptyValue) {
  const RowShape shape(find_native_schema("bank_transactions"));
  EXPECT_EQ(
      shape.definitions(),
      "id uuid, booked_on date, amount numeric(15, 2), currency varchar(16), counterparty varchar(255), "
      "purpose varchar(2000), balance numeric(15, 2)");
  const Object object{.payload = as_bytes("2024-12-31\t1.00\t\t\t\t\n")};
  const auto row = shape.fields_of(object, "test");
  ASSERT_TRUE(row) << row.error().text();
  const Parameters parameters = row->parameters();
  ASSERT_EQ(parameters.count(), 7);
  EXPECT_NE(parameters.values()[5], nullptr) << "an empty purpose is a text";
  EXPECT_EQ(parameters.values()[6], nullptr) << "no balance is NULL";
}

}  // namespace lab::pgwire
