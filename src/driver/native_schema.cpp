// SPDX-License-Identifier: Apache-2.0
#include "driver/native_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/text.hpp"

namespace lab {
namespace {

constexpr std::array<NativeColumn, 2> kKeys{{
    {"entity", NativeType::kUuid},
    {"shard", NativeType::kInteger, 2},
}};
constexpr std::array<NativeColumn, 4> kReadings{{
    {"measured_at", NativeType::kTimestamp, 0, 0, Spelling::kCompact},
    {"device", NativeType::kText, 16},
    {"temperature", NativeType::kDecimal, 5, 3},
    {"meter", NativeType::kInteger, 18},
}};
constexpr std::array<NativeColumn, 8> kTransactions{{
    {"reference", NativeType::kUuid, 0, 0, Spelling::kCompact},
    {"booked_at", NativeType::kTimestamp},
    {"payer", NativeType::kText, 12},
    {"payee", NativeType::kText, 12},
    {"amount", NativeType::kDecimal, 9, 2},
    {"currency", NativeType::kText, 3},
    {"purpose", NativeType::kText, 64},
    {"balance", NativeType::kInteger, 18},
}};
constexpr std::array<NativeColumn, 6> kStatement{{
    {"booked_on", NativeType::kDate},
    {"amount", NativeType::kDecimal, 15, 2},  // A double has 15 digits, and SQLite's numbers are doubles.
    {"currency", NativeType::kText, 16},
    {"counterparty", NativeType::kText, 255},
    {"purpose", NativeType::kText, 2'000},
    {"balance", NativeType::kDecimal, 15, 2, Spelling::kUsual, true},
}};
constexpr std::array<NativeColumn, 1> kNumbers{{{"numbers", NativeType::kReals}}};
constexpr std::array<NativeColumn, 1> kDocument{{{"document", NativeType::kJson}}};
constexpr std::array<NativeColumn, 1> kText{{{"content", NativeType::kText}}};
constexpr std::array<NativeColumn, 1> kBinary{{{"content", NativeType::kBinary}}};

constexpr std::array<NativeSchema, 10> kSchemas{{
    {"random_binary", RecordForm::kValue, kBinary},
    {"structured_json", RecordForm::kJson, kDocument},
    {"text_document", RecordForm::kValue, kText},
    {"uuid_keys", RecordForm::kRow, kKeys, "entity", 40},
    {"jsonb_documents", RecordForm::kJsonb, kDocument},
    {"time_series", RecordForm::kRow, kReadings, "device, measured_at", 48},
    {"synthetic_transactions", RecordForm::kRow, kTransactions, "payer, booked_at", 134},
    {"bank_transactions", RecordForm::kLine, kStatement, "booked_on", 0, true},
    {"text_corpus", RecordForm::kValue, kText, "", 0, true},
    {"numeric_dataset", RecordForm::kValue, kNumbers, "", 0, true},
}};

}  // namespace

std::span<const NativeSchema> native_schemas() { return kSchemas; }

const NativeSchema* find_native_schema(std::string_view payload) {
  const auto found = std::ranges::find(kSchemas, payload, &NativeSchema::payload);
  return found == kSchemas.end() ? nullptr : &*found;
}

Result<const NativeSchema*> native_schema_of(std::string_view payload, const std::string& operation) {
  if (const NativeSchema* schema = find_native_schema(payload)) return schema;
  std::vector<std::string> names;
  for (const NativeSchema& schema : kSchemas) names.emplace_back(schema.payload);
  return Error{ErrorCode::kUnsupported, operation,
               fmt::format("payload '{}' has no schema of mode 'native'; those that have one: {}",
                           to_valid_utf8(payload), join(names, ", "))};
}

Status check_native(const DatasetSpec& dataset) {
  const auto schema = native_schema_of(dataset.payload, "plan");
  if (!schema) return Error{ErrorCode::kInvalidArgument, "plan", schema.error().detail};
  const SizeLaw& law = dataset.object_size;
  if ((*schema)->of_real_data && law.sets_size())
    return Error{ErrorCode::kInvalidArgument, "plan",
                 fmt::format("in mode 'native' an object of {} is one whole record: object_size must be "
                             "\"record\", not \"{}\"",
                             dataset.payload, to_string(law))};
  if ((*schema)->form != RecordForm::kRow) return ok();
  if (!law.varies() && law.low == Bytes{static_cast<std::int64_t>((*schema)->row_bytes)}) return ok();
  return Error{
      ErrorCode::kInvalidArgument, "plan",
      fmt::format("in mode 'native' an object of {0} is one row of {1} bytes: object_size must be {1}, "
                  "not \"{2}\"",
                  dataset.payload, (*schema)->row_bytes, to_string(law))};
}

std::string each_column(const NativeSchema& schema, std::string_view pattern) {
  std::vector<std::string> parts;
  for (const NativeColumn& column : schema.columns)
    parts.push_back(fmt::format(fmt::runtime(pattern), column.name));
  return join(parts, ", ");
}

}  // namespace lab
