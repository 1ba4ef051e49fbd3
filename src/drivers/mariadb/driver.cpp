// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/driver.hpp"

#include <fmt/format.h>

#include "driver/native_record.hpp"
#include "driver/placed_id.hpp"
#include "driver/value_row.hpp"
#include "driver/waiting.hpp"
#include "drivers/mariadb/bulk.hpp"
#include "drivers/mariadb/namespace.hpp"

namespace lab::mariadb {
namespace {

constexpr Millis kPurgeLook{20};
constexpr std::string_view kCreate = "CREATE TABLE";  // What create_table_sql begins with.

/// What an acknowledgement means, from the server's own settings.
Result<std::string> durability_of(Use& use) {
  const auto redo = use.number("SELECT @@innodb_flush_log_at_trx_commit");
  if (!redo) return redo.error();
  const auto binlog =
      use.text("SELECT IF(@@log_bin, CONCAT('; binary log: sync_binlog=', @@sync_binlog), '')");
  if (!binlog) return binlog.error();
  const std::string setting = fmt::format("innodb_flush_log_at_trx_commit={}", *redo);
  if (*redo == 1 || *redo == 3) return "fsync of the redo log at each commit (" + setting + ")" + *binlog;
  return "redo log flushed about once a second: an acknowledged object can be lost (" + setting + ")" +
         *binlog;
}

DriverInfo info_of(const Setup& setup, std::string durability, std::int64_t size_max) {
  DriverInfo info{.system = "mariadb",
                  .variant = setup.variant,
                  .bulk_path = "one transaction, arrays bound to a prepared INSERT",
                  .durability = std::move(durability),
                  .capabilities = {Capability::kBatch, Capability::kGet, Capability::kEraseEach,
                                   Capability::kDeleteLogical, Capability::kDeleteTruncate,
                                   Capability::kDeleteDrop, Capability::kMaintenance, Capability::kReplace},
                  .second_put = SecondPut::kReplace,
                  .background_work = true,
                  .object_size_max = size_max};
  if (setup.one_per_content) {
    info.capabilities.erase(Capability::kReplace);
    info.second_put = SecondPut::kRefuse;
    info.keeps = Keeps::kOnePerKeyAtIngestion;
  }
  return info;
}

class MariadbDriver final : public Driver {
 public:
  MariadbDriver(std::unique_ptr<Connection> connection, const Setup& setup, std::string run_id)
      : connection_(std::move(connection)), setup_(setup), run_id_(std::move(run_id)) {}

  Status learn(const CallContext& call) {
    auto use = connection_->use(call, "mariadb.open_driver");
    if (!use) return std::move(use).error();
    const auto packet = (*use)->number("SELECT @@max_allowed_packet");
    if (!packet) return packet.error();
    const auto size_max = object_size_max(*packet);
    if (!size_max) return size_max.error();
    array_bytes_ = array_bytes(*packet);
    const auto durability = durability_of(**use);
    if (!durability) return durability.error();
    info_ = info_of(setup_, *durability, *size_max);
    return ok();
  }

  const DriverInfo& info() const noexcept override { return info_; }

  Status prove(const CallContext& call) override {
    auto use = connection_->use(call, "mariadb.prove");
    if (!use) return std::move(use).error();
    const auto one = (*use)->number("SELECT 1");
    if (!one) return one.error();
    return ok();
  }

  Status reset(const CallContext& call) override {
    auto use = connection_->use(call, "mariadb.reset");
    if (!use) return std::move(use).error();
    LAB_TRY(check_held(**use, setup_.space, run_id_));
    const auto found = find_namespace(**use, setup_.space);
    if (!found) return found.error();
    for (std::uint32_t container = 0; container < setup_.containers; ++container) {
      const auto there = found->find(container);
      if (there == found->end() || !there->second.ours)
        return Error{
            ErrorCode::kRefused, (*use)->operation(),
            fmt::format("database '{}' does not bear the lab's marker", setup_.space.container(container))};
    }
    // Those of an earlier run with more containers lose their objects too.
    for (const auto& [container, database] : *found)
      if (database.ours && database.has_files()) LAB_TRY(each(**use, container, "DROP TABLE {}"));
    for (std::uint32_t container = 0; container < setup_.containers; ++container)
      LAB_TRY(done((*use)->execute_strictly(create_table_sql(setup_, container))));
    return ok();
  }

