// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/row_shape.hpp"

#include <fmt/format.h>

namespace lab::pgwire {
namespace {

constexpr std::string_view kBlobColumns = "id, mime, size_bytes, sha256, payload";
constexpr std::int64_t kEpoch = 946'684'800'000;  // Milliseconds from 1970 to the protocol's year 2000.
constexpr std::int64_t kEpochDays = 10'957;
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

/// One dimension, no nothings in it, the type of its elements; how many there are, the first one's number;
/// the length and the bytes of each.
constexpr std::size_t kListHeader = 20;
constexpr std::size_t kListElement = 12;

std::string binary_list(std::string_view doubles) {
  std::string list = binary(std::int32_t{1}) + binary(std::int32_t{0}) +
                     binary(static_cast<std::int32_t>(Parameters::kFloat8)) +
                     binary(static_cast<std::int32_t>(doubles.size() / sizeof(double))) +
                     binary(std::int32_t{1});
  for (; !doubles.empty(); doubles.remove_prefix(sizeof(double))) {
    list += binary(static_cast<std::int32_t>(sizeof(double)));
    const std::string_view number = doubles.substr(0, sizeof(double));
    list.append(number.rbegin(), number.rend());
  }
  return list;
}

/// The doubles of such a list.
Result<std::string> doubles_of(std::string_view list, const char* operation) {
  const Error no_list{ErrorCode::kCorruption, operation, "a list of numbers came back in another form"};
  if (list.size() < kListHeader || (list.size() - kListHeader) % kListElement != 0) return no_list;
  std::string doubles;
  for (std::string_view left = list.substr(kListHeader); !left.empty(); left.remove_prefix(kListElement)) {
    const std::string_view number = left.substr(kListElement - sizeof(double), sizeof(double));
    doubles.append(number.rbegin(), number.rend());
  }
  return binary_list(doubles) == list ? Result<std::string>(std::move(doubles)) : no_list;
}

/// As text, whatever the connection's settings are.
std::string text_sql(const NativeColumn& column) {
  switch (column.type) {
    case NativeType::kText:
    case NativeType::kBinary:
    case NativeType::kReals:
      return std::string(column.name);
    case NativeType::kDate:
      return fmt::format("to_char({}, 'YYYY-MM-DD')", column.name);
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
    case NativeType::kDate:
      return "date";
    case NativeType::kReals:
      return "double precision[]";
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
  if (std::holds_alternative<std::monostate>(value)) {
    row.fields.push_back({.type = Parameters::kNumeric, .null = true});
    return;
  }
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
    case NativeType::kDate:
      row.keep(Parameters::kDate,
               binary(static_cast<std::int32_t>(std::get<std::int64_t>(value) - kEpochDays)));
      break;
    case NativeType::kReals:
      row.keep(Parameters::kFloat8List, binary_list(std::get<std::string_view>(value)));
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
  for (const Field& field : fields)
    if (field.null)
      all.null(field.type);
    else
      all.value(field.type, field.bytes);
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
  if (schema_ == nullptr || schema_->columns[0].type != NativeType::kReals)
    return read_payload(schema_, texts, operation);
  const auto doubles = doubles_of(texts[0], operation);
  if (!doubles) return doubles.error();
  texts[0] = *doubles;
  return read_payload(schema_, texts, operation);
}

}  // namespace lab::pgwire
