// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/namespace.hpp"

#include <fmt/format.h>

namespace lab::mariadb {
namespace {

Error refused(const char* operation, const std::string& database, const std::string& why) {
  return {ErrorCode::kRefused, operation,
          fmt::format("database '{}' {}; it is left as it is", database, why)};
}

/// A word that no other data directory holds.
Result<std::string> random_word(Use& use) { return use.text("SELECT SHA2(CONCAT(UUID(), RAND()), 256)"); }

std::string create_marker_sql(const std::string& database, const std::string& comment) {
  return fmt::format(
      "CREATE TABLE {}(one TINYINT NOT NULL PRIMARY KEY, run_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE "
      "utf8mb4_bin NOT NULL, beat DATETIME(3) NOT NULL) ENGINE=InnoDB COMMENT='{}'",
      table_name(database, kMarker), comment);
}

class RowLock final : public LockStore {
 public:
  RowLock(Server server, const ServerNamespace& space)
      : server_(std::move(server)), table_(table_name(space.name, kMarker)) {}

  Result<std::optional<LockState>> read(const CallContext& call) override {
    auto use = this->use(call, "mariadb.lock");
    if (!use) return std::move(use).error();
    std::optional<LockState> state;
    const Status read = (*use)->query(
        "SELECT run_id, TIMESTAMPDIFF(MICROSECOND, beat, UTC_TIMESTAMP(6)) DIV 1000 FROM " + table_,
        [&](Row row) {
          state = LockState{std::string(row[0].value_or("")),
                            Millis{std::strtoll(std::string(row[1].value_or("0")).c_str(), nullptr, 10)}};
          return ok();
        });
    if (!read) return read.error();
    return state;
  }

  Result<bool> write(const CallContext& call, const std::optional<std::string>& expected,
                     const std::string& run_id) override {
    auto use = this->use(call, "mariadb.lock");
    if (!use) return std::move(use).error();
    const std::string run = text_literal(run_id);
    const auto done = (*use)->execute_strictly(
        expected
            ? fmt::format("UPDATE {} SET run_id = {}, beat = UTC_TIMESTAMP(3) WHERE one = 1 AND run_id = {}",
                          table_, run, text_literal(*expected))
            // Nothing is inserted when a row is there: somebody else was faster.
            : fmt::format(
                  "INSERT INTO {0} SELECT 1, {1}, UTC_TIMESTAMP(3) FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM "
                  "{0})",
                  table_, run));
    if (!done) return done.error();
    return done->affected == 1;
  }

 private:
  Result<std::unique_ptr<Use>> use(const CallContext& call, const char* operation) {
    if (connection_ != nullptr) {
      auto use = connection_->use(call, operation);
      if (use || use.error().code != ErrorCode::kConnectionLost) return use;
    }
    auto opened = Connection::open(server_, call, operation);
    if (!opened) return std::move(opened).error();
    connection_ = std::move(*opened);
    return connection_->use(call, operation);
  }

