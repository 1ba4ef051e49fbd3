// SPDX-License-Identifier: Apache-2.0
#include "driver/native_record.hpp"

#include <gtest/gtest.h>

#include "driver/native_json.hpp"

namespace lab {
namespace {

constexpr const char* kOperation = "test";
constexpr std::string_view kKeys = "a8bbeb89-d11a-496a-bc01-acc470739776,03\n";
constexpr std::string_view kReading = "1688702111007,1f438ef5750bbf72,1.076,0784695757\n";
constexpr std::string_view kPayment =
    "0e422522d94d6e823c8031d25ee144c3,2022-08-28 15:40:39,070986700500,847156752142,530623.07,GBP,angry "
    "yard,00000000000000000000868461665\n";

constexpr std::string_view kTransfer = "2024-12-31\t-1234.50\tEUR\tA, \"B\"\tover, and out\t\n";
/// 1.5, no number, -0.
constexpr std::string_view kNumbers("\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\xf8\x7f\0\0\0\0\0\0\0\x80", 24);

const NativeSchema& schema(std::string_view payload) { return *find_native_schema(payload); }

Result<NativeRecord> parsed(std::string_view payload, std::string_view text) {
  return parse_record(schema(payload), as_bytes(text), kOperation);
}

std::int64_t number(const NativeValue& value) { return std::get<std::int64_t>(value); }
std::string_view text(const NativeValue& value) { return std::get<std::string_view>(value); }

TEST(NativeRecord, ARowIsTypedValues) {
  const auto keys = parsed("uuid_keys", kKeys);
  ASSERT_TRUE(keys) << keys.error().text();
  EXPECT_EQ(format_uuid(std::get<ObjectId>((*keys)[0])), kKeys.substr(0, 36));
  EXPECT_EQ(number((*keys)[1]), 3);

  const auto reading = parsed("time_series", kReading);
  ASSERT_TRUE(reading) << reading.error().text();
  EXPECT_EQ(number((*reading)[0]), 1'688'702'111'007);
  EXPECT_EQ(text((*reading)[1]), "1f438ef5750bbf72");
  EXPECT_EQ(number((*reading)[2]), 1'076) << "thousandths";
  EXPECT_EQ(number((*reading)[3]), 784'695'757);

  const auto payment = parsed("synthetic_transactions", kPayment);
  ASSERT_TRUE(payment) << payment.error().text();
  EXPECT_EQ(to_hex(std::get<ObjectId>((*payment)[0])), kPayment.substr(0, 32));
  EXPECT_EQ(number((*payment)[1]), 1'661'701'239'000);
  EXPECT_EQ(text((*payment)[2]), "070986700500") << "an account is no number";
  EXPECT_EQ(number((*payment)[4]), 53'062'307);
  EXPECT_EQ(text((*payment)[6]), "angry yard");
  EXPECT_EQ(number((*payment)[7]), 868'461'665);

  const auto transfer = parsed("bank_transactions", kTransfer);
  ASSERT_TRUE(transfer) << transfer.error().text();
  EXPECT_EQ(number((*transfer)[0]), 20'088) << "days since 1970";
  EXPECT_EQ(number((*transfer)[1]), -123'450);
  EXPECT_EQ(text((*transfer)[3]), "A, \"B\"");
  EXPECT_TRUE(std::holds_alternative<std::monostate>((*transfer)[5])) << "a bank that says no balance";
}

TEST(NativeRecord, ComesBackToTheByteFromItsValuesAndFromTheirTexts) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"uuid_keys", kKeys},
      {"time_series", kReading},
      {"synthetic_transactions", kPayment},
      {"structured_json", R"({"a":[1,-2.5,"é\n"],"b":{"c":null,"d":true}})"},
      {"jsonb_documents", R"({"b": 1, "aa": [1.5, {"c": "x"}], "ab": {}})"},
      {"text_document", "A line, and\nanother.\n"},
      {"random_binary", std::string_view("a\0b\xff", 4)},
      {"bank_transactions", kTransfer},
      {"text_corpus", "A text of somebody's.\n"},
      {"numeric_dataset", kNumbers},
  };
  ASSERT_EQ(std::size(cases), native_schemas().size()) << "each kind has its case";
  for (const auto& [payload, record] : cases) {
    SCOPED_TRACE(payload);
    const auto values = parsed(payload, record);
    ASSERT_TRUE(values) << values.error().text();
    EXPECT_EQ(*compose_record(schema(payload), *values, kOperation), record);
    std::vector<std::string> made;
    for (std::size_t at = 0; at < values->size(); ++at)
      made.push_back(native_text(schema(payload).columns[at], (*values)[at]));
    const std::vector<std::string_view> texts(made.begin(), made.end());
    EXPECT_EQ(*compose_texts(schema(payload), texts, kOperation), record);
  }
}

TEST(NativeRecord, TakesTheTextsThatSystemsMakeOfAValue) {
  const NativeColumn amount{"amount", NativeType::kDecimal, 9, 2};
  for (const char* const same : {"-5.50", "-5.5"})
    EXPECT_EQ(number(*native_value(amount, same, kOperation)), -550) << same;
  EXPECT_EQ(number(*native_value(amount, "-0.5", kOperation)), -50);
  EXPECT_EQ(number(*native_value(amount, "7", kOperation)), 700);
  EXPECT_EQ(native_text(amount, std::int64_t{-50}), "-0.50");
  const NativeColumn time{"booked_at", NativeType::kTimestamp};
  for (const char* const same :
       {"2022-08-28 15:40:39", "2022-08-28 15:40:39.0", "2022-08-28 15:40:39.000000"})
    EXPECT_EQ(number(*native_value(time, same, kOperation)), 1'661'701'239'000) << same;
  EXPECT_EQ(number(*native_value(time, "1969-12-31 23:59:59.999", kOperation)), -1);
  EXPECT_EQ(native_text(time, std::int64_t{-1}), "1969-12-31 23:59:59.999");
  for (const char* const wrong :
       {"", "2022-02-30 00:00:00", "2022-08-28T15:40:39", "2022-08-28 15:40:39.0000001",
        "2022-08-28 15:40:39.0001", "2022-08-28 15:60:39", "2022-08-28 15:40:39+02"})
    EXPECT_EQ(native_value(time, wrong, kOperation).error().code, ErrorCode::kCorruption) << wrong;
  for (const char* const wrong : {"", ".5", "5.555", "5,5", "5.x", "1e3"})
    EXPECT_FALSE(native_value(amount, wrong, kOperation).has_value()) << wrong;
}

TEST(NativeRecord, RefusesARowThatItWouldNotGiveBackToTheByte) {
  const std::pair<std::string_view, std::string> cases[] = {
      {"uuid_keys", std::string(kKeys) + std::string(kKeys)},                // Two records.
      {"uuid_keys", "a8bbeb89-d11a-496a-bc01-acc470739776, 3\n"},            //
      {"uuid_keys", "A8BBEB89-d11a-496a-bc01-acc470739776,03\n"},            // Digits in another case.
      {"uuid_keys", "a8bbeb89-d11a-496a-bc01-acc470739776,031"},             // No newline.
      {"uuid_keys", "a8bbeb89-d11a-496a-bc01-acc4707397761,3\n"},            //
      {"time_series", "1688702111007,1f438ef5750bbf72,1.70,00784695757\n"},  // Two digits, not three.
      {"time_series", "1688702111007,1f438ef5750bbf72,01.076,784695757\n"},  //
      {"time_series", "1688702111007,1f438ef5750bbf72,1.076,078469575x\n"},  //
      {"time_series", "1688702111007;1f438ef5750bbf72;1.076;0784695757\n"},  //
      {"bank_transactions", std::string(kTransfer) + std::string(kTransfer)},
      {"bank_transactions", "2024-12-31\t-1234.5\tEUR\t\t\t\n"},    // One decimal.
      {"bank_transactions", "2024-02-30\t1.00\tEUR\t\t\t\n"},       // No day.
      {"bank_transactions", "2024-12-31\t\tEUR\t\t\t\n"},           // An amount is not optional.
      {"bank_transactions", "2024-12-31\t1.00\tEUR\ta\rb\t\t\n"},   // A control character.
      {"bank_transactions", "2024-12-31\t1.00\tEUR\t\t\n"},         // A field too few.
      {"numeric_dataset", std::string(kNumbers.substr(1))},         //
      {"numeric_dataset", ""},                                      //
      {"numeric_dataset", std::string("\1\0\0\0\0\0\xf8\x7f", 8)},  // Another NaN.
  };
  for (const auto& [payload, record] : cases) {
    const auto refused = parsed(payload, record);
    ASSERT_FALSE(refused) << record;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(NativeRecord, OfOtherValuesIsRefused) {
  const NativeValue one[] = {std::int64_t{1}};
  EXPECT_EQ(compose_record(schema("uuid_keys"), one, kOperation).error().code, ErrorCode::kCorruption);
  EXPECT_EQ(compose_record(schema("text_document"), one, kOperation).error().code, ErrorCode::kCorruption);
  const NativeValue large[] = {ObjectId{}, std::int64_t{100}};
  EXPECT_EQ(compose_record(schema("uuid_keys"), large, kOperation).error().code, ErrorCode::kCorruption)
      << "a row longer than rows are";
}

TEST(CanonicalJson, IsOneTextForEveryOrderAndSpacing) {
  const char* const texts[] = {R"({"b": [1, 2.5], "aa": {"y": "\u00e9", "x": null}})",
                               R"({"aa":{"x":null,"y":"é"},"b":[1,2.5]})"};
  for (const char* const text : texts) {
    EXPECT_EQ(*canonical_json(text, RecordForm::kJson, kOperation), texts[1]);
    EXPECT_EQ(*canonical_json(text, RecordForm::kJsonb, kOperation),
              R"({"b": [1, 2.5], "aa": {"x": null, "y": "é"}})");
  }
  EXPECT_EQ(canonical_json("{\"a\":", RecordForm::kJson, kOperation).error().code, ErrorCode::kCorruption);
}

TEST(NativeSchema, AnObjectIsOneRecord) {
  DatasetSpec spec{.payload = "time_series", .objects = 10, .object_size = {.low = Bytes{48}}};
  EXPECT_TRUE(check_native(spec));
  spec.object_size.low = Bytes{96};
  const Status two = check_native(spec);
  ASSERT_FALSE(two);
  EXPECT_NE(two.error().detail.find("object_size must be 48, not \"96\""), std::string::npos)
      << two.error().detail;
  spec.object_size = {.kind = SizeLaw::Kind::kUniform, .low = Bytes{48}, .high = Bytes{48}};
  EXPECT_FALSE(check_native(spec));
  spec.payload = "text_document";
  EXPECT_TRUE(check_native(spec)) << "texts have any length";
  spec.object_size = {.kind = SizeLaw::Kind::kRecord};
  spec.payload = "numeric_dataset";
  EXPECT_TRUE(check_native(spec));
  spec.payload = "time_series";
  EXPECT_FALSE(check_native(spec)) << "a made row has its one length";
  spec.payload = "directory:/data";
  EXPECT_NE(check_native(spec).error().detail.find("uuid_keys"), std::string::npos)
      << "it names those that are";
}

TEST(NativeSchema, MakesListsOfColumns) {
  EXPECT_EQ(each_column(schema("uuid_keys")), "entity, shard");
  EXPECT_EQ(each_column(schema("uuid_keys"), "{0} = excluded.{0}"),
            "entity = excluded.entity, shard = excluded.shard");
}

}  // namespace
}  // namespace lab
