// What the kinds of data make is what mode "native" takes apart: to the byte, for every kind and many
// contents. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "driver/native_record.hpp"
#include "payload/dataset.hpp"
#include "payload/made_kinds.hpp"

namespace lab {
namespace {

DatasetSpec spec_of(const NativeSchema& schema, std::uint64_t seed) {
  const bool row = schema.form == RecordForm::kRow;
  const Bytes size{row ? static_cast<std::int64_t>(schema.row_bytes) : 700};
  return {.payload = std::string(schema.payload),
          .dataset_seed = seed,
          .objects = 200,
          .object_size = {.low = size}};
}

TEST(NativePayload, EveryMadeKindHasItsSchema) {
  std::set<std::string> with_schema;
  for (const NativeSchema& schema : native_schemas()) with_schema.emplace(schema.payload);
  const std::vector<std::string> kinds = made_kind_names();
  EXPECT_EQ(with_schema, std::set<std::string>(kinds.begin(), kinds.end()));
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
  for (const NativeSchema& schema : native_schemas())
    for (const std::uint64_t seed : {1, 7, 4'711}) {
      SCOPED_TRACE(schema.payload);
      const DatasetSpec spec = spec_of(schema, seed);
      ASSERT_TRUE(check_native(spec));
      const auto dataset = Dataset::make(spec);
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
