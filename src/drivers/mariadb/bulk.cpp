// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/bulk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace lab::mariadb {
namespace {

constexpr std::int64_t kArrayBytesMax = 4LL << 20;
constexpr std::size_t kArrayRowsMax = 4096;
constexpr std::int64_t kPacketMin = 64LL << 10;
constexpr std::size_t kColumns = 5;

std::int64_t row_bytes(const Object& object) {
  return static_cast<std::int64_t>(object.payload.size() + object.mime.size()) + kRowOverhead;
}

/// The columns of an array, as the library wants them: pointers and lengths, which borrow from the objects.
/// One object is bound as values, not as an array of one.
class Columns {
 public:
  Columns(std::span<const Object> objects, std::span<const std::size_t> array) : rows_(array.size()) {
    for (auto& column : pointers_) column.resize(rows_);
    for (auto& column : lengths_) column.resize(rows_);
    sizes_.resize(rows_);
    for (std::size_t row = 0; row < rows_; ++row) {
      const Object& object = objects[array[row]];
      sizes_[row] = static_cast<std::int64_t>(object.payload.size());
      set(0, row, object.id.data(), object.id.size());
      set(1, row, object.mime.data(), object.mime.size());
      set(3, row, object.digest.data(), object.digest.size());
      set(4, row, object.payload.data(), object.payload.size());
    }
    static constexpr std::array<enum_field_types, kColumns> kTypes{
        MYSQL_TYPE_BLOB, MYSQL_TYPE_STRING, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_BLOB, MYSQL_TYPE_BLOB};
    for (std::size_t column = 0; column < kColumns; ++column) {
      MYSQL_BIND& bind = binds_[column];
      bind.buffer_type = kTypes[column];
      bind.length = lengths_[column].data();
      bind.buffer = rows_ == 1 ? pointers_[column][0] : static_cast<void*>(pointers_[column].data());
    }
    binds_[2].length = nullptr;
    binds_[2].buffer = sizes_.data();
  }

  /// 0 for one object: an ordinary execution.
  unsigned array_size() const { return rows_ == 1 ? 0U : static_cast<unsigned>(rows_); }
  MYSQL_BIND* binds() { return binds_.data(); }

 private:
  void set(std::size_t column, std::size_t row, const void* bytes, std::size_t size) {
    static const char kNothing = 0;  // A null pointer would be NULL.
    const void* start = size == 0 ? static_cast<const void*>(&kNothing) : bytes;
    pointers_[column][row] = const_cast<void*>(start);  // The library only reads it.
    lengths_[column][row] = size;
  }

  std::size_t rows_;
  std::array<std::vector<void*>, kColumns> pointers_{};
  std::array<std::vector<unsigned long>, kColumns> lengths_{};
  std::vector<std::int64_t> sizes_{};
  std::array<MYSQL_BIND, kColumns> binds_{};
};

using Statement = std::unique_ptr<MYSQL_STMT, decltype(&mysql_stmt_close)>;

Result<Statement> prepare(Use& use, const std::string& sql) {
  Statement statement(mysql_stmt_init(use.handle()), mysql_stmt_close);
  if (statement == nullptr) return Error{ErrorCode::kResourceExhausted, use.operation(), "no memory"};
  int failed = 0;
  MYSQL_STMT* const raw = statement.get();
  use.drive([&] { return mysql_stmt_prepare_start(&failed, raw, sql.data(), sql.size()); },
            [&](int events) { return mysql_stmt_prepare_cont(&failed, raw, events); });
  if (failed != 0) return use.error(mysql_stmt_errno(raw), mysql_stmt_error(raw));
  return statement;
}

}  // namespace

std::vector<std::vector<std::size_t>> arrays_of(std::span<const Object> objects, std::int64_t bytes_max) {
  struct Open {
    std::vector<std::size_t> indexes{};
    std::int64_t bytes = 0;
  };
  std::map<std::uint32_t, Open> open;
  std::vector<std::vector<std::size_t>> arrays;
  for (std::size_t index = 0; index < objects.size(); ++index) {
    Open& array = open[objects[index].container];
    const std::int64_t bytes = row_bytes(objects[index]);
    const bool full = array.bytes + bytes > bytes_max || array.indexes.size() >= kArrayRowsMax;
    if (!array.indexes.empty() && full) {
      arrays.push_back(std::move(array.indexes));
      array = {};
    }
    array.indexes.push_back(index);
    array.bytes += bytes;
  }
  for (auto& [container, array] : open) arrays.push_back(std::move(array.indexes));
  return arrays;
}

Result<std::int64_t> object_size_max(std::int64_t max_allowed_packet) {
  if (max_allowed_packet < kPacketMin)
    return Error{
        ErrorCode::kUnsupported, "mariadb.open",
        fmt::format("max_allowed_packet is {} bytes; set it to {} or more", max_allowed_packet, kPacketMin)};
  return max_allowed_packet - kPacketReserve;
}

std::int64_t array_bytes(std::int64_t max_allowed_packet) {
  return std::min(kArrayBytesMax, max_allowed_packet - kPacketReserve);
}

Result<std::uint64_t> records_of(std::string_view info, const char* operation) {
  constexpr std::string_view kWord = "Records: ";
  const std::size_t at = info.find(kWord);
  std::uint64_t records = 0;
  if (at == 0) {
    const auto [end, failure] =
        std::from_chars(info.data() + kWord.size(), info.data() + info.size(), records);
    if (failure == std::errc()) return records;
  }
  return Error{ErrorCode::kInternal, operation,
               fmt::format("the server did not say how many rows it took but '{}'", info)};
}

Status insert_array(Use& use, const Setup& setup, std::span<const Object> objects,
                    std::span<const std::size_t> array) {
  auto statement = prepare(use, insert_sql(setup, objects[array[0]].container));
  if (!statement) return std::move(statement).error();
  MYSQL_STMT* const raw = statement->get();
  Columns columns(objects, array);
  const unsigned rows = columns.array_size();
  mysql_stmt_attr_set(raw, STMT_ATTR_ARRAY_SIZE, &rows);
  int failed = 0;
  if (mysql_stmt_bind_param(raw, columns.binds()) == 0) {
    use.drive([&] { return mysql_stmt_execute_start(&failed, raw); },
              [&](int events) { return mysql_stmt_execute_cont(&failed, raw, events); });
  } else {
    failed = 1;
  }
  if (failed != 0) return use.error(mysql_stmt_errno(raw), mysql_stmt_error(raw));
  const std::uint64_t affected = mysql_stmt_affected_rows(raw);
  if (mysql_warning_count(use.handle()) > 0) return use.warned();
  std::uint64_t taken = 1;
  if (rows != 0) {
    const char* const info = mysql_info(use.handle());
    const auto records = records_of(info == nullptr ? "" : info, use.operation());
    if (!records) return records.error();
    taken = *records;
  }
  // A row that replaced another counts twice, one that was there already counts once.
  if (taken == array.size() && affected >= taken && affected <= 2 * taken) return ok();
  return Error{ErrorCode::kInternal, use.operation(),
               fmt::format("{} objects were sent, the server counts {} and {} affected rows", array.size(),
                           taken, affected)};
}

}  // namespace lab::mariadb
