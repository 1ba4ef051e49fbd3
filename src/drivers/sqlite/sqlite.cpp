// Session and driver of the sqlite system.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/sqlite/sqlite.hpp"

#include <fmt/format.h>

#include "driver/placed_id.hpp"
#include "drivers/sqlite/connection.hpp"
#include "drivers/sqlite/observer.hpp"
#include "drivers/sqlite/rows.hpp"

namespace lab {
namespace {

using sqlite::Connection;
using sqlite::Setup;
using sqlite::Store;
using sqlite::table_name;
using sqlite::Use;

const std::vector<VariantInfo>& variants() {
  static const std::vector<VariantInfo> kVariants{
      {"default", "write-ahead log, synchronous=FULL, pages of 4 KiB"},
      {"rollback", "rollback journal (journal_mode=DELETE), pages of 4 KiB"},
      {"page_16k", "write-ahead log, pages of 16 KiB", 16_KiB},
      {"page_64k", "write-ahead log, pages of 64 KiB", 64_KiB},
      {"rollback+page_64k", "rollback journal, pages of 64 KiB", 64_KiB},
      {"insert_if_absent",
       "as default; sha256 is unique and a second one is not inserted (ON CONFLICT DO NOTHING)", std::nullopt,
       "its columns are not unique"},
  };
  return kVariants;
}

Setup setup_of(const std::string& variant, const SystemConfig& config) {
  Setup setup{.variant = variant, .containers = config.containers, .schema = schema_of(config)};
  setup.wal = !variant.starts_with("rollback");
  setup.one_per_content = variant == "insert_if_absent";
  if (variant.ends_with("page_16k")) setup.page_size = 16'384;
  if (variant.ends_with("page_64k")) setup.page_size = 65'536;
  return setup;
}

DriverInfo info_of(const Setup& setup) {
  DriverInfo info{.system = "sqlite",
                  .variant = setup.variant,
                  .bulk_path = "one transaction, prepared INSERT",
                  .durability = setup.wal ? "fsync of the write-ahead log" : "fsync of journal and database",
                  .capabilities = {Capability::kBatch, Capability::kGet, Capability::kEraseEach,
                                   Capability::kDeleteLogical, Capability::kDeleteDrop,
                                   Capability::kMaintenance, Capability::kReplace},
                  .second_put = SecondPut::kReplace,
                  .object_size_max = 999'000'000};  // SQLITE_MAX_LENGTH is 10^9 for a whole row.
  if (setup.one_per_content) {
    info.capabilities.erase(Capability::kReplace);
    info.second_put = SecondPut::kRefuse;
    info.keeps = Keeps::kOnePerKeyAtIngestion;
  }
  return info;
}

class SqliteDriver final : public Driver {
 public:
  explicit SqliteDriver(Store& store) : store_(store), connection_(store), info_(info_of(store.setup)) {}
  const DriverInfo& info() const noexcept override { return info_; }

  Status prove(const CallContext& call) override {
    auto use = connection_.use(call, "sqlite.prove");
    if (!use) return std::move(use).error();
    const auto version = (*use)->number("PRAGMA schema_version");
    if (!version) return version.error();
    return ok();
  }

  Status reset(const CallContext& call) override { return connection_.reset(call); }

  Status put(const CallContext& call, const Object& object) override {
    auto use = connection_.use(call, "sqlite.put");
    if (!use) return std::move(use).error();
    return insert(**use, object);
  }

  Status put_batch(const CallContext& call, std::span<const Object> objects) override {
    auto use = connection_.use(call, "sqlite.put_batch");
    if (!use) return std::move(use).error();
    return (*use)->transaction([&]() -> Status {
      for (const Object& object : objects) {
        LAB_TRY(allowed(call, "sqlite.put_batch"));
        LAB_TRY(insert(**use, object));
      }
      return ok();
    });
  }