  Status put(const CallContext& call, const Object& object) override {
    auto use = connection_->use(call, "mariadb.put");
    if (!use) return std::move(use).error();
    LAB_TRY(check(object, "mariadb.put"));
    const std::size_t array[] = {0};
    return insert_array(**use, setup_, {&object, 1}, array);
  }

  Status put_batch(const CallContext& call, std::span<const Object> objects) override {
    auto use = connection_->use(call, "mariadb.put_batch");
    if (!use) return std::move(use).error();
    for (const Object& object : objects) LAB_TRY(check(object, "mariadb.put_batch"));
    return transaction(**use, [&]() -> Status {
      for (const auto& array : arrays_of(objects, array_bytes_)) {
        LAB_TRY(allowed(call, "mariadb.put_batch"));
        LAB_TRY(insert_array(**use, setup_, objects, array));
      }
      return ok();
    });
  }

  Status read_all(const CallContext& call, const ObjectSink& sink) override {
    auto use = connection_->use(call, "mariadb.read_all");
    if (!use) return std::move(use).error();
    for (std::uint32_t container = 0; container < setup_.containers; ++container)
      LAB_TRY((*use)->query(select_sql(setup_, container), [&](Row row) -> Status {
        const auto id = id_from_text(row[0].value_or(""), "mariadb.read_all");
        if (!id) return id.error();
        const auto payload = payload_of(row, "mariadb.read_all");
        if (!payload) return payload.error();
        return sink(*id, container, payload->bytes());
      }));
    return ok();
  }

  Result<std::uint64_t> count(const CallContext& call) override {
    auto use = connection_->use(call, "mariadb.count");
    if (!use) return std::move(use).error();
    std::uint64_t rows = 0;
    for (std::uint32_t container = 0; container < setup_.containers; ++container) {
      const auto counted = (*use)->number("SELECT COUNT(*) FROM " + table(container));
      if (!counted) return counted.error();
      rows += static_cast<std::uint64_t>(*counted);
    }
    return rows;
  }

  /// Waits until deleted rows are purged, since a purge after the flush would leave pages unwritten; then
  /// writes the tables' pages to their files. Durable is what was committed; settings that put that off are
  /// made up for by writing the redo log.
  Status flush(const CallContext& call) override {
    auto use = connection_->use(call, "mariadb.flush");
    if (!use) return std::move(use).error();
    LAB_TRY(await_purge(**use));
    LAB_TRY(done((*use)->execute("FLUSH ENGINE LOGS")));
    for (std::uint32_t container = 0; container < setup_.containers; ++container) {
      (*use)->owe("UNLOCK TABLES");
      LAB_TRY(done((*use)->execute_strictly("FLUSH TABLES " + table(container) + " FOR EXPORT")));
      LAB_TRY(done((*use)->execute("UNLOCK TABLES")));
      (*use)->settle();
    }
    return ok();
  }

  Result<std::string> get(const CallContext& call, const ObjectKey& key) override {
    auto use = connection_->use(call, "mariadb.get");
    if (!use) return std::move(use).error();
    LAB_TRY(check_container(key.container, setup_.containers, "mariadb.get"));
    std::optional<std::string> payload;
    LAB_TRY(
        (*use)->query(fmt::format("{} WHERE id = {}", select_sql(setup_, key.container), hex_literal(key.id)),
                      [&](Row row) -> Status {
                        const auto read = payload_of(row, "mariadb.get");
                        if (!read) return read.error();
                        payload = std::string(as_text(read->bytes()));
                        return ok();
                      }));
    if (!payload) return Error{ErrorCode::kNotFound, "mariadb.get", format_uuid(key.id)};
    return std::move(*payload);
  }

  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override {
    auto use = connection_->use(call, "mariadb.erase");
    if (!use) return std::move(use).error();
    if (keys.size() == 1) return erase_one(**use, keys[0]);
    return transaction(**use, [&]() -> Status {
      for (const ObjectKey& key : keys) {
        LAB_TRY(allowed(call, "mariadb.erase"));
        LAB_TRY(erase_one(**use, key));
      }
      return ok();
    });
  }

