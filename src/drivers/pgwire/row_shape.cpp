// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/row_shape.hpp"

#include <fmt/format.h>

namespace lab::pgwire {
namespace {

constexpr std::string_view kBlobColumns = "id, mime, size_bytes, sha256, payload";
constexpr std::int64_t kEpoch = 946'684'800'000;  // Milliseconds from 1970 to the protocol's year 2000.
constexpr int kSmallintDigits = 4;
constexpr int kGroupDigits = 4;  // A numeric is digits of base 10,000.
constexpr std::int64_t kGroup = 10'000;
constexpr std::int16_t kNegative = 0x4000;
constexpr char kJsonbVersion = 1;

template <class Integer>
std::string binary(Integer number) {
  const auto bytes = big_endian(number);
  return {bytes.data(), bytes.size()};
}

/// How many groups, the power of the first one, the sign, the digits behind the point, the groups.
std::string binary_numeric(std::int64_t digits, int scale) {
  std::int64_t left = digits < 0 ? -digits : digits;
  int behind = scale;
  for (; behind % kGroupDigits != 0; ++behind) left *= 10;
  std::string groups;
  std::int16_t count = 0;
  for (; left > 0; left /= kGroup, ++count)
    groups.insert(0, binary(static_cast<std::int16_t>(left % kGroup)));
  const auto weight = static_cast<std::int16_t>(count - behind / kGroupDigits - 1);
  return binary(count) + binary(weight) + binary(digits < 0 ? kNegative : std::int16_t{0}) +
         binary(static_cast<std::int16_t>(scale)) + groups;
}

/// As text, whatever the connection's settings are.
std::string text_sql(const NativeColumn& column) {
  switch (column.type) {
    case NativeType::kText:
    case NativeType::kBinary:
      return std::string(column.name);
    case NativeType::kTimestamp:
      return fmt::format("to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')", column.name);
    case NativeType::kUuid:
    case NativeType::kInteger:
    case NativeType::kDecimal:
    case NativeType::kJson:
      break;
  }
  return fmt::format("{}::text", column.name);
}

}  // namespace

std::string type_sql(const NativeColumn& column) {
  switch (column.type) {
    case NativeType::kUuid:
      return "uuid";
    case NativeType::kInteger:
      return column.digits <= kSmallintDigits ? "smallint" : "bigint";
    case NativeType::kDecimal:
      return fmt::format("numeric({}, {})", column.digits, column.scale);
    case NativeType::kTimestamp:
      return "timestamptz";
    case NativeType::kJson:
      return "jsonb";
    case NativeType::kBinary:
      return "bytea";
    case NativeType::kText:
      break;
  }
  return column.digits == 0 ? "text" : fmt::format("varchar({})", column.digits);
}

void append_value(RowFields& row, const NativeColumn& column, const NativeValue& value) {
  switch (column.type) {
    case NativeType::kUuid:
      row.keep(Parameters::kUuid, std::string(as_text(std::get<ObjectId>(value))));
      break;
    case NativeType::kInteger:
      if (column.digits <= kSmallintDigits)
        row.keep(Parameters::kInt2, binary(static_cast<std::int16_t>(std::get<std::int64_t>(value))));
      else
        row.keep(Parameters::kInt8, binary(std::get<std::int64_t>(value)));
      break;
    case NativeType::kDecimal:
      row.keep(Parameters::kNumeric, binary_numeric(std::get<std::int64_t>(value), column.scale));
      break;
    case NativeType::kTimestamp:
      row.keep(Parameters::kTimestamptz, binary((std::get<std::int64_t>(value) - kEpoch) * 1'000));
      break;
    case NativeType::kJson:
      row.keep(Parameters::kJsonb, kJsonbVersion + std::string(std::get<std::string_view>(value)));
      break;
    case NativeType::kText:
      row.add(Parameters::kText, std::get<std::string_view>(value));
      break;
    case NativeType::kBinary:
      row.add(Parameters::kBytea, std::get<std::string_view>(value));
      break;
  }
}

Parameters RowFields::parameters() const {
  Parameters all;
  for (const Field& field : fields) all.value(field.type, field.bytes);
  return all;
}

std::string RowShape::columns() const {
  return schema_ == nullptr ? std::string(kBlobColumns) : "id, " + each_column(*schema_);
}

std::string RowShape::definitions() const {
  if (schema_ == nullptr) return "id uuid, mime text, size_bytes bigint, sha256 bytea, payload bytea";
  std::string text = "id uuid";
  for (const NativeColumn& column : schema_->columns)
    text += fmt::format(", {} {}", column.name, type_sql(column));
  return text;
}

std::string RowShape::placeholders() const {
  const std::size_t count = schema_ == nullptr ? 5 : schema_->columns.size() + 1;
  std::string text = "$1";
  for (std::size_t number = 2; number <= count; ++number) text += fmt::format(", ${}", number);
  return text;
}

std::string RowShape::replacement() const {
  if (schema_ != nullptr) return each_column(*schema_, "{0} = excluded.{0}");
  return "mime = excluded.mime, size_bytes = excluded.size_bytes, sha256 = excluded.sha256, "
         "payload = excluded.payload";
}

std::string RowShape::selection() const {
  if (schema_ == nullptr) return "id, payload";
  std::string text = "id";
  for (const NativeColumn& column : schema_->columns) text += ", " + text_sql(column);
  return text;
}

std::string RowShape::selection_up_to(std::size_t bytes) const {
  if (schema_ != nullptr) return selection();
  return fmt::format("id, CASE WHEN octet_length(payload) <= {} THEN payload END", bytes);
}

Result<RowFields> RowShape::fields_of(const Object& object, const char* operation) const {
  RowFields row;
  row.add(Parameters::kUuid, as_text(object.id));
  if (schema_ == nullptr) {
    row.add(Parameters::kText, object.mime);
    row.keep(Parameters::kInt8, binary(static_cast<std::int64_t>(object.payload.size())));
    row.add(Parameters::kBytea, as_text(object.digest));
    row.add(Parameters::kBytea, as_text(object.payload));
    return row;
  }
  const auto record = parse_record(*schema_, object.payload, operation);
  if (!record) return record.error();
  for (std::size_t at = 0; at < record->size(); ++at) append_value(row, schema_->columns[at], (*record)[at]);
  return row;
}

Result<ReadPayload> RowShape::read(const Rows& rows, int row, const char* operation) const {
  std::vector<std::string_view> texts;
  const int count = schema_ == nullptr ? 1 : static_cast<int>(schema_->columns.size());
  for (int column = 1; column <= count; ++column) texts.push_back(rows.text(row, column));
  return read_payload(schema_, texts, operation);
}

}  // namespace lab::pgwire
