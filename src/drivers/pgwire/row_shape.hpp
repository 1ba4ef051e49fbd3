// How an object is a row: id, MIME type, size, SHA-256 and payload, or in mode "native" id and typed columns.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "driver/native_record.hpp"
#include "drivers/pgwire/connection.hpp"

namespace lab::pgwire {

/// A value in the protocol's binary form, and its type's object identifier.
struct Field {
  unsigned type = 0;
  std::string_view bytes{};
  bool null = false;
};

/// The fields of one row; they borrow from the object and from what was made for them.
struct RowFields {
  std::vector<Field> fields{};
  std::deque<std::string> made{};

  RowFields() = default;
  RowFields(RowFields&&) noexcept = default;  // A copy would borrow from the first.
  RowFields& operator=(RowFields&&) noexcept = default;

  void add(unsigned type, std::string_view borrowed) { fields.push_back({type, borrowed}); }
  void keep(unsigned type, std::string bytes) {
    made.push_back(std::move(bytes));
    add(type, made.back());
  }
  Parameters parameters() const;
};

class RowShape {
 public:
  explicit RowShape(const NativeSchema* schema) : schema_(schema) {}

  std::string columns() const;       // "id, mime, ..."
  std::string definitions() const;   // "id uuid, mime text, ...", for a table of ours beside the real one.
  std::string placeholders() const;  // "$1, $2, ..."
  std::string replacement() const;   // "mime = excluded.mime, ...", all but the id.
  std::string selection() const;     // The id, then what read() takes.
  /// As selection(), where a payload of more than `bytes` is NULL. Typed columns come as they are.
  std::string selection_up_to(std::size_t bytes) const;

  /// One for each of columns(). Errors: kInvalidArgument for a payload that is no record of the schema.
  Result<RowFields> fields_of(const Object& object, const char* operation) const;

  /// Of a row of selection(), in binary form. Errors: kCorruption.
  Result<ReadPayload> read(const Rows& rows, int row, const char* operation) const;

 private:
  const NativeSchema* schema_;
};

/// "numeric(5, 3)": a column's type in SQL.
std::string type_sql(const NativeColumn& column);

/// A value as the protocol's binary form has it.
void append_value(RowFields& row, const NativeColumn& column, const NativeValue& value);

}  // namespace lab::pgwire