  Status erase_all(const CallContext& call, DeleteAll how) override {
    const char* const operation = how == DeleteAll::kLogical    ? "mariadb.delete_logical"
                                  : how == DeleteAll::kTruncate ? "mariadb.delete_truncate"
                                                                : "mariadb.delete_drop";
    auto use = connection_->use(call, operation);
    if (!use) return std::move(use).error();
    const auto all = [&](auto&& one) -> Status {
      for (std::uint32_t container = 0; container < setup_.containers; ++container) {
        LAB_TRY(allowed(call, operation));
        LAB_TRY(one(container));
      }
      return ok();
    };
    if (how == DeleteAll::kLogical)
      return transaction(**use, [&] {
        return all([&](std::uint32_t container) { return each(**use, container, "DELETE FROM {}"); });
      });
    if (how == DeleteAll::kTruncate)
      return all([&](std::uint32_t container) { return each(**use, container, "TRUNCATE TABLE {}"); });
    return all([&](std::uint32_t container) -> Status {
      (*use)->owe("CREATE TABLE IF NOT EXISTS" + create_table_sql(setup_, container).substr(kCreate.size()));
      LAB_TRY(each(**use, container, "DROP TABLE {}"));
      LAB_TRY(done((*use)->execute_strictly(create_table_sql(setup_, container))));
      (*use)->settle();
      return ok();
    });
  }

  /// It worked when each table lies in another tablespace than before.
  Result<MaintenanceOutcome> maintain(const CallContext& call) override {
    auto use = connection_->use(call, "mariadb.maintain");
    if (!use) return std::move(use).error();
    MaintenanceOutcome outcome{.what = "OPTIMIZE TABLE", .worked = true};
    for (std::uint32_t container = 0; container < setup_.containers; ++container) {
      const auto before = tablespace(**use, container);
      if (!before) return before.error();
      const auto words = optimize(**use, container);
      if (!words) return words.error();
      const auto after = tablespace(**use, container);
      if (!after) return after.error();
      outcome.worked = outcome.worked && *after != *before;
      if (container == 0) outcome.what += ": " + *words;
    }
    return outcome;
  }

 private:
  std::string table(std::uint32_t container) const {
    return table_name(setup_.space.container(container), kTable);
  }

  /// Of a row of select_sql.
  Result<ReadPayload> payload_of(Row row, const char* operation) const {
    std::vector<std::string_view> texts;
    for (const auto& column : row.subspan(1)) {
      const bool may_be_null = setup_.schema != nullptr && texts.size() < setup_.schema->columns.size() &&
                               setup_.schema->columns[texts.size()].optional;
      if (!column && !may_be_null) return Error{ErrorCode::kCorruption, operation, "a row is none of ours"};
      texts.push_back(column.value_or(std::string_view{}));
    }
    return read_payload(setup_.schema, texts, operation);
  }

  static Status done(const Result<Done>& result) {
    if (!result) return result.error();
    return ok();
  }

  Status each(Use& use, std::uint32_t container, const char* statement) const {
    return done(use.execute(fmt::format(fmt::runtime(statement), table(container))));
  }

