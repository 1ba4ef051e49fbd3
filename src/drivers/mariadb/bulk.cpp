// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/bulk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>

#include "driver/native_record.hpp"

namespace lab::mariadb {
namespace {

constexpr std::int64_t kArrayBytesMax = 4LL << 20;
constexpr std::size_t kArrayRowsMax = 4096;
constexpr std::int64_t kPacketMin = 64LL << 10;

std::int64_t row_bytes(const Object& object) {
  return static_cast<std::int64_t>(object.payload.size() + object.mime.size()) + kRowOverhead;
}

/// The columns of an array, as the library wants them: pointers and lengths, which borrow from the objects or
/// from what was made for them. One object is bound as values, not as an array of one.
class Columns {
 public:
  explicit Columns(std::size_t rows) : rows_(rows) {}

  /// The next row, each value in the next column. Errors: kInvalidArgument for what is no record.
  Status add(const NativeSchema* schema, const Object& object, const char* operation) {
    next_ = 0;
    set(MYSQL_TYPE_BLOB, as_text(object.id));
    if (schema == nullptr) {
      set(MYSQL_TYPE_STRING, object.mime);
      set(MYSQL_TYPE_STRING, made_.emplace_back(std::to_string(object.payload.size())));
      set(MYSQL_TYPE_BLOB, as_text(object.digest));
      set(MYSQL_TYPE_BLOB, as_text(object.payload));
      return ok();
    }
    const auto record = parse_record(*schema, object.payload, operation);
    if (!record) return record.error();
    for (std::size_t at = 0; at < record->size(); ++at) {
      const NativeValue& value = (*record)[at];
      const NativeColumn& column = schema->columns[at];
      if (is_plain_bytes(column)) {
        set(MYSQL_TYPE_BLOB, made_.emplace_back(as_text(std::get<ObjectId>(value))));
        continue;
      }
      const auto* borrowed = std::get_if<std::string_view>(&value);
      const bool bytes = column.type == NativeType::kBinary || column.type == NativeType::kReals;
      set(bytes ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING,
          borrowed != nullptr ? *borrowed : made_.emplace_back(native_text(column, value)));
    }
    return ok();
  }

  /// 0 for one object: an ordinary execution.
  unsigned array_size() const { return rows_ == 1 ? 0U : static_cast<unsigned>(rows_); }

  MYSQL_BIND* binds() {
    binds_.assign(columns_.size(), {});
    for (std::size_t at = 0; at < columns_.size(); ++at) {
      Column& column = columns_[at];
      binds_[at].buffer_type = column.type;
      binds_[at].length = column.lengths.data();
      binds_[at].buffer = rows_ == 1 ? column.pointers[0] : static_cast<void*>(column.pointers.data());
    }
    return binds_.data();
  }

 private:
  struct Column {
    enum_field_types type{};
    std::vector<void*> pointers{};
    std::vector<unsigned long> lengths{};
  };

  void set(enum_field_types type, std::string_view value) {
    static const char kNothing = 0;  // A null pointer would be NULL.
    const void* const start = value.empty() ? &kNothing : value.data();
    if (next_ == columns_.size()) columns_.push_back({.type = type});
    columns_[next_].pointers.push_back(const_cast<void*>(start));  // The library only reads it.
    columns_[next_].lengths.push_back(value.size());
    ++next_;
  }

  std::size_t rows_;
  std::size_t next_ = 0;
  std::vector<Column> columns_{};
  std::deque<std::string> made_{};
  std::vector<MYSQL_BIND> binds_{};
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
  Columns columns(array.size());
  for (const std::size_t index : array) LAB_TRY(columns.add(setup.schema, objects[index], use.operation()));
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
