// SPDX-License-Identifier: Apache-2.0
#include "drivers/sqlite/rows.hpp"

#include <fmt/format.h>

#include "driver/value_row.hpp"

namespace lab::sqlite {
namespace {

/// SQLite knows no UUID, time, date, list or JSON: bytes, milliseconds since 1970, a text that its functions
/// of dates read, bytes, and a text that is checked.
std::string column_sql(const NativeColumn& column) {
  switch (column.type) {
    case NativeType::kUuid:
    case NativeType::kReals:
    case NativeType::kBinary:
      return fmt::format("{} BLOB NOT NULL", column.name);
    case NativeType::kInteger:
    case NativeType::kTimestamp:
      return fmt::format("{} INTEGER NOT NULL", column.name);
    case NativeType::kDecimal:
      return fmt::format("{} NUMERIC{}", column.name, column.optional ? "" : " NOT NULL");
    case NativeType::kJson:
      return fmt::format("{0} TEXT NOT NULL CHECK(json_valid({0}))", column.name);
    case NativeType::kDate:
    case NativeType::kText:
      break;
  }
  return fmt::format("{} TEXT NOT NULL", column.name);
}

std::string native_table_sql(const NativeSchema& schema, std::uint32_t container) {
  const std::string table = table_name(container);
  std::string sql = fmt::format("CREATE TABLE IF NOT EXISTS {}(id BLOB PRIMARY KEY", table);
  for (const NativeColumn& column : schema.columns) sql += ", " + column_sql(column);
  sql += ")";
  std::string indexed(schema.index);
  if (schema.columns[0].type == NativeType::kJson)
    indexed = fmt::format("json_extract({}, '$.id')", schema.columns[0].name);
  if (!indexed.empty())
    sql += fmt::format("; CREATE INDEX IF NOT EXISTS index_of_{0} ON {0}({1})", table, indexed);
  return sql;
}

/// One division, so that it is the number nearest to the digits: its text has them again.
double real_of(const NativeColumn& column, std::int64_t digits) {
  double power = 1;
  for (int at = 0; at < column.scale; ++at) power *= 10;
  return static_cast<double>(digits) / power;
}

Result<NativeValue> value_at(const Statement& statement, const NativeColumn& column, int index,
                             const char* operation) {
  switch (column.type) {
    case NativeType::kUuid: {
      const auto id = id_from_text(as_text(statement.blob(index)), operation);
      if (!id) return id.error();
      return NativeValue(*id);
    }
    case NativeType::kInteger:
    case NativeType::kTimestamp:
      return NativeValue(statement.number(index));
    case NativeType::kDecimal:
    case NativeType::kDate:
      return native_value(column, statement.text(index), operation);
    case NativeType::kReals:
    case NativeType::kBinary:
      return NativeValue(as_text(statement.blob(index)));
    case NativeType::kText:
    case NativeType::kJson:
      break;
  }
  return NativeValue(statement.text(index));
}

}  // namespace

std::string table_name(std::uint32_t container) { return fmt::format("files_{}", container); }

std::string create_table_sql(const Setup& setup, std::uint32_t container) {
  if (setup.schema != nullptr) return native_table_sql(*setup.schema, container);
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {}(id BLOB PRIMARY KEY, mime TEXT NOT NULL, size_bytes INTEGER NOT NULL, "
      "sha256 BLOB NOT NULL{}, payload BLOB NOT NULL)",
      table_name(container), setup.one_per_content ? " UNIQUE" : "");
}

std::string insert_sql(const Setup& setup, std::uint32_t container) {
  const std::string table = table_name(container);
  if (setup.schema != nullptr) {
    std::string values = "?1";
    for (std::size_t at = 0; at < setup.schema->columns.size(); ++at) values += fmt::format(", ?{}", at + 2);
    return fmt::format("INSERT INTO {}(id, {}) VALUES({}) ON CONFLICT(id) DO UPDATE SET {}", table,
                       each_column(*setup.schema), values, each_column(*setup.schema, "{0} = excluded.{0}"));
  }
  return fmt::format(
      "INSERT INTO {}(id, mime, size_bytes, sha256, payload) VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT{}", table,
      setup.one_per_content ? "(sha256) DO NOTHING"
                            : "(id) DO UPDATE SET mime = excluded.mime, size_bytes = excluded.size_bytes, "
                              "sha256 = excluded.sha256, payload = excluded.payload");
}

std::string select_sql(const Setup& setup, std::uint32_t container) {
  return fmt::format("SELECT id, {} FROM {}",
                     setup.schema != nullptr ? each_column(*setup.schema) : "payload", table_name(container));
}

void bind_object(Statement& statement, const Object& object) {
  statement.bind(1, object.id);
  statement.bind(2, object.mime);
  statement.bind(3, static_cast<std::int64_t>(object.payload.size()));
  statement.bind(4, object.digest);
  statement.bind(5, object.payload);
}

void bind_record(Statement& statement, const NativeSchema& schema, const ObjectId& id,
                 const NativeRecord& record) {
  int index = 1;
  statement.bind(index, id);
  for (std::size_t at = 0; at < record.size(); ++at) {
    const NativeColumn& column = schema.columns[at];
    ++index;
    if (std::holds_alternative<std::monostate>(record[at]))
      statement.bind_null(index);
    else if (const auto* uuid = std::get_if<ObjectId>(&record[at]))
      statement.bind(index, *uuid);
    else if (column.type == NativeType::kDate)
      statement.bind_copy(index, native_text(column, record[at]));
    else if (column.type == NativeType::kDecimal)
      statement.bind(index, real_of(column, std::get<std::int64_t>(record[at])));
    else if (const auto* number = std::get_if<std::int64_t>(&record[at]))
      statement.bind(index, *number);
    else if (column.type == NativeType::kBinary || column.type == NativeType::kReals)
      statement.bind(index, as_bytes(std::get<std::string_view>(record[at])));
    else
      statement.bind(index, std::get<std::string_view>(record[at]));
  }
}

Result<ReadPayload> payload_of(const Statement& statement, const NativeSchema* schema, int first,
                               const char* operation) {
  if (schema == nullptr) return ReadPayload(statement.blob(first));
  NativeRecord record;
  for (const NativeColumn& column : schema->columns) {
    const auto value = value_at(statement, column, first + static_cast<int>(record.size()), operation);
    if (!value) return value.error();
    record.push_back(*value);
  }
  auto text = compose_record(*schema, record, operation);
  if (!text) return std::move(text).error();
  return ReadPayload(*std::move(text));
}

}  // namespace lab::sqlite
