// SPDX-License-Identifier: Apache-2.0
#include "payload/sqlite_values.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "payload/numeric_table.hpp"

namespace lab {
namespace {

struct CloseDatabase {
  void operator()(sqlite3* open) const { sqlite3_close(open); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
struct EndStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, EndStatement>;

Error broken(const std::string& label, sqlite3* database) {
  return {ErrorCode::kCorruption, "payload.sqlite", fmt::format("{}: {}", label, sqlite3_errmsg(database))};
}

/// The file as a database in memory: one in an archive has no path, and one on disk cannot change meanwhile.
Result<Database> open_image(const std::string& label, std::string_view image) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(":memory:", &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, nullptr);
  Database database(opened);
  if (code != SQLITE_OK) return Error{ErrorCode::kResourceExhausted, "payload.sqlite", sqlite3_errstr(code)};
  auto* const bytes = static_cast<unsigned char*>(sqlite3_malloc64(image.size()));
  if (bytes == nullptr)
    return Error{ErrorCode::kResourceExhausted, "payload.sqlite", "no memory for " + label};
  std::memcpy(bytes, image.data(), image.size());
  // Bytes 18 and 19 say "write-ahead log" (2), which a file without its log cannot be opened as.
  constexpr std::size_t kWriteVersion = 18;
  if (image.size() > kWriteVersion + 1) bytes[kWriteVersion] = bytes[kWriteVersion + 1] = 1;
  const auto size = static_cast<sqlite3_int64>(image.size());
  const unsigned how = SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY;
  if (sqlite3_deserialize(database.get(), "main", bytes, size, size, how) != SQLITE_OK)
    return broken(label, database.get());
  sqlite3_db_config(database.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database;
}

/// Runs a query to its end. `row` gets the statement that stands on a row.
template <class Row>
Status each_row(const std::string& label, sqlite3* database, const std::string& sql, const Row& row) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(database, sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK)
    return broken(label, database);
  const Statement statement(prepared);
  while (true) {
    const int code = sqlite3_step(prepared);
    if (code == SQLITE_DONE) return ok();
    if (code != SQLITE_ROW) return broken(label, database);
    LAB_TRY(row(prepared));
  }
}

std::string_view text_at(sqlite3_stmt* row, int column) {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return {text == nullptr ? "" : text, static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
}

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char letter : name) out += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return out + '"';
}

Status give_texts(sqlite3_stmt* row, const TextSink& sink) {
  for (int column = 0; column < sqlite3_column_count(row); ++column)
    if (sqlite3_column_type(row, column) == SQLITE_TEXT)
      LAB_TRY(sink(std::string(text_at(row, column)) + "\n"));
  return ok();
}

/// The columns of a table that hold a number in any row: there a value that is missing has its place.
class NumberColumns {
 public:
  explicit NumberColumns(std::string label) : label_(std::move(label)) {}

  Status look_at(sqlite3_stmt* row) {
    has_numbers_.resize(static_cast<std::size_t>(sqlite3_column_count(row)), false);
    for (std::size_t column = 0; column < has_numbers_.size(); ++column)
      if (is_number(type_at(row, column))) has_numbers_[column] = true;
    return ok();
  }

  Status give(sqlite3_stmt* row, bool whole, const TextSink& sink) {
    std::string numbers;
    row_ += 1;
    for (std::size_t column = 0; column < has_numbers_.size(); ++column) {
      if (!has_numbers_[column]) continue;
      const int type = type_at(row, column);
      if (!is_number(type) && type != SQLITE_NULL)
        return Error{ErrorCode::kCorruption, "payload.sqlite",
                     fmt::format("{}: row {}: {}, and numbers in other rows", label_, row_,
                                 shown_field(column, sqlite3_column_name(row, static_cast<int>(column)),
                                             text_at(row, static_cast<int>(column))))};
      const double number = type == SQLITE_NULL ? std::numeric_limits<double>::quiet_NaN()
                                                : sqlite3_column_double(row, static_cast<int>(column));
      numbers += number_bytes(number);
      if (whole) continue;
      LAB_TRY(sink(std::exchange(numbers, {})));
    }
    return numbers.empty() ? ok() : sink(numbers);
  }

 private:
  static bool is_number(int type) { return type == SQLITE_INTEGER || type == SQLITE_FLOAT; }
  static int type_at(sqlite3_stmt* row, std::size_t column) {
    return sqlite3_column_type(row, static_cast<int>(column));
  }

  std::string label_;
  std::uint64_t row_ = 0;  // That was given last, from 1.
  std::vector<bool> has_numbers_{};
};

}  // namespace

Status read_sqlite(const std::string& label, std::string_view image, SqliteValues values,
                   const TextSink& sink) {
  if (image.empty()) return ok();  // A database that nothing was ever written to.
  const auto database = open_image(label, image);
  if (!database) return database.error();
  std::vector<std::string> tables;
  LAB_TRY(each_row(label, database->get(),
                   "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' "
                   "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
                   [&](sqlite3_stmt* row) {
                     tables.emplace_back(text_at(row, 0));
                     return ok();
                   }));
  for (const std::string& table : tables) {
    const std::string all = "SELECT * FROM " + quoted(table);
    if (values == SqliteValues::kText) {
      LAB_TRY(
          each_row(label, database->get(), all, [&](sqlite3_stmt* row) { return give_texts(row, sink); }));
      continue;
    }
    NumberColumns columns(label + ": " + shown_text(table));
    LAB_TRY(each_row(label, database->get(), all, [&](sqlite3_stmt* row) { return columns.look_at(row); }));
    LAB_TRY(each_row(label, database->get(), all, [&](sqlite3_stmt* row) {
      return columns.give(row, values == SqliteValues::kNumberRows, sink);
    }));
  }
  return ok();
}

}  // namespace lab
