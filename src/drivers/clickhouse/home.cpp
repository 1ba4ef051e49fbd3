// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/home.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "core/text.hpp"

namespace lab::clickhouse {
namespace {

constexpr const char* kMarkerColumns = "serial UInt64, run_id String, writer String, written DateTime";
constexpr const char* kMarkerShape = "serial:UInt64,run_id:String,writer:String,written:DateTime";

std::string marker_of(const std::string& database) {
  return fmt::format("{}.{}", identifier(database), identifier(kMarker));
}

std::uint64_t number_of(const std::string& text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos && text[0] != '0';
}

}  // namespace

std::string Home::database_list() const {
  std::vector<std::string> all;
  for (std::uint32_t container = 0; container < containers_; ++container)
    all.push_back(literal(database(container)));
  return join(all, ", ");
}

Result<Owner> Home::owner_of(Connection& connection, const CallContext& call,
                             const std::string& database) const {
  const char* const operation = "clickhouse.namespace";
  const std::string name = literal(database);
  const auto there =
      connection.number("SELECT count() FROM system.databases WHERE name = " + name, call, operation);
  if (!there) return there.error();
  if (*there == 0) return Owner::kNobody;
  const auto shape =
      connection.rows(fmt::format("SELECT name, type FROM system.columns WHERE database = {} AND table = {}",
                                  name, literal(kMarker)),
                      call, operation);
  if (!shape) return shape.error();
  std::vector<std::string> columns;
  for (const auto& row : *shape) columns.push_back(row[0] + ":" + row[1]);
  if (join(columns, ",") == kMarkerShape) return Owner::kOurs;
  const auto tables =
      connection.number("SELECT count() FROM system.tables WHERE database = " + name, call, operation);
  if (!tables) return tables.error();
  return *tables == 0 ? Owner::kEmpty : Owner::kOthers;
}

Status Home::refuse_foreign(Connection& connection, const CallContext& call, const std::string& database,
                            Owner owner, const char* operation) const {
  if (owner == Owner::kOurs) return ok();
  if (owner == Owner::kNobody && names_.create) return ok();
  if (owner == Owner::kEmpty && !names_.create) return ok();
  if (owner == Owner::kNobody)
    return Error{
        ErrorCode::kRefused, operation,
        fmt::format("there is no database {}, and namespace_mode is 'existing': it must be made first",
                    database)};
  const auto tables =
      connection.rows(fmt::format("SELECT name FROM system.tables WHERE database = {} ORDER BY name LIMIT 3",
                                  literal(database)),
                      call, operation);
  if (!tables) return tables.error();
  std::vector<std::string> names;
  for (const auto& row : *tables) names.push_back(to_valid_utf8(row[0]));
  return Error{
      ErrorCode::kRefused, operation,
      fmt::format("database {} exists and has not our marker ({}): choose another 'namespace', or drop "
                  "it if nobody needs it",
                  database, names.empty() ? "it is empty" : "it holds " + join(names, ", ") + " ...")};
}

Status Home::prepare(Connection& connection, const CallContext& call) const {
  const char* const operation = "clickhouse.open";
  std::vector<Owner> owners;
  for (std::uint32_t container = 0; container < containers_; ++container) {
    const auto owner = owner_of(connection, call, database(container));
    if (!owner) return owner.error();
    LAB_TRY(refuse_foreign(connection, call, database(container), *owner, operation));
    owners.push_back(*owner);
  }
  for (std::uint32_t container = 0; container < containers_; ++container) {
    const std::string name = database(container);
    if (owners[container] == Owner::kOurs) continue;
    if (owners[container] == Owner::kNobody)
      LAB_TRY(connection.execute("CREATE DATABASE " + identifier(name), call, operation));
    LAB_TRY(connection.execute(fmt::format("CREATE TABLE {} ({}) ENGINE = MergeTree() ORDER BY serial",
                                           marker_of(name), kMarkerColumns),
                               call, operation));
  }
  return ok();
}

Status Home::make_tables(Connection& connection, const CallContext& call) const {
  const char* const operation = "clickhouse.make_tables";
  for (std::uint32_t container = 0; container < containers_; ++container) {
    std::string sql = create_table_sql(setup_, server_, database(container));
    sql.replace(0, std::string_view("CREATE TABLE").size(), "CREATE TABLE IF NOT EXISTS");
    LAB_TRY(connection.execute(sql, call, operation, create_table_settings(setup_, server_)));
  }
  return ok();
}

/// Ours alone: whoever put a table of theirs into our database finds it there again.
Status Home::drop_table(Connection& connection, const CallContext& call, const std::string& database) const {
  return connection.execute(drop_sql(server_, "TABLE IF EXISTS " + table_of(database)), call,
                            "clickhouse.drop_table");
}

Status Home::check_lock(Connection& connection, const CallContext& call, const std::string& run_id,
                        const char* operation) const {
  const auto rows = connection.rows(
      fmt::format("SELECT run_id, toInt64(now()) - toInt64(written) FROM {} ORDER BY serial DESC LIMIT 1",
                  marker_of(database(0))),
      call, operation);
  if (!rows) return rows.error();
  if (rows->empty()) return ok();
  const auto age = static_cast<std::int64_t>(number_of((*rows)[0][1]));
  return LabLock::check_free(LockState{(*rows)[0][0], Millis{age * 1000}}, run_id);
}

Status Home::reset(Connection& connection, const CallContext& call, const std::string& run_id) const {
  const char* const operation = "clickhouse.reset";
  for (std::uint32_t container = 0; container < containers_; ++container) {
    const auto owner = owner_of(connection, call, database(container));
    if (!owner) return owner.error();
    if (*owner != Owner::kOurs)
      return Error{ErrorCode::kRefused, operation,
                   fmt::format("database {} has lost our marker, table {}", database(container), kMarker)};
  }
  const auto held = connection.rows(
      fmt::format("SELECT run_id FROM {} ORDER BY serial DESC LIMIT 1", marker_of(database(0))), call,
      operation);
  if (!held) return held.error();
  if (held->empty() || (*held)[0][0] != run_id)
    return Error{ErrorCode::kInUse, operation,
                 fmt::format("the lock is no longer ours but {}'s",
                             held->empty() ? "nobody" : "run " + to_valid_utf8((*held)[0][0]))};
  for (std::uint32_t container = 0; container < containers_; ++container)
    LAB_TRY(drop_table(connection, call, database(container)));
  return make_tables(connection, call);
}

/// Whatever number of containers earlier runs had.
Result<std::vector<std::string>> Home::our_databases(Connection& connection, const CallContext& call) const {
  const auto all =
      connection.rows("SELECT name FROM system.databases ORDER BY name", call, "clickhouse.namespace");
  if (!all) return all.error();
  std::vector<std::string> ours;
  for (const auto& row : *all) {
    const std::string& name = row[0];
    const std::string numbered = names_.name + "_";
    if (name != names_.name && !(name.starts_with(numbered) && is_number(name.substr(numbered.size()))))
      continue;
    const auto owner = owner_of(connection, call, name);
    if (!owner) return owner.error();
    if (*owner == Owner::kOurs) ours.push_back(name);
  }
  return ours;
}

Status Home::remove(Connection& connection, const CallContext& call, const std::string& run_id) const {
  const char* const operation = "clickhouse.remove";
  const auto owner = owner_of(connection, call, names_.name);
  if (!owner) return owner.error();
  if (*owner == Owner::kOthers || (*owner == Owner::kEmpty && names_.create))
    return refuse_foreign(connection, call, names_.name, *owner, operation);
  if (*owner == Owner::kOurs) LAB_TRY(check_lock(connection, call, run_id, operation));
  auto ours = our_databases(connection, call);
  if (!ours) return std::move(ours).error();
  std::reverse(ours->begin(), ours->end());  // The lock goes with the first one, last of all.
  for (const std::string& name : *ours) {
    LAB_TRY(allowed(call, operation));
    LAB_TRY(drop_table(connection, call, name));
    const auto theirs =
        connection.number(fmt::format("SELECT count() FROM system.tables WHERE database = {} AND name != {}",
                                      literal(name), literal(kMarker)),
                          call, operation);
    if (!theirs) return theirs.error();
    const bool whole = names_.create && *theirs == 0;
    const std::string last =
        whole ? "DATABASE IF EXISTS " + identifier(name) : "TABLE IF EXISTS " + marker_of(name);
    LAB_TRY(connection.execute(drop_sql(server_, last), call, operation));
  }
  return ok();
}

Result<std::vector<std::string>> Home::leftovers(Connection& connection, const CallContext& call) const {
  const auto ours = our_databases(connection, call);
  if (!ours) return ours.error();
  std::vector<std::string> lines;
  for (const std::string& name : *ours) {
    const auto tables = connection.number(
        "SELECT count() FROM system.tables WHERE database = " + literal(name), call, "clickhouse.leftovers");
    if (!tables) return tables.error();
    lines.push_back(fmt::format("database {}, {} table{}", name, *tables, *tables == 1 ? "" : "s"));
  }
  return lines;
}

RowLock::RowLock(Target target, const std::string& database)
    : target_(std::move(target)), table_(marker_of(database)) {}

Connection& RowLock::connection() {
  if (connection_ == nullptr || connection_->is_lost())
    connection_ = std::make_unique<Connection>(target_, std::make_shared<Lifetime>());
  return *connection_;
}

Result<std::optional<RowLock::Newest>> RowLock::newest(const CallContext& call) {
  const auto rows = connection().rows(
      fmt::format(
          "SELECT serial, run_id, toInt64(now()) - toInt64(written) FROM {} ORDER BY serial DESC LIMIT 1",
          table_),
      call, "clickhouse.lock");
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<Newest>();
  const auto& row = rows->front();
  const auto age = row[2].starts_with('-') ? 0 : static_cast<std::int64_t>(number_of(row[2]));
  return std::optional(Newest{number_of(row[0]), {.run_id = row[1], .age = Millis{age * 1000}}});
}

Result<std::optional<LockState>> RowLock::read(const CallContext& call) {
  const auto found = newest(call);
  if (!found) return found.error();
  if (!*found) return std::optional<LockState>();
  return std::optional((*found)->state);
}

Result<bool> RowLock::write(const CallContext& call, const std::optional<std::string>& expected,
                            const std::string& run_id) {
  const auto found = newest(call);
  if (!found) return found.error();
  const auto holder = *found ? std::optional((*found)->state.run_id) : std::nullopt;
  if (holder != expected) return false;
  const std::uint64_t serial = *found ? (*found)->serial + 1 : 1;
  std::random_device source;
  const std::string writer = fmt::format("{:08x}{:08x}-{}", source(), source(), ++written_);
  LAB_TRY(connection().execute(fmt::format("INSERT INTO {} SELECT {}, {}, {}, now()", table_, serial,
                                           literal(run_id), literal(writer)),
                               call, "clickhouse.lock"));
  const auto same = connection().rows(fmt::format("SELECT writer FROM {} WHERE serial = {}", table_, serial),
                                      call, "clickhouse.lock");
  if (!same) return same.error();
  return same->size() == 1 && (*same)[0][0] == writer;
}

}  // namespace lab::clickhouse