  Server server_;
  std::string table_;
  std::unique_ptr<Connection> connection_{};
};

}  // namespace

Result<std::map<std::uint32_t, Found>> find_namespace(Use& use, const ServerNamespace& space) {
  std::map<std::uint32_t, Found> found;
  LAB_TRY(use.query("SELECT SCHEMA_NAME, SCHEMA_COMMENT FROM information_schema.SCHEMATA", [&](Row row) {
    const auto number = container_of(space, row[0].value_or(""));
    if (!number) return ok();
    found[*number].created = row[1].value_or("") == marker_comment(space, *number);
    return ok();
  }));
  for (auto& [number, database] : found) {
    LAB_TRY(use.query(
        fmt::format("SELECT TABLE_NAME, TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}",
                    text_literal(space.container(number))),
        [&](Row row) {
          database.tables[std::string(row[0].value_or(""))] = std::string(row[1].value_or(""));
          return ok();
        }));
    const std::string mark = marker_comment(space, number) + " ";
    const auto marker = database.tables.find(kMarker);
    const bool marked = marker != database.tables.end() && marker->second.starts_with(mark);
    if (marked) database.token = marker->second.substr(mark.size());
    database.ours = database.created || marked;
  }
  return found;
}

Status make_namespace(Use& use, const ServerNamespace& space, std::uint32_t containers) {
  auto found = find_namespace(use, space);
  if (!found) return found.error();
  for (std::uint32_t number = 0; number < containers; ++number) {
    const std::string name = space.container(number);
    const auto there = found->find(number);
    if (there == found->end() && !space.create)
      return Error{ErrorCode::kNotFound, use.operation(),
                   fmt::format("database '{}' is missing, and namespace_mode is 'existing'", name)};
    if (there == found->end() || there->second.ours) continue;
    if (space.create) return refused(use.operation(), name, "exists and does not bear the lab's marker");
    if (!there->second.tables.empty())
      return refused(use.operation(), name, "holds tables and does not bear the lab's marker");
  }
  for (std::uint32_t number = 0; number < containers; ++number) {
    const std::string name = space.container(number);
    const std::string comment = marker_comment(space, number);
    if (!found->contains(number)) {
      // One statement, so that it is never there without its mark.
      const auto made =
          use.execute(fmt::format("CREATE DATABASE {} COMMENT '{}'", quoted_name(name), comment));
      if (!made) return made.error();
    }
    if ((*found)[number].has_marker()) continue;
    const auto word = random_word(use);
    if (!word) return word.error();
    const auto made = use.execute(create_marker_sql(name, comment + " " + *word));
    if (!made) return made.error();
  }
  return ok();
}

Status check_held(Use& use, const ServerNamespace& space, const std::string& run_id) {
  const auto holder = use.text("SELECT run_id FROM " + table_name(space.name, kMarker));
  if (!holder && holder.error().code == ErrorCode::kNotFound)
    return refused(use.operation(), space.name, "does not bear the lab's marker any more");
  if (!holder) return holder.error();
  if (*holder == run_id) return ok();
  return Error{ErrorCode::kInUse, use.operation(),
               holder->empty() ? "the lock is no longer held by this run"
                               : "the lock was taken over by run " + *holder};
}

Status drop_namespace(Use& use, const ServerNamespace& space) {
  const auto found = find_namespace(use, space);
  if (!found) return found.error();
  const auto drop = [&](std::uint32_t number, const char* table) -> Status {
    const auto done = use.execute("DROP TABLE IF EXISTS " + table_name(space.container(number), table));
    if (!done) return done.error();
    return ok();
  };
  for (const auto& [number, database] : *found)
    if (database.ours && database.has_files()) LAB_TRY(drop(number, kTable));
  // The namespace itself, with the lock, comes last.
  for (auto entry = found->rbegin(); entry != found->rend(); ++entry) {
    const auto& [number, database] = *entry;
    if (!database.ours) continue;
    const std::string name = space.container(number);
    const std::size_t own = (database.has_marker() ? 1U : 0U) + (database.has_files() ? 1U : 0U);
    const auto routines = use.number(fmt::format(
        "SELECT (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {0}) + (SELECT "
        "COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {0})",
        text_literal(name)));
    if (!routines) return routines.error();
    const bool others = database.tables.size() > own || *routines > 0;
    if (database.created) {
      const auto done = use.execute(others ? fmt::format("ALTER DATABASE {} COMMENT ''", quoted_name(name))
                                           : "DROP DATABASE " + quoted_name(name));
      if (!done) return done.error();
    }
    if ((!database.created || others) && database.has_marker()) LAB_TRY(drop(number, kMarker));
  }
  return ok();
}

std::unique_ptr<LockStore> lock_store(Server server, ServerNamespace space) {
  return std::make_unique<RowLock>(std::move(server), space);
}

}  // namespace lab::mariadb
