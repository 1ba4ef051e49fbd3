// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/native_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "core/text.hpp"

#include "drivers/clickhouse/row_binary.hpp"

namespace lab::clickhouse {
namespace {

constexpr char kBetween = '\t';          // Stands in no field of a row.
constexpr int kSmallDigits = 4;          // Of an Int16.
constexpr int kDecimal32Digits = 9;      // A Decimal of at most as many is 4 bytes, else 8.
constexpr std::int64_t kSecond = 1'000;  // In milliseconds.
constexpr std::int64_t kDaysMax =
    49'672;  // From 1970 to the last day of 2105, which is in each version's table.

std::string type_sql(const NativeColumn& column, const Server& server) {
  switch (column.type) {
    case NativeType::kUuid:
      return "UUID";
    case NativeType::kInteger:
      return column.digits <= kSmallDigits ? "Int16" : "Int64";
    case NativeType::kDecimal:
      return fmt::format(fmt::runtime(column.optional ? "Nullable(Decimal({}, {}))" : "Decimal({}, {})"),
                         column.digits, column.scale);
    case NativeType::kDate:
      return "Date";
    case NativeType::kReals:
      return "Array(Float64)";
    case NativeType::kTimestamp:
      return server.has_milliseconds() ? "DateTime64(3, 'UTC')" : "DateTime('UTC')";
    case NativeType::kText:
    case NativeType::kJson:
    case NativeType::kBinary:
      break;
  }
  return "String";
}

std::string text_sql(const NativeColumn& column) {
  const bool text = column.type == NativeType::kText || column.type == NativeType::kJson ||
                    column.type == NativeType::kBinary;
  if (text) return std::string(column.name);
  if (column.optional) return fmt::format("ifNull(toString({}), '')", column.name);
  return fmt::format("toString({})", column.name);
}

/// A UUID is two numbers of 8 bytes, each with its lowest byte first.
void append_uuid(std::string& row, const ObjectId& id) {
  for (const auto half : {std::span(id).first(8), std::span(id).last(8)})
    std::for_each(half.rbegin(), half.rend(), [&](std::byte byte) { row += static_cast<char>(byte); });
}

/// The bytes of "[1.5,nan,-0]": the server prints as many digits as tell a number from its neighbours.
Result<std::string> reals_of(std::string_view text, const char* operation) {
  const Error no_list{ErrorCode::kCorruption, operation, "a list of numbers came back as other text"};
  if (text.size() < 2 || !text.starts_with('[') || !text.ends_with(']')) return no_list;
  std::string bytes;
  for (const std::string& word : split(text.substr(1, text.size() - 2), ',')) {
    double number = 0;
    const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (code != std::errc{} || end != word.data() + word.size()) return no_list;
    append_little_endian(bytes, std::isnan(number) ? kNoNumber : std::bit_cast<std::uint64_t>(number));
  }
  return bytes;
}

Status append_value(std::string& row, const NativeColumn& column, const NativeValue& value, bool milliseconds,
                    const char* operation) {
  if (column.optional) row += std::holds_alternative<std::monostate>(value) ? '\1' : '\0';  // "Is null".
  if (std::holds_alternative<std::monostate>(value)) return ok();
  if (const auto* id = std::get_if<ObjectId>(&value)) {
    append_uuid(row, *id);
    return ok();
  }
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    row += varint(column.type == NativeType::kReals ? text->size() / sizeof(double) : text->size());
    row += *text;
    return ok();
  }
  const std::int64_t number = std::get<std::int64_t>(value);
  if (column.type == NativeType::kTimestamp && !milliseconds) {
    if (number % kSecond != 0)
      return Error{ErrorCode::kUnsupported, operation,
                   "a time with milliseconds: this server has no DateTime64"};
    append_little_endian(row, static_cast<std::uint32_t>(number / kSecond));
  } else if (column.type == NativeType::kDate) {
    if (number < 0 || number > kDaysMax)
      return Error{ErrorCode::kUnsupported, operation,
                   fmt::format("{}: a Date of this server is from 1970-01-01 to 2105-12-31",
                               native_text(column, value))};
    append_little_endian(row, static_cast<std::uint16_t>(number));
  } else if (column.type == NativeType::kInteger && column.digits <= kSmallDigits) {
    append_little_endian(row, static_cast<std::uint16_t>(number));
  } else if (column.type == NativeType::kDecimal && column.digits <= kDecimal32Digits) {
    append_little_endian(row, static_cast<std::uint32_t>(number));
  } else {
    append_little_endian(row, static_cast<std::uint64_t>(number));
  }
  return ok();
}

}  // namespace

std::string native_definitions(const NativeSchema& schema, const Server& server, const std::string& codec) {
  std::string text;
  for (const NativeColumn& column : schema.columns)
    text += fmt::format(", {} {}{}", column.name, type_sql(column, server), codec);
  return text;
}

std::string native_order(const NativeSchema& schema) {
  return schema.index.empty() ? "id" : fmt::format("({}, id)", schema.index);
}

std::string native_selection(const NativeSchema& schema) {
  if (!schema.is_row()) return text_sql(schema.columns[0]);
  std::string text;
  for (const NativeColumn& column : schema.columns)
    text += fmt::format("{}{}", text.empty() ? "" : ", '\\t', ", text_sql(column));
  return fmt::format("concat({})", text);
}

Result<ReadPayload> native_payload(const NativeSchema& schema, std::string_view text, const char* operation) {
  std::vector<std::string_view> texts;
  while (schema.is_row() && text.find(kBetween) != std::string_view::npos) {
    texts.push_back(text.substr(0, text.find(kBetween)));
    text.remove_prefix(texts.back().size() + 1);
  }
  texts.push_back(text);
  // The first day of a Date, as versions before 20 print it.
  for (std::size_t at = 0; at < std::min(texts.size(), schema.columns.size()); ++at)
    if (schema.columns[at].type == NativeType::kDate && texts[at] == "0000-00-00") texts[at] = "1970-01-01";
  if (schema.columns[0].type != NativeType::kReals) return read_payload(&schema, texts, operation);
  const auto bytes = reals_of(text, operation);
  if (!bytes) return bytes.error();
  texts[0] = *bytes;
  return read_payload(&schema, texts, operation);
}

Result<std::string> native_row(const NativeSchema& schema, bool milliseconds, const Object& object,
                               const char* operation) {
  const auto record = parse_record(schema, object.payload, operation);
  if (!record) return record.error();
  std::string row(as_text(object.id));
  for (std::size_t at = 0; at < record->size(); ++at)
    LAB_TRY(append_value(row, schema.columns[at], (*record)[at], milliseconds, operation));
  return row;
}

}  // namespace lab::clickhouse
