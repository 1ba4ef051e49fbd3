// Session, driver and observer of the lmdb system.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/lmdb/lmdb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "driver/embedded_observer.hpp"
#include "driver/placed_id.hpp"
#include "driver/value_row.hpp"
#include "drivers/lmdb/environment.hpp"

namespace lab {
namespace {

using lmdb::Environment;
using lmdb::Setup;

constexpr std::int64_t kTransactionBytes = 64LL << 20;  // Payload that put_batch writes in one transaction.
constexpr std::int64_t kObjectMax =
    (4LL << 30) - (64LL << 10);  // LMDB: values below 4 GiB, the row's header included.

MDB_val value_of(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};  // LMDB's input type is its output type.
}

std::string_view text_of(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

std::string library_version() {
  int major = 0;
  int minor = 0;
  int patch = 0;
  mdb_version(&major, &minor, &patch);
  return fmt::format("{}.{}.{}", major, minor, patch);
}

DriverInfo info_of(const Setup& setup) {
  return {.system = "lmdb",
          .variant = setup.variant,
          .bulk_path = "one transaction for up to 64 MiB",
          .durability = "fdatasync of data and meta page at each commit",
          .capabilities = {Capability::kBatch, Capability::kGet, Capability::kEraseEach,
                           Capability::kDeleteLogical, Capability::kDeleteDrop, Capability::kMaintenance,
                           Capability::kReplace},
          .second_put = SecondPut::kReplace,
          .object_size_max = kObjectMax};
}

class LmdbDriver final : public Driver {
 public:
  explicit LmdbDriver(Environment& environment)
      : environment_(environment), info_(info_of(environment.setup())) {}
  const DriverInfo& info() const noexcept override { return info_; }

  Status prove(const CallContext& call) override {
    const auto figures = environment_.figures(call, "lmdb.prove");
    if (!figures) return figures.error();
    return ok();
  }

  Status reset(const CallContext& call) override { return environment_.reset(call); }

  Status put(const CallContext& call, const Object& object) override {
    return write_all_of(call, std::span<const Object>(&object, 1), "lmdb.put");
  }

  Status put_batch(const CallContext& call, std::span<const Object> objects) override {
    LAB_TRY(allowed(call, "lmdb.put_batch"));
    while (!objects.empty()) {
      std::size_t count = 1;
      std::int64_t bytes = std::ssize(objects[0].payload);
      while (count < objects.size() && bytes + std::ssize(objects[count].payload) <= kTransactionBytes)
        bytes += std::ssize(objects[count++].payload);
      LAB_TRY(write_all_of(call, objects.first(count), "lmdb.put_batch"));
      objects = objects.subspan(count);
    }
    return ok();
  }

  Status read_all(const CallContext& call, const ObjectSink& sink) override {
    return environment_.read(call, "lmdb.read_all", [&](MDB_txn* transaction, Status& failure) {
      int code = 0;
      for (std::uint32_t container = 0; container < containers() && code == 0 && failure; ++container)
        code = read_container(call, transaction, container, sink, failure);
      return code;
    });
  }

  Result<std::uint64_t> count(const CallContext& call) override {
    std::uint64_t entries = 0;
    LAB_TRY(environment_.read(call, "lmdb.count", [&](MDB_txn* transaction, Status&) {
      for (std::uint32_t container = 0; container < containers(); ++container) {
        MDB_stat stat{};
        if (const int code = mdb_stat(transaction, environment_.database(container), &stat); code != 0)
          return code;
        entries += stat.ms_entries;
      }
      return 0;
    }));
    return entries;
  }

  Status flush(const CallContext& call) override { return environment_.sync(call, "lmdb.flush"); }

  Result<std::string> get(const CallContext& call, const ObjectKey& key) override {
    LAB_TRY(check_container(key.container, containers(), "lmdb.get"));
    std::string payload;
    LAB_TRY(environment_.read(call, "lmdb.get", [&](MDB_txn* transaction, Status& failure) {
      MDB_val id = value_of(id_text(key.id));
      MDB_val stored{};
      const int code = mdb_get(transaction, environment_.database(key.container), &id, &stored);
      if (code == MDB_NOTFOUND) failure = missing("lmdb.get", key.id);
      if (code != 0) return code;
      const auto bytes = row_payload(text_of(stored), "lmdb.get");
      if (bytes)
        payload = as_text(*bytes);
      else
        failure = bytes.error();
      return 0;
    }));
    return payload;
  }

  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override {
    for (const ObjectKey& key : keys) LAB_TRY(check_container(key.container, containers(), "lmdb.erase"));
    return environment_.write(call, "lmdb.erase", [&](MDB_txn* transaction, Status& failure) {
      for (const ObjectKey& key : keys) {
        failure = allowed(call, "lmdb.erase");
        if (!failure) return 0;
        MDB_val id = value_of(id_text(key.id));
        const int code = mdb_del(transaction, environment_.database(key.container), &id, nullptr);
        if (code == MDB_NOTFOUND) failure = missing("lmdb.erase", key.id);
        if (code != 0) return code;
      }
      return 0;
    });
  }

  /// Logical: mdb_drop that keeps the database and frees its pages. Drop: the databases are deleted and made
  /// anew.
  Status erase_all(const CallContext& call, DeleteAll how) override {
    if (how == DeleteAll::kDrop) return environment_.drop(call, "lmdb.delete_drop");
    if (how != DeleteAll::kLogical) return unsupported(info_, to_string(how));
    return environment_.write(call, "lmdb.delete_logical", [&](MDB_txn* transaction, Status&) {
      for (std::uint32_t container = 0; container < containers(); ++container)
        if (const int code = mdb_drop(transaction, environment_.database(container), 0); code != 0)
          return code;
      return 0;
    });
  }

  Result<MaintenanceOutcome> maintain(const CallContext& call) override { return environment_.compact(call); }

 private:
  static Error missing(const char* operation, const ObjectId& id) {
    return {ErrorCode::kNotFound, operation, format_uuid(id)};
  }
  std::uint32_t containers() const { return environment_.setup().containers; }

  Status write_all_of(const CallContext& call, std::span<const Object> objects, const char* operation) {
    for (const Object& object : objects) LAB_TRY(check_container(object.container, containers(), operation));
    return environment_.write(call, operation, [&](MDB_txn* transaction, Status& failure) {
      for (const Object& object : objects) {
        failure = allowed(call, operation);
        if (!failure) return 0;
        if (const int code = put_one(transaction, object); code != 0) return code;
      }
      return 0;
    });
  }

  /// MDB_RESERVE: the row is put together in LMDB's page, not in a copy of ours.
  int put_one(MDB_txn* transaction, const Object& object) {
    const std::string header = row_header(object);
    MDB_val id = value_of(id_text(object.id));
    MDB_val row{header.size() + object.payload.size(), nullptr};
    const int code = mdb_put(transaction, environment_.database(object.container), &id, &row, MDB_RESERVE);
    if (code != 0) return code;
    auto* out = static_cast<char*>(row.mv_data);
    std::copy(header.begin(), header.end(), out);
    if (!object.payload.empty())
      std::memcpy(out + header.size(), object.payload.data(), object.payload.size());
    return 0;
  }

  int read_container(const CallContext& call, MDB_txn* transaction, std::uint32_t container,
                     const ObjectSink& sink, Status& failure) {
    MDB_cursor* cursor = nullptr;
    if (const int code = mdb_cursor_open(transaction, environment_.database(container), &cursor); code != 0)
      return code;
    MDB_val key{};
    MDB_val row{};
    int code = 0;
    while (failure && (code = mdb_cursor_get(cursor, &key, &row, MDB_NEXT)) == 0)
      failure = give(call, container, key, row, sink);
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
  }

  static Status give(const CallContext& call, std::uint32_t container, const MDB_val& key, const MDB_val& row,
                     const ObjectSink& sink) {
    LAB_TRY(allowed(call, "lmdb.read_all"));
    const auto id = id_from_text(text_of(key), "lmdb.read_all");
    if (!id) return id.error();
    const auto payload = row_payload(text_of(row), "lmdb.read_all");
    if (!payload) return payload.error();
    return sink(*id, container, *payload);
  }

  Environment& environment_;
  DriverInfo info_;
};

class LmdbObserver final : public EmbeddedObserver {
 public:
  explicit LmdbObserver(Environment& environment)
      : EmbeddedObserver("LMDB", library_version(), environment.data()), environment_(environment) {}

  Result<std::map<std::string, std::string>> settings(const CallContext& call) override {
    LAB_TRY(allowed(call, "lmdb.settings"));
    // As it was asked for: what it has grown to depends on the data and is an activity counter.
    return std::map<std::string, std::string>{{"map_size", format_bytes_exact(environment_.setup().map_size)},
                                              {"max_dbs", std::to_string(environment_.setup().containers)},
                                              {"flags", "MDB_NOTLS"}};
  }

  Result<std::vector<Counter>> activity(const CallContext& call) override {
    const auto now = environment_.figures(call, "lmdb.activity");
    if (!now) return now.error();
    return std::vector<Counter>{
        {"pages", static_cast<double>(now->pages), "pages"},
        {"data_pages", static_cast<double>(now->data_pages), "pages"},
        {"free_list_entries", static_cast<double>(now->free_list_entries), "1"},
        {"map_size", static_cast<double>(now->map_size.count), "bytes"},
        {"file_size", static_cast<double>(now->file.count), "bytes"},
        {"transactions", static_cast<double>(now->last_transaction), "1"},
        {"readers", static_cast<double>(now->readers), "1"},
    };
  }

  /// payload = the containers' trees with their overflow pages; meta = everything else, free pages included.
  Result<Footprint> footprint(const CallContext& call) override {
    const auto now = environment_.figures(call, "lmdb.footprint");
    if (!now) return now.error();
    const Bytes total{now->pages * now->page.count};
    const Bytes payload{now->data_pages * now->page.count};
    return Footprint{.total = total, .parts = {{"payload", payload}, {"meta", total - payload}}};
  }

  /// data.mdb holds several parts: nothing.
  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override {
    if (relative.filename() == "lock.mdb") return FilePart::kMeta;
    return std::nullopt;
  }

 private:
  Environment& environment_;
};

class LmdbSession final : public Session {
 public:
  explicit LmdbSession(std::unique_ptr<Environment> environment) : environment_(std::move(environment)) {}
  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    LAB_TRY(allowed(call, "lmdb.open_driver"));
    return std::unique_ptr<Driver>(new LmdbDriver(*environment_));
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    LAB_TRY(allowed(call, "lmdb.open_observer"));
    return std::unique_ptr<Observer>(new LmdbObserver(*environment_));
  }

 private:
  std::unique_ptr<Environment> environment_;
};

Result<Setup> setup_of(const SystemConfig& config) {
  const auto variant = resolve_config(lmdb_system(), config);
  if (!variant) return variant.error();
  Setup setup{.variant = *variant, .containers = config.containers};
  if (*variant == "map_fixed") {
    setup.map_grows = false;
    setup.map_size = 16_GiB;
  }
  if (const auto option = config.options.find("map_size"); option != config.options.end()) {
    const auto parsed = parse_bytes(option->second);
    if (!parsed) return bad_option(option->first, option->second, ": " + parsed.error().detail);
    if (*parsed < 1_MiB) return bad_option(option->first, option->second, ": at least 1 MiB");
    setup.map_size = *parsed;
  }
  return setup;
}

Status check_lmdb(const SystemConfig& config) {
  LAB_TRY(setup_of(config));
  return ok();
}

Result<std::unique_ptr<Session>> open_lmdb(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "lmdb.open"));
  auto setup = setup_of(config);
  if (!setup) return std::move(setup).error();
  auto home = EmbeddedHome::open(config.path, "lmdb", config.run_id);
  if (!home) return std::move(home).error();
  auto environment = Environment::open(std::move(*home), std::move(*setup));
  if (!environment) return std::move(environment).error();
  return std::unique_ptr<Session>(new LmdbSession(std::move(*environment)));
}

Status remove_lmdb(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "lmdb.remove"));
  return EmbeddedHome::remove(config.path, "lmdb");
}

}  // namespace

SystemEntry lmdb_system() {
  return {
      .name = "lmdb",
      .what = "LMDB, one memory-mapped B+tree file",
      .variants = {{"default", "the map starts at 16 MiB and is doubled when full"},
                   {"map_fixed", "a map of fixed size (option map_size, 16 GiB): a full one is an error"}},
      .options = {"map_size"},
      .mechanisms = {{"ingestion", "missing", "lmdb.h: a value is its own pages"},
                     {"compaction", "missing",
                      "lmdb.h, mdb_env_copy2: a compacting copy leaves free pages out and keeps each value"},
                     {"compression", "missing", "lmdb.h: a value is mapped as it is"},
                     {"storage", "missing", "lmdb.h: no page belongs to two values"}},
      .library = "LMDB " + library_version(),
      .check = check_lmdb,
      .open = open_lmdb,
      .remove = remove_lmdb};
}

}  // namespace lab
