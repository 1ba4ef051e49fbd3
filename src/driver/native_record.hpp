// A record of mode "native" taken apart into typed values, and put together again to the same bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "driver/native_schema.hpp"

namespace lab {

/// Of a column, by its type: a UUID its 16 bytes; an integer itself; a decimal its digits without the point;
/// a timestamp milliseconds and a date days since 1970; text, JSON and binary their bytes, doubles 8 bytes
/// each with the lowest first, borrowed. Of an optional column without a value: std::monostate.
using NativeValue = std::variant<ObjectId, std::int64_t, std::string_view, std::monostate>;
using NativeRecord = std::vector<NativeValue>;  // One for each column of the schema.

/// The only double of a record that is no number: where a value is missing.
inline constexpr std::uint64_t kNoNumber = 0x7FF8'0000'0000'0000ULL;

/// Takes a payload apart. Errors: kInvalidArgument for a row that compose_record would not give back to the
/// byte: it is not one record of this schema.
Result<NativeRecord> parse_record(const NativeSchema& schema, std::span<const std::byte> payload,
                                  const char* operation);

/// That each payload is a record of the schema, before any is written; nothing to check in mode "blob"
/// (null).
Status check_records(const NativeSchema* schema, std::span<const Object> objects, const char* operation);

/// The payload of such values: the inverse of parse_record, and for JSON of any text with the same meaning.
/// Errors: kCorruption for what no record has.
Result<std::string> compose_record(const NativeSchema& schema, std::span<const NativeValue> values,
                                   const char* operation);

/// A value as text that SQL understands: "f81d4fae-...", "21.076", "2023-01-09 03:14:45.000" in UTC; nothing
/// for none, and doubles as their bytes.
std::string native_text(const NativeColumn& column, const NativeValue& value);

/// Reads what native_text writes and what systems make of it: fewer digits behind the point, a time without
/// or with up to six digits of its second; of an optional column an empty text is no value. Borrows texts.
/// Errors: kCorruption.
Result<NativeValue> native_value(const NativeColumn& column, std::string_view text, const char* operation);

/// compose_record of what a system gives back as texts.
Result<std::string> compose_texts(const NativeSchema& schema, std::span<const std::string_view> texts,
                                  const char* operation);

/// What was read of an object: bytes that are borrowed from the system's library, or that were composed.
class ReadPayload {
 public:
  explicit ReadPayload(std::span<const std::byte> borrowed) : bytes_(borrowed) {}
  explicit ReadPayload(std::string composed) : bytes_(std::move(composed)) {}
  std::span<const std::byte> bytes() const;

 private:
  std::variant<std::span<const std::byte>, std::string> bytes_;
};

/// The payload of a row that was read: its one text in mode "blob" (`schema` is null), else compose_texts.
Result<ReadPayload> read_payload(const NativeSchema* schema, std::span<const std::string_view> texts,
                                 const char* operation);

}  // namespace lab