  Status read_all(const CallContext& call, const ObjectSink& sink) override {
    auto use = connection_.use(call, "sqlite.read_all");
    if (!use) return std::move(use).error();
    for (std::uint32_t container = 0; container < store_.setup.containers; ++container) {
      auto statement = (*use)->prepare(select_sql(store_.setup, container));
      if (!statement) return std::move(statement).error();
      while (true) {
        LAB_TRY(allowed(call, "sqlite.read_all"));
        const auto row = statement->step();
        if (!row) return row.error();
        if (!*row) break;
        const auto key = statement->blob(0);
        ObjectId id{};
        if (key.size() != id.size())
          return Error{ErrorCode::kCorruption, "sqlite.read_all", "an id is not 16 bytes"};
        std::copy(key.begin(), key.end(), id.begin());
        const auto payload = payload_of(*statement, store_.setup.schema, 1, "sqlite.read_all");
        if (!payload) return payload.error();
        LAB_TRY(sink(id, container, payload->bytes()));
      }
    }
    return ok();
  }

  Result<std::uint64_t> count(const CallContext& call) override {
    auto use = connection_.use(call, "sqlite.count");
    if (!use) return std::move(use).error();
    std::int64_t rows = 0;
    for (std::uint32_t container = 0; container < store_.setup.containers; ++container) {
      const auto counted = (*use)->number("SELECT count(*) FROM " + table_name(container));
      if (!counted) return counted.error();
      rows += *counted;
    }
    return static_cast<std::uint64_t>(rows);
  }

  Status flush(const CallContext& call) override {
    auto use = connection_.use(call, "sqlite.flush");
    if (!use) return std::move(use).error();
    return checkpoint(**use);
  }

  Result<std::string> get(const CallContext& call, const ObjectKey& key) override {
    auto use = connection_.use(call, "sqlite.get");
    if (!use) return std::move(use).error();
    LAB_TRY(check_container(key.container, store_.setup.containers, "sqlite.get"));
    auto statement = (*use)->cached(select_sql(store_.setup, key.container) + " WHERE id = ?1");
    if (!statement) return std::move(statement).error();
    statement->bind(1, key.id);
    const auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return Error{ErrorCode::kNotFound, "sqlite.get", format_uuid(key.id)};
    const auto payload = payload_of(*statement, store_.setup.schema, 1, "sqlite.get");
    if (!payload) return payload.error();
    return std::string(as_text(payload->bytes()));
  }

  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override {
    auto use = connection_.use(call, "sqlite.erase");
    if (!use) return std::move(use).error();
    if (keys.size() == 1) return erase_one(**use, keys[0]);
    return (*use)->transaction([&]() -> Status {
      for (const ObjectKey& key : keys) {
        LAB_TRY(allowed(call, "sqlite.erase"));
        LAB_TRY(erase_one(**use, key));
      }
      return ok();
    });
  }

  /// Logical: DELETE without WHERE, which SQLite does by freeing the whole trees (its truncate optimization).
  Status erase_all(const CallContext& call, DeleteAll how) override {
    if (how == DeleteAll::kTruncate) return unsupported(info_, to_string(how));
    const bool drop = how == DeleteAll::kDrop;
    auto use = connection_.use(call, drop ? "sqlite.delete_drop" : "sqlite.delete_logical");
    if (!use) return std::move(use).error();
    return (*use)->transaction([&]() -> Status {
      for (std::uint32_t container = 0; container < store_.setup.containers; ++container) {
        LAB_TRY(allowed(call, "sqlite.erase_all"));
        LAB_TRY((*use)->execute((drop ? "DROP TABLE " : "DELETE FROM ") + table_name(container)));
        if (drop) LAB_TRY((*use)->execute(create_table_sql(store_.setup, container)));
      }
      return ok();
    });
  }

  /// VACUUM makes its copy in SQLite's folder for temporary files, outside of the home.
  Result<MaintenanceOutcome> maintain(const CallContext& call) override {
    auto use = connection_.use(call, "sqlite.maintain");
    if (!use) return std::move(use).error();
    const auto before = (*use)->number("PRAGMA page_count");
    if (!before) return before.error();
    const auto written_before = pages_written(**use);
    LAB_TRY((*use)->execute("VACUUM"));
    const auto after = (*use)->number("PRAGMA page_count");
    if (!after) return after.error();
    const bool worked = *after != *before || pages_written(**use) != written_before;
    LAB_TRY(checkpoint(**use));
    return MaintenanceOutcome{fmt::format("VACUUM and checkpoint: {} -> {} pages", *before, *after), worked};
  }

