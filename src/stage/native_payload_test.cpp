// What the kinds of data make is what mode "native" takes apart: to the byte, for every kind and many
// contents. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "core/testing/temporary_folder.hpp"
#include "driver/native_record.hpp"
#include "payload/bank_record.hpp"
#include "payload/dataset.hpp"
#include "payload/made_kinds.hpp"
#include "payload/real_data_test_support.hpp"
#include "payload/real_kinds.hpp"

namespace lab {
namespace {

constexpr int kRecords = 200;

DatasetSpec spec_of(const NativeSchema& schema, std::uint64_t seed) {
  const bool row = schema.form == RecordForm::kRow;
  const Bytes size{row ? static_cast<std::int64_t>(schema.row_bytes) : 700};
  SizeLaw law{.low = size};
  if (schema.of_real_data) law = {.kind = SizeLaw::Kind::kRecord};
  return {
      .payload = std::string(schema.payload), .dataset_seed = seed, .objects = kRecords, .object_size = law};
}

TEST(NativePayload, EveryMadeKindAndEachWithRecordsHasItsSchema) {
  std::set<std::string> with_schema;
  for (const NativeSchema& schema : native_schemas()) with_schema.emplace(schema.payload);
  const std::vector<std::string> made = made_kind_names();
  std::set<std::string> kinds(made.begin(), made.end());
  for (const RealKind& kind : real_kinds()) {
    if (kind.records == nullptr) continue;
    kinds.emplace(kind.name);
    EXPECT_TRUE(find_native_schema(kind.name)->of_real_data);
  }
  EXPECT_EQ(with_schema, kinds);
}

TEST(NativePayload, TextsOfATransactionFitIntoTheirColumns) {
  const auto& columns = find_native_schema("bank_transactions")->columns;
  EXPECT_EQ(columns[2].digits, kBankCurrencyMax);
  EXPECT_EQ(columns[3].digits, kBankPartyMax);
  EXPECT_EQ(columns[4].digits, kBankPurposeMax);
}

TEST(NativePayload, OfRealDataIsAWholeRecordAndNoSlice) {
  DatasetSpec slices = spec_of(*find_native_schema("text_corpus"), 1);
  EXPECT_TRUE(check_native(slices));
  slices.object_size = {.low = Bytes{4096}};
  const Status refused = check_native(slices);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().detail.find("object_size must be \"record\", not \"4 KiB\""), std::string::npos)
      << refused.error().detail;
}

TEST(NativePayload, ARowKindMakesOneRowOfItsSmallestSize) {
  for (const NativeSchema& schema : native_schemas()) {
    if (schema.form != RecordForm::kRow) continue;
    const MadeKind* const kind = find_made_kind(schema.payload);
    ASSERT_NE(kind, nullptr);
    EXPECT_EQ(kind->smallest_any, Bytes{static_cast<std::int64_t>(schema.row_bytes)}) << schema.payload;
  }
}

TEST(NativePayload, ComesBackToTheByteFromItsTypedValues) {
  const TemporaryFolder folder;
  write_real_records(folder.path(), kRecords);
  for (const NativeSchema& schema : native_schemas())
    for (const std::uint64_t seed : {1, 7, 4'711}) {
      SCOPED_TRACE(schema.payload);
      const DatasetSpec spec = spec_of(schema, seed);
      ASSERT_TRUE(check_native(spec));
      const auto dataset = Dataset::make(spec, {.real_world_dir = folder.path().string()});
      ASSERT_TRUE(dataset) << dataset.error().text();
      std::vector<std::byte> payload;
      for (std::uint64_t content = 0; content < spec.objects; ++content) {
        ASSERT_TRUE((*dataset)->source().fill(content, payload));
        const auto record = parse_record(schema, payload, "test");
        ASSERT_TRUE(record) << record.error().text();
        const auto again = compose_record(schema, *record, "test");
        ASSERT_TRUE(again) << again.error().text();
        ASSERT_EQ(*again, as_text(payload));
      }
    }
}

}  // namespace
}  // namespace lab
