// The typed schemas of mode "native": one table of fields for all systems, from which each makes its columns.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "model/dataset.hpp"

namespace lab {

enum class NativeType : std::uint8_t {
  kUuid,
  kText,
  kInteger,
  kDecimal,
  kTimestamp,
  kDate,   // A day without a time.
  kReals,  // Any number of IEEE 754 doubles.
  kJson,
  kBinary,
};

/// How the record, which is the payload itself, spells a field of which there are two spellings.
enum class Spelling : std::uint8_t {
  kUsual,    // A UUID with dashes; a time as "2023-01-09 03:14:45", UTC.
  kCompact,  // A UUID as 32 digits; a time as milliseconds since 1970.
};

struct NativeColumn {
  std::string_view name{};  // Reserved in no system's language.
  NativeType type{};
  int digits = 0;  // Integer, decimal: how many at most. Text: how many characters at most, 0: no limit.
  int scale = 0;   // Decimal: how many of the digits stand behind the point.
  Spelling spelling = Spelling::kUsual;
  bool optional = false;  // Decimal: a record may have nothing there.
};

enum class RecordForm : std::uint8_t {
  kRow,    // Fields between commas and a newline; the last is a number that zeros fill up to `row_bytes`.
  kLine,   // Fields between tabs and a newline, of any length and without control characters.
  kValue,  // One field, as it is.
  kJson,   // One JSON text: keys in bytewise order, no white space.
  kJsonb,  // One JSON text as PostgreSQL prints jsonb: shorter keys first, ", " and ": ".
};

/// A table has a surrogate key, the object's id, and these columns, none of them unique.
struct NativeSchema {
  std::string_view payload{};
  RecordForm form{};
  std::span<const NativeColumn> columns{};
  std::string_view index{};   // Columns of a second index, in SQL; empty: none. JSON has one of its own kind.
  std::size_t row_bytes = 0;  // Of kRow: the one length of a record.
  bool of_real_data = false;  // A record is as long as it is: object_size is "record".

  bool is_row() const noexcept { return form == RecordForm::kRow || form == RecordForm::kLine; }
};

std::span<const NativeSchema> native_schemas();

/// Null for a payload without one.
const NativeSchema* find_native_schema(std::string_view payload);

/// Errors: kUnsupported for a payload without a native schema, naming those that have one.
Result<const NativeSchema*> native_schema_of(std::string_view payload, const std::string& operation);

/// An object is one record: the payload has a schema, an object of a row kind the length of its row, and one
/// of real data is a whole record.
/// Errors: kInvalidArgument, saying which payloads or which object_size there are.
Status check_native(const DatasetSpec& dataset);

/// `pattern` for each column, {} being its name: "{} = excluded.{}" -> "a = excluded.a, b = excluded.b".
std::string each_column(const NativeSchema& schema, std::string_view pattern = "{0}");

}  // namespace lab
