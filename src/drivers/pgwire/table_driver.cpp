// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/table_driver.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "driver/placed_id.hpp"
#include "drivers/pgwire/sqlstate.hpp"

namespace lab::pgwire {
namespace {

/// Payloads above it are read in slices. One that the server has compressed is unpacked for each slice up to
/// its end, so that slices are not much smaller.
constexpr std::size_t kWholeMax = 16UL << 20U;
constexpr std::size_t kSlice = 8UL << 20U;

}  // namespace

const char* OperationNames::operator()(const char* what) {
  auto found = names_.find(what);
  if (found == names_.end()) found = names_.emplace(what, system_ + "." + what).first;
  return found->second.c_str();
}

TableDriver::TableDriver(std::unique_ptr<Connection> connection, LabNamespace place, std::string run_id,
                         DriverInfo info, const NativeSchema* schema)
    : name(info.system),
      connection_(std::move(connection)),
      place_(std::move(place)),
      run_id_(std::move(run_id)),
      info_(std::move(info)),
      shape_(schema) {}

Status TableDriver::prove(const CallContext& call) {
  const char* const operation = name("prove");
  LAB_TRY(allowed(call, operation));
  const auto rows = connection_->query(call, operation, "SELECT 1");
  if (!rows) return rows.error();
  return ok();
}

Status TableDriver::reset(const CallContext& call) {
  const char* const operation = name("reset");
  LAB_TRY(allowed(call, operation));
  return place_.make_anew(*connection_, call, operation, run_id_);
}

Status TableDriver::whole(const CallContext& call, const char* operation,
                          const std::function<Status()>& work) {
  return connection_->transaction(call, operation, work);
}

Status TableDriver::put(const CallContext& call, const Object& object) {
  const char* const operation = name("put");
  LAB_TRY(allowed(call, operation));
  return insert(call, operation, object);
}

Status TableDriver::insert(const CallContext& call, const char* operation, const Object& object) {
  LAB_TRY(check_container(object.container, place_.containers(), operation));
  const auto row = shape_.fields_of(object, operation);
  if (!row) return row.error();
  const auto rows =
      connection_->prepared(call, operation, insert_sql(place_.table(object.container)), row->parameters());
  if (!rows) return rows.error();
  const bool may_be_left_out = info_.keeps == Keeps::kOnePerKeyAtIngestion;
  if (rows->affected() != 1 && !may_be_left_out)
    return Error{ErrorCode::kInternal, operation, "the row was not inserted"};
  return ok();
}

Status TableDriver::put_batch(const CallContext& call, std::span<const Object> objects) {
  const char* const operation = name("put_batch");
  LAB_TRY(allowed(call, operation));
  std::map<std::uint32_t, std::vector<const Object*>> by_container;
  for (const Object& object : objects) {
    LAB_TRY(check_container(object.container, place_.containers(), operation));
    by_container[object.container].push_back(&object);
  }
  bool again = false;
  const auto load_all = [&]() -> Status {
    for (const auto& [container, of_it] : by_container)
      LAB_TRY(load(call, operation, container, of_it, again));
    return ok();
  };
  Status done = whole(call, operation, load_all);
  // COPY cannot replace: where it meets an id that is there, the batch goes in by way of a staging table.
  again = !done && info_.second_put == SecondPut::kReplace && connection_->last_state() == kUniqueViolation &&
          done.error().code == ErrorCode::kRefused;
  return again ? whole(call, operation, load_all) : done;
}

Status TableDriver::copy(const CallContext& call, const char* operation, const std::string& table,
                         const ObjectSource& source, bool numbered) {
  const std::string sql = fmt::format("COPY {} ({}{}) FROM STDIN WITH (FORMAT binary)", table,
                                      shape_.columns(), numbered ? ", ordinal" : "");
  std::int64_t sent = 0;
  const auto copied = connection_->copy_in(call, operation, sql, [&](CopyWriter& writer) -> Status {
    while (true) {
      LAB_TRY(allowed(call, operation));
      const auto object = source();
      if (!object) return object.error();
      if (*object == nullptr) return ok();
      const auto row = shape_.fields_of(**object, operation);
      if (!row) return row.error();
      LAB_TRY(writer.row(static_cast<std::int16_t>(row->fields.size() + (numbered ? 1 : 0))));
      for (const Field& field : row->fields) LAB_TRY(field.null ? writer.null() : writer.field(field.bytes));
      if (numbered) LAB_TRY(writer.field(sent));
      ++sent;
    }
  });
  if (!copied) return copied.error();
  if (*copied == static_cast<std::uint64_t>(sent)) return ok();
  return Error{ErrorCode::kInternal, operation, fmt::format("the server took {} rows of {}", *copied, sent)};
}

Status TableDriver::read_all(const CallContext& call, const ObjectSink& sink) {
  const char* const operation = name("read_all");
  LAB_TRY(allowed(call, operation));
  for (std::uint32_t container = 0; container < place_.containers(); ++container) {
    const std::string table = place_.table(container);
    std::vector<ObjectId> large;
    LAB_TRY(connection_->stream(call, operation,
                                fmt::format("SELECT {} FROM {}", shape_.selection_up_to(kWholeMax), table),
                                [&](const Rows& row) -> Status {
                                  const auto key = row.bytes(0, 0);
                                  ObjectId id{};
                                  if (key.size() != id.size())
                                    return Error{ErrorCode::kCorruption, operation, "an id is not 16 bytes"};
                                  std::copy(key.begin(), key.end(), id.begin());
                                  if (row.null(0, 1)) {
                                    large.push_back(id);
                                    return ok();
                                  }
                                  const auto payload = shape_.read(row, 0, operation);
                                  if (!payload) return payload.error();
                                  return sink(id, container, payload->bytes());
                                }));
    for (const ObjectId& id : large) {
      const auto payload = read_in_slices(call, operation, table, id);
      if (!payload) return payload.error();
      LAB_TRY(sink(id, container, as_bytes(*payload)));
    }
  }
  return ok();
}

Result<std::string> TableDriver::read_in_slices(const CallContext& call, const char* operation,
                                                const std::string& table, const ObjectId& id) {
  const auto length = connection_->prepared(
      call, operation, fmt::format("SELECT octet_length(payload) FROM {} WHERE id = $1", table),
      Parameters().uuid(id));
  if (!length) return length.error();
  if (length->count() == 0) return Error{ErrorCode::kNotFound, operation, format_uuid(id)};
  const auto size = static_cast<std::size_t>(length->number(0, 0));
  std::string payload;
  payload.reserve(size);
  while (payload.size() < size) {
    LAB_TRY(allowed(call, operation));
    const auto rows = connection_->prepared(
        call, operation,
        fmt::format("SELECT substring(payload FROM CAST($2 AS int) FOR {}) FROM {} WHERE id = $1", kSlice,
                    table),
        Parameters().uuid(id).bigint(static_cast<std::int64_t>(payload.size()) + 1), Format::kBinary);
    if (!rows) return rows.error();
    const std::string_view slice = rows->count() == 0 ? std::string_view() : rows->text(0, 0);
    if (slice.empty())
      return Error{ErrorCode::kCorruption, operation,
                   fmt::format("{} ends after {} of {} bytes", format_uuid(id), payload.size(), size)};
    payload += slice;
  }
  return payload;
}

Result<std::uint64_t> TableDriver::count(const CallContext& call) {
  const char* const operation = name("count");
  LAB_TRY(allowed(call, operation));
  std::uint64_t all = 0;
  for (const std::string& table : tables()) {
    const auto rows = connection_->query(call, operation, "SELECT count(*) FROM " + table);
    if (!rows) return rows.error();
    all += static_cast<std::uint64_t>(rows->number(0, 0));
  }
  return all;
}

Result<std::string> TableDriver::get(const CallContext& call, const ObjectKey& key) {
  const char* const operation = name("get");
  LAB_TRY(allowed(call, operation));
  LAB_TRY(check_container(key.container, place_.containers(), operation));
  const auto rows = connection_->prepared(
      call, operation,
      fmt::format("SELECT {} FROM {} WHERE id = $1", shape_.selection(), place_.table(key.container)),
      Parameters().uuid(key.id), Format::kBinary);
  if (!rows) return rows.error();
  if (rows->count() == 0) return Error{ErrorCode::kNotFound, operation, format_uuid(key.id)};
  const auto payload = shape_.read(*rows, 0, operation);
  if (!payload) return payload.error();
  return std::string(as_text(payload->bytes()));
}

Status TableDriver::erase(const CallContext& call, std::span<const ObjectKey> keys) {
  const char* const operation = name("erase");
  LAB_TRY(allowed(call, operation));
  for (const ObjectKey& key : keys) LAB_TRY(check_container(key.container, place_.containers(), operation));
  if (keys.size() == 1) return erase_one(call, operation, keys[0]);
  return whole(call, operation, [&]() -> Status {
    for (const ObjectKey& key : keys) {
      LAB_TRY(allowed(call, operation));
      LAB_TRY(erase_one(call, operation, key));
    }
    return ok();
  });
}

Status TableDriver::erase_one(const CallContext& call, const char* operation, const ObjectKey& key) {
  const auto rows = connection_->prepared(
      call, operation, fmt::format("DELETE FROM {} WHERE id = $1", place_.table(key.container)),
      Parameters().uuid(key.id));
  if (!rows) return rows.error();
  if (rows->affected() == 0) return Error{ErrorCode::kNotFound, operation, format_uuid(key.id)};
  return ok();
}

Status TableDriver::erase_all(const CallContext& call, DeleteAll how) {
  const char* const operation = name(std::string(to_string(how)).c_str());
  LAB_TRY(allowed(call, operation));
  std::vector<std::string> statements;
  switch (how) {
    case DeleteAll::kLogical:
      for (const std::string& table : tables()) statements.push_back("DELETE FROM " + table);
      break;
    case DeleteAll::kTruncate:
      statements.push_back("TRUNCATE TABLE " + join(tables(), ", "));
      break;
    case DeleteAll::kDrop:
      for (std::uint32_t container = 0; container < place_.containers(); ++container) {
        statements.push_back("DROP TABLE " + place_.table(container));
        for (std::string& sql : place_.dialect().create_table(place_.container(container)))
          statements.push_back(std::move(sql));
      }
      break;
  }
  const auto work = [&]() -> Status {
    for (const std::string& sql : statements) {
      LAB_TRY(allowed(call, operation));
      LAB_TRY(connection_->execute(call, operation, sql));
    }
    return ok();
  };
  const bool changes_tables = how != DeleteAll::kLogical;
  return changes_tables && !place_.dialect().ddl_in_transaction() ? work() : whole(call, operation, work);
}

std::vector<std::string> TableDriver::tables() const {
  std::vector<std::string> all;
  for (std::uint32_t container = 0; container < place_.containers(); ++container)
    all.push_back(place_.table(container));
  return all;
}

}  // namespace lab::pgwire