 private:
  Status insert(const Use& use, const Object& object) {
    LAB_TRY(check_container(object.container, store_.setup.containers, use.operation()));
    NativeRecord record;  // The statement borrows from it.
    if (store_.setup.schema != nullptr) {
      auto parsed = parse_record(*store_.setup.schema, object.payload, use.operation());
      if (!parsed) return std::move(parsed).error();
      record = std::move(*parsed);
    }
    auto statement = use.cached(insert_sql(store_.setup, object.container));
    if (!statement) return std::move(statement).error();
    if (store_.setup.schema != nullptr)
      bind_record(*statement, *store_.setup.schema, object.id, record);
    else
      bind_object(*statement, object);
    const auto row = statement->step();
    if (!row) return row.error();
    return ok();
  }

  Status erase_one(const Use& use, const ObjectKey& key) {
    LAB_TRY(check_container(key.container, store_.setup.containers, use.operation()));
    auto statement = use.cached(fmt::format("DELETE FROM {} WHERE id = ?1", table_name(key.container)));
    if (!statement) return std::move(statement).error();
    statement->bind(1, key.id);
    const auto row = statement->step();
    if (!row) return row.error();
    if (sqlite3_changes(use.handle()) == 0)
      return Error{ErrorCode::kNotFound, use.operation(), format_uuid(key.id)};
    return ok();
  }

  /// Moves the log into the database and cuts it to nothing. Errors: kInUse when a reader prevents it.
  Status checkpoint(const Use& use) {
    if (!store_.setup.wal) return ok();  // A commit has put everything in its place.
    const int code =
        sqlite3_wal_checkpoint_v2(use.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    if (code != SQLITE_OK) return use.error(code);
    return ok();
  }

  static std::int64_t pages_written(const Use& use) {
    int pages = 0;
    int highest = 0;
    sqlite3_db_status(use.handle(), SQLITE_DBSTATUS_CACHE_WRITE, &pages, &highest, 0);
    return pages;
  }

  Store& store_;
  Connection connection_;
  DriverInfo info_;
};

class SqliteSession final : public Session {
 public:
  SqliteSession(EmbeddedHome home, Setup setup)
      : store_(std::move(home), std::move(setup)), keeper_(store_) {}

  /// Opens the keeper: makes the schema, and keeps the log until the session ends, whoever else closes.
  Status prepare(const CallContext& call) {
    auto use = keeper_.use(call, "sqlite.open");
    if (!use) return std::move(use).error();
    return ok();
  }
  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    LAB_TRY(allowed(call, "sqlite.open_driver"));
    return std::unique_ptr<Driver>(new SqliteDriver(store_));
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    LAB_TRY(allowed(call, "sqlite.open_observer"));
    return std::unique_ptr<Observer>(new sqlite::SqliteObserver(store_));
  }

 private:
  Store store_;
  Connection keeper_;
};

Result<std::unique_ptr<Session>> open_sqlite(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "sqlite.open"));
  const auto variant = resolve_config(sqlite_system(), config);
  if (!variant) return variant.error();
  auto home = EmbeddedHome::open(config.path, "sqlite", config.run_id);
  if (!home) return std::move(home).error();
  auto session = std::make_unique<SqliteSession>(std::move(*home), setup_of(*variant, config));
  LAB_TRY(session->prepare(call));
  return std::unique_ptr<Session>(std::move(session));
}

Status remove_sqlite(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "sqlite.remove"));
  return EmbeddedHome::remove(config.path, "sqlite");
}

}  // namespace

SystemEntry sqlite_system() {
  return {.name = "sqlite",
          .what = "SQLite, one database file, a row with a BLOB an object",
          .native = true,
          .variants = variants(),
          .mechanisms = {{"ingestion", "missing",
                          "sqlite.org/fileformat2.html: a row's payload is its own pages"},
                         {"ingestion", "full", "variant insert_if_absent: UNIQUE sha256, removes whole rows"},
                         {"compaction", "missing", "sqlite.org/lang_vacuum.html: VACUUM copies each row"},
                         {"compression", "missing", "sqlite.org/fileformat2.html: pages as they are"},
                         {"storage", "missing", "sqlite.org/fileformat2.html: no page belongs to two rows"}},
          .library = std::string("SQLite ") + sqlite3_libversion(),
          .open = open_sqlite,
          .remove = remove_sqlite};
}

}  // namespace lab