  /// As the guard in front of us does; here too, since the server would cut the connection.
  Status check(const Object& object, const char* operation) const {
    LAB_TRY(check_container(object.container, setup_.containers, operation));
    if (static_cast<std::int64_t>(object.payload.size()) <= info_.object_size_max) return ok();
    return Error{ErrorCode::kInvalidArgument, operation,
                 fmt::format("an object of {} bytes does not fit into a packet; the server's "
                             "max_allowed_packet takes at most {}",
                             object.payload.size(), info_.object_size_max)};
  }

  /// What is not committed is rolled back: here, or at the beginning of the next call when this one is over.
  template <class Work>
  Status transaction(Use& use, Work&& work) {
    use.owe("ROLLBACK");
    LAB_TRY(done(use.execute("START TRANSACTION")));
    LAB_TRY(work());
    LAB_TRY(done(use.execute("COMMIT")));
    use.settle();
    return ok();
  }

  Status erase_one(Use& use, const ObjectKey& key) {
    LAB_TRY(check_container(key.container, setup_.containers, use.operation()));
    const auto gone =
        use.execute(fmt::format("DELETE FROM {} WHERE id = {}", table(key.container), hex_literal(key.id)));
    if (!gone) return gone.error();
    if (gone->affected == 1) return ok();
    return Error{ErrorCode::kNotFound, use.operation(), format_uuid(key.id)};
  }

  Result<std::int64_t> tablespace(Use& use, std::uint32_t container) {
    const std::string name = file_name(setup_.space.container(container)) + "/" + kTable;
    return use.number(fmt::format("SELECT SPACE FROM information_schema.INNODB_SYS_TABLES WHERE NAME = {}",
                                  text_literal(name)));
  }

  /// The server's last words. "Table does not support optimize, doing recreate + analyze instead" is a note.
  Result<std::string> optimize(Use& use, std::uint32_t container) {
    std::string words;
    std::optional<std::string> failure;
    LAB_TRY(use.query("OPTIMIZE TABLE " + table(container), [&](Row row) {
      const std::string kind(row[2].value_or(""));
      const std::string text(row[3].value_or(""));
      if (kind == "Error" || kind == "error" || (kind == "status" && text != "OK")) failure = text;
      words += (words.empty() ? "" : "; ") + text;
      return ok();
    }));
    if (!failure) return words;
    LAB_TRY(allowed(use.call(), use.operation()));  // "Query execution was interrupted" comes as a row.
    return Error{ErrorCode::kRefused, use.operation(), words};
  }

  /// Errors: kInUse when somebody's open transaction keeps the purge from going on.
  Status await_purge(Use& use) {
    return poll_until(use.call(), kPurgeLook, use.operation(), [&]() -> Result<bool> {
      const auto length = use.number(
          "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = "
          "'INNODB_HISTORY_LIST_LENGTH'");
      if (!length) return length.error();
      if (*length == 0) return true;
      const auto holders = use.number(
          "SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_started < NOW() - INTERVAL 10 SECOND "
          "AND trx_mysql_thread_id NOT IN (0, CONNECTION_ID())");
      if (!holders) return holders.error();
      if (*holders == 0) return false;
      return Error{ErrorCode::kInUse, use.operation(),
                   "deleted rows cannot be purged: a transaction of another connection is open for more than "
                   "10 s (information_schema.INNODB_TRX)",
                   true};
    });
  }

  std::unique_ptr<Connection> connection_;
  Setup setup_;
  std::string run_id_;
  std::int64_t array_bytes_ = 0;
  DriverInfo info_{};
};

}  // namespace

Result<std::unique_ptr<Driver>> open_mariadb_driver(const Server& server, const Setup& setup,
                                                    const std::string& run_id, const CallContext& call) {
  LAB_TRY(allowed(call, "mariadb.open_driver"));
  auto connection = Connection::open(server, call, "mariadb.open_driver");
  if (!connection) return std::move(connection).error();
  auto driver = std::make_unique<MariadbDriver>(std::move(*connection), setup, run_id);
  LAB_TRY(driver->learn(call));
  return std::unique_ptr<Driver>(std::move(driver));
}

}  // namespace lab::mariadb
