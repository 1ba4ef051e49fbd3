// SPDX-License-Identifier: Apache-2.0
#include "driver/native_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

#include "core/text.hpp"
#include "driver/native_json.hpp"
#include "model/uuid.hpp"

namespace lab {
namespace {

using std::chrono::milliseconds;

constexpr int kFractionDigits = 6;  // Of a second, at most; what is finer than a millisecond must be zero.
constexpr std::size_t kTimeLength = 19;  // "2023-01-09 03:14:45"
constexpr std::size_t kDateLength = 10;
constexpr std::size_t kRealBytes = 8;
constexpr std::int64_t kMillisecond = 1'000;

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Digits alone, behind which as many zeros are put that they are `digits`.
std::optional<std::int64_t> fraction(std::string_view text, int digits) {
  if (text.size() > static_cast<std::size_t>(digits)) return std::nullopt;
  std::int64_t number = 0;
  for (int at = 0; at < digits; ++at) {
    const char digit = static_cast<std::size_t>(at) < text.size() ? text[static_cast<std::size_t>(at)] : '0';
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + (digit - '0');
  }
  return number;
}

std::int64_t power_of_ten(int exponent) {
  std::int64_t power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

std::optional<std::int64_t> decimal_of(std::string_view text, int scale) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const bool negative = text.starts_with('-');
  const auto whole = whole_number(text.substr(0, point));
  const auto behind = fraction(point == text.size() ? "" : text.substr(point + 1), scale);
  if (!whole || !behind) return std::nullopt;
  return *whole * power_of_ten(scale) + (negative ? -*behind : *behind);
}

std::string decimal_text(std::int64_t digits, int scale) {
  const std::int64_t power = power_of_ten(scale);
  const std::int64_t size = digits < 0 ? -digits : digits;
  return fmt::format("{}{}.{:0{}}", digits < 0 ? "-" : "", size / power, size % power, scale);
}

/// As many digits as `size` at a place of the text.
std::optional<std::int64_t> digits_at(std::string_view text, std::size_t at, std::size_t size) {
  return fraction(text.substr(at, size), static_cast<int>(size));
}

/// The days from 1970 to "2023-01-09".
std::optional<std::int64_t> date_of(std::string_view text) {
  if (text.size() != kDateLength || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits_at(text, 0, 4);
  const auto month = digits_at(text, 5, 2);
  const auto day = digits_at(text, 8, 2);
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::string date_text(std::int64_t since_1970) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(since_1970))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

/// "2023-01-09 03:14:45", then perhaps a point and digits.
std::optional<std::int64_t> time_of(std::string_view text) {
  if (text.size() < kTimeLength || text[10] != ' ' || text[13] != ':' || text[16] != ':' ||
      (text.size() > kTimeLength && text[kTimeLength] != '.'))
    return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t size) { return digits_at(text, at, size); };
  const auto date = date_of(text.substr(0, kDateLength));
  const auto hour = part(11, 2);
  const auto minute = part(14, 2);
  const auto second = part(17, 2);
  const auto micros =
      fraction(text.size() > kTimeLength ? text.substr(kTimeLength + 1) : "", kFractionDigits);
  if (!date || !hour || !minute || !second || !micros || *micros % kMillisecond != 0) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto since = std::chrono::days(*date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
                     std::chrono::seconds(*second);
  return milliseconds(since).count() + *micros / kMillisecond;
}

std::string time_text(std::int64_t since_1970, bool with_fraction) {
  const std::chrono::sys_time<milliseconds> at{milliseconds(since_1970)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::int64_t of_day = (at - day).count();
  std::string text = fmt::format("{} {:02}:{:02}:{:02}", date_text(day.time_since_epoch().count()),
                                 of_day / 3'600'000, of_day / 60'000 % 60, of_day / 1'000 % 60);
  if (with_fraction) text += fmt::format(".{:03}", of_day % kMillisecond);
  return text;
}

std::optional<ObjectId> uuid_of_digits(std::string_view text) {
  if (text.size() != 32) return std::nullopt;
  return parse_uuid(fmt::format("{}-{}-{}-{}-{}", text.substr(0, 8), text.substr(8, 4), text.substr(12, 4),
                                text.substr(16, 4), text.substr(20)));
}

/// Doubles whose only value that is no number is the one of the record: its bytes survive as the word NaN.
bool are_reals(std::string_view bytes) {
  if (bytes.empty() || bytes.size() % kRealBytes != 0) return false;
  for (std::size_t at = 0; at < bytes.size(); at += kRealBytes) {
    std::uint64_t bits = 0;
    for (std::size_t byte = kRealBytes; byte-- > 0;)
      bits = bits << 8U | static_cast<unsigned char>(bytes[at + byte]);
    if (std::isnan(std::bit_cast<double>(bits)) && bits != kNoNumber) return false;
  }
  return true;
}

template <class T>
std::optional<NativeValue> as_value(std::optional<T> value) {
  if (!value) return std::nullopt;
  return NativeValue(*std::move(value));
}

/// A field of a row; the record spells some fields otherwise than SQL does.
std::optional<NativeValue> value_in(const NativeColumn& column, std::string_view text, bool compact) {
  if (column.optional && text.empty()) return std::monostate();
  switch (column.type) {
    case NativeType::kUuid:
      // A system may give back digits alone; a record has its one spelling.
      return as_value(text.size() == 32 ? uuid_of_digits(text) : parse_uuid(text));
    case NativeType::kInteger:
      return as_value(whole_number(text));
    case NativeType::kDecimal:
      return as_value(decimal_of(text, column.scale));
    case NativeType::kTimestamp:
      return as_value(compact ? whole_number(text) : time_of(text));
    case NativeType::kDate:
      return as_value(date_of(text));
    case NativeType::kReals:
      return are_reals(text) ? std::optional<NativeValue>(text) : std::nullopt;
    case NativeType::kText:
    case NativeType::kJson:
    case NativeType::kBinary:
      return NativeValue(text);
  }
  return std::nullopt;
}

/// How the record spells a value.
std::string spelled(const NativeColumn& column, const NativeValue& value) {
  const bool compact = column.spelling == Spelling::kCompact;
  if (compact && column.type == NativeType::kUuid) return to_hex(std::get<ObjectId>(value));
  if (column.type != NativeType::kTimestamp) return native_text(column, value);
  const std::int64_t time = std::get<std::int64_t>(value);
  return compact ? std::to_string(time) : time_text(time, false);
}

bool is_control(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return byte < 0x20 || byte == 0x7F;
}

bool holds_its_type(const NativeColumn& column, const NativeValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return column.optional;
  switch (column.type) {
    case NativeType::kUuid:
      return std::holds_alternative<ObjectId>(value);
    case NativeType::kInteger:
    case NativeType::kDecimal:
    case NativeType::kTimestamp:
    case NativeType::kDate:
      return std::holds_alternative<std::int64_t>(value);
    case NativeType::kReals:
    case NativeType::kText:
    case NativeType::kJson:
    case NativeType::kBinary:
      return std::holds_alternative<std::string_view>(value);
  }
  return false;
}

Result<std::string> compose_row(const NativeSchema& schema, std::span<const NativeValue> values,
                                const char* operation) {
  std::string row;
  for (std::size_t at = 0; at + 1 < values.size(); ++at) row += spelled(schema.columns[at], values[at]) + ",";
  const std::string last = spelled(schema.columns.back(), values.back());
  if (row.size() + last.size() + 1 > schema.row_bytes)
    return Error{ErrorCode::kCorruption, operation,
                 fmt::format("a row of {} of {} bytes, more than {}", schema.payload,
                             row.size() + last.size() + 1, schema.row_bytes)};
  row.append(schema.row_bytes - 1 - row.size() - last.size(), '0');
  return row + last + "\n";
}

Result<std::string> compose_line(const NativeSchema& schema, std::span<const NativeValue> values,
                                 const char* operation) {
  std::string line;
  for (std::size_t at = 0; at < values.size(); ++at) {
    const std::string text = spelled(schema.columns[at], values[at]);
    if (std::ranges::any_of(text, is_control))
      return Error{ErrorCode::kCorruption, operation,
                   fmt::format("a control character in {} of {}", schema.columns[at].name, schema.payload)};
    line += text;
    line += at + 1 == values.size() ? '\n' : '\t';
  }
  return line;
}

/// The text of each column, between what stands between them. Nothing for another number of fields.
std::optional<NativeRecord> fields_of(const NativeSchema& schema, std::string_view left, char between) {
  NativeRecord record;
  for (const NativeColumn& column : schema.columns) {
    const bool last = record.size() + 1 == schema.columns.size();
    const std::size_t end = last ? left.size() : left.find(between);
    if (end == std::string_view::npos) return std::nullopt;
    const auto value = value_in(column, left.substr(0, end), column.spelling == Spelling::kCompact);
    if (!value) return std::nullopt;
    record.push_back(*value);
    left.remove_prefix(last ? end : end + 1);
  }
  return record;
}

Result<NativeRecord> parse_value(const NativeSchema& schema, std::string_view text, const char* operation) {
  if (schema.columns[0].type != NativeType::kReals || are_reals(text)) return NativeRecord{text};
  return Error{ErrorCode::kInvalidArgument, operation,
               fmt::format("an object of {} bytes is no record of {}: numbers of {} bytes each", text.size(),
                           schema.payload, kRealBytes)};
}

}  // namespace

Result<NativeRecord> parse_record(const NativeSchema& schema, std::span<const std::byte> payload,
                                  const char* operation) {
  const std::string_view text = as_text(payload);
  const bool row = schema.form == RecordForm::kRow;
  if (!row && schema.form != RecordForm::kLine) return parse_value(schema, text, operation);
  const Error no_record{ErrorCode::kInvalidArgument, operation,
                        fmt::format("an object of {} bytes is no row of {}{}", text.size(), schema.payload,
                                    row ? fmt::format(", which has {} bytes", schema.row_bytes) : "")};
  if ((row && text.size() != schema.row_bytes) || !text.ends_with('\n')) return no_record;
  auto record = fields_of(schema, text.substr(0, text.size() - 1), row ? ',' : '\t');
  if (!record) return no_record;
  const auto again = row ? compose_row(schema, *record, operation) : compose_line(schema, *record, operation);
  if (!again || *again != text) return no_record;
  return *std::move(record);
}

Status check_records(const NativeSchema* schema, std::span<const Object> objects, const char* operation) {
  if (schema == nullptr) return ok();
  for (const Object& object : objects) {
    const auto record = parse_record(*schema, object.payload, operation);
    if (!record) return record.error();
  }
  return ok();
}

Result<std::string> compose_record(const NativeSchema& schema, std::span<const NativeValue> values,
                                   const char* operation) {
  bool fits = values.size() == schema.columns.size();
  for (std::size_t at = 0; fits && at < values.size(); ++at)
    fits = holds_its_type(schema.columns[at], values[at]);
  if (!fits)
    return Error{ErrorCode::kCorruption, operation,
                 fmt::format("{} values that are no record of {}", values.size(), schema.payload)};
  if (schema.form == RecordForm::kRow) return compose_row(schema, values, operation);
  if (schema.form == RecordForm::kLine) return compose_line(schema, values, operation);
  const std::string_view text = std::get<std::string_view>(values[0]);
  if (schema.form == RecordForm::kValue) return std::string(text);
  return canonical_json(text, schema.form, operation);
}

std::string native_text(const NativeColumn& column, const NativeValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return {};
  switch (column.type) {
    case NativeType::kUuid:
      return format_uuid(std::get<ObjectId>(value));
    case NativeType::kInteger:
      return std::to_string(std::get<std::int64_t>(value));
    case NativeType::kDecimal:
      return decimal_text(std::get<std::int64_t>(value), column.scale);
    case NativeType::kTimestamp:
      return time_text(std::get<std::int64_t>(value), true);
    case NativeType::kDate:
      return date_text(std::get<std::int64_t>(value));
    case NativeType::kReals:
    case NativeType::kText:
    case NativeType::kJson:
    case NativeType::kBinary:
      break;
  }
  return std::string(std::get<std::string_view>(value));
}

Result<NativeValue> native_value(const NativeColumn& column, std::string_view text, const char* operation) {
  if (auto value = value_in(column, text, false)) return *value;
  return Error{ErrorCode::kCorruption, operation,
               fmt::format("'{}' is no value of column {}", to_valid_utf8(text), column.name)};
}

Result<std::string> compose_texts(const NativeSchema& schema, std::span<const std::string_view> texts,
                                  const char* operation) {
  NativeRecord record;
  for (std::size_t at = 0; at < texts.size() && at < schema.columns.size(); ++at) {
    const auto value = native_value(schema.columns[at], texts[at], operation);
    if (!value) return value.error();
    record.push_back(*value);
  }
  return compose_record(schema, record, operation);
}

std::span<const std::byte> ReadPayload::bytes() const {
  if (const auto* composed = std::get_if<std::string>(&bytes_)) return as_bytes(*composed);
  return std::get<std::span<const std::byte>>(bytes_);
}

Result<ReadPayload> read_payload(const NativeSchema* schema, std::span<const std::string_view> texts,
                                 const char* operation) {
  if (schema == nullptr) return ReadPayload(as_bytes(texts[0]));
  auto composed = compose_texts(*schema, texts, operation);
  if (!composed) return std::move(composed).error();
  return ReadPayload(*std::move(composed));
}

}  // namespace lab
