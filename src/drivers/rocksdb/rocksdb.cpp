// Session and driver of the rocksdb system.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/rocksdb/rocksdb.hpp"

#include <fmt/format.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include "driver/placed_id.hpp"
#include "driver/value_row.hpp"
#include "drivers/rocksdb/database.hpp"
#include "drivers/rocksdb/observer.hpp"

namespace lab {
namespace {

using rocks::Database;
using rocks::error_of;
using View = rocks::Database::View;

constexpr std::int64_t kPieceBytes =
    16LL << 20;  // Payload of one WriteBatch; a batch is held in memory as a whole.
constexpr std::int64_t kObjectMax = 3LL << 30;  // RocksDB takes values below 4 GiB.

::rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }
std::string_view text_of(const ::rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

::rocksdb::WriteOptions durable(bool sync) {
  ::rocksdb::WriteOptions options;
  options.sync = sync;
  return options;
}

DriverInfo info_of(const rocks::Setup& setup) {
  return {.system = "rocksdb",
          .variant = setup.variant,
          .bulk_path = "one WriteBatch for up to 16 MiB, the last one synced",
          .durability = "fdatasync of the write-ahead log",
          .capabilities = {Capability::kBatch, Capability::kGet, Capability::kEraseEach,
                           Capability::kDeleteLogical, Capability::kDeleteDrop, Capability::kMaintenance,
                           Capability::kReplace},
          .second_put = SecondPut::kReplace,
          .background_work = true,
          .object_size_max = kObjectMax};
}

class RocksDriver final : public Driver {
 public:
  explicit RocksDriver(Database& database) : database_(database), info_(info_of(database.setup())) {}
  const DriverInfo& info() const noexcept override { return info_; }

  Status prove(const CallContext& call) override {
    return database_.use(call, "rocksdb.prove", [](const View&) { return ok(); });
  }

  Status reset(const CallContext& call) override { return database_.reset(call); }

  Status put(const CallContext& call, const Object& object) override {
    return write_pieces(call, std::span<const Object>(&object, 1), "rocksdb.put");
  }

  Status put_batch(const CallContext& call, std::span<const Object> objects) override {
    return write_pieces(call, objects, "rocksdb.put_batch");
  }

  Status read_all(const CallContext& call, const ObjectSink& sink) override {
    return scan(call, "rocksdb.read_all",
                [&](std::uint32_t container, const ::rocksdb::Iterator& row) -> Status {
                  const auto id = id_from_text(text_of(row.key()), "rocksdb.read_all");
                  if (!id) return id.error();
                  const auto payload = row_payload(text_of(row.value()), "rocksdb.read_all");
                  if (!payload) return payload.error();
                  return sink(*id, container, *payload);
                });
  }

  /// RocksDB keeps an estimate only, so the keys are walked.
  Result<std::uint64_t> count(const CallContext& call) override {
    std::uint64_t keys = 0;
    LAB_TRY(scan(call, "rocksdb.count", [&](std::uint32_t, const ::rocksdb::Iterator&) {
      ++keys;
      return ok();
    }));
    return keys;
  }

  Status flush(const CallContext& call) override { return database_.flush(call); }

  Result<std::string> get(const CallContext& call, const ObjectKey& key) override {
    std::string payload;
    const Status used = database_.use(call, "rocksdb.get", [&](const View& view) -> Status {
      ::rocksdb::PinnableSlice row;
      LAB_TRY(find(view, key, row, "rocksdb.get"));
      const auto bytes = row_payload(text_of(row), "rocksdb.get");
      if (!bytes) return bytes.error();
      payload = as_text(*bytes);
      return ok();
    });
    if (!used) return used.error();
    return payload;
  }

  /// Reads before it deletes, since a tombstone for a missing key is no error to RocksDB but one to us.
  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override {
    return database_.use(call, "rocksdb.erase", [&](const View& view) -> Status {
      ::rocksdb::WriteBatch batch;
      for (const ObjectKey& key : keys) {
        LAB_TRY(allowed(call, "rocksdb.erase"));
        ::rocksdb::PinnableSlice row;
        LAB_TRY(find(view, key, row, "rocksdb.erase"));
        LAB_TRY(
            done(batch.Delete(view.containers[key.container], slice_of(id_text(key.id))), "rocksdb.erase"));
      }
      return done(view.db.Write(durable(true), &batch), "rocksdb.erase");
    });
  }

  /// Logical: one range tombstone over all keys. Drop: the column families are dropped and made anew.
  Status erase_all(const CallContext& call, DeleteAll how) override {
    if (how == DeleteAll::kDrop) return database_.drop(call);
    if (how != DeleteAll::kLogical) return unsupported(info_, to_string(how));
    return database_.use(call, "rocksdb.delete_logical", [&](const View& view) -> Status {
      const std::string first(sizeof(ObjectId), '\0');
      const std::string behind_last(sizeof(ObjectId) + 1, '\xff');
      ::rocksdb::WriteBatch batch;
      for (::rocksdb::ColumnFamilyHandle* container : view.containers)
        LAB_TRY(done(batch.DeleteRange(container, first, behind_last), "rocksdb.delete_logical"));
      return done(view.db.Write(durable(true), &batch), "rocksdb.delete_logical");
    });
  }

  Result<MaintenanceOutcome> maintain(const CallContext& call) override { return database_.compact(call); }

 private:
  static Status done(const ::rocksdb::Status& status, const char* operation) {
    if (!status.ok()) return error_of(status, operation);
    return ok();
  }

  static Status find(const View& view, const ObjectKey& key, ::rocksdb::PinnableSlice& row,
                     const char* operation) {
    LAB_TRY(check_container(key.container, static_cast<std::uint32_t>(view.containers.size()), operation));
    const auto found = view.db.Get(::rocksdb::ReadOptions(), view.containers[key.container],
                                   slice_of(id_text(key.id)), &row);
    if (found.IsNotFound()) return Error{ErrorCode::kNotFound, operation, format_uuid(key.id)};
    return done(found, operation);
  }

  /// Only the last piece is synced: a synced write takes all log records before it to disk too.
  Status write_pieces(const CallContext& call, std::span<const Object> objects, const char* operation) {
    return database_.use(call, operation, [&](const View& view) -> Status {
      ::rocksdb::WriteBatch batch;
      std::int64_t bytes = 0;
      for (std::size_t i = 0; i < objects.size(); ++i) {
        LAB_TRY(allowed(call, operation));
        LAB_TRY(add(view, batch, objects[i], operation));
        bytes += std::ssize(objects[i].payload);
        const bool last = i + 1 == objects.size();
        if (!last && bytes + std::ssize(objects[i + 1].payload) <= kPieceBytes) continue;
        LAB_TRY(done(view.db.Write(durable(last), &batch), operation));
        batch.Clear();
        bytes = 0;
      }
      return ok();
    });
  }

  Status add(const View& view, ::rocksdb::WriteBatch& batch, const Object& object, const char* operation) {
    LAB_TRY(check_container(object.container, database_.setup().containers, operation));
    const std::string header = row_header(object);
    ::rocksdb::Slice key = slice_of(id_text(object.id));
    ::rocksdb::Slice parts[] = {slice_of(header), slice_of(as_text(object.payload))};
    return done(batch.Put(view.containers[object.container], ::rocksdb::SliceParts(&key, 1),
                          ::rocksdb::SliceParts(parts, 2)),
                operation);
  }

  Status scan(const CallContext& call, const char* operation,
              const std::function<Status(std::uint32_t, const ::rocksdb::Iterator&)>& visit) {
    return database_.use(call, operation, [&](const View& view) -> Status {
      ::rocksdb::ReadOptions options;
      options.fill_cache = false;
      for (std::uint32_t container = 0; container < database_.setup().containers; ++container) {
        const std::unique_ptr<::rocksdb::Iterator> row(
            view.db.NewIterator(options, view.containers[container]));
        for (row->SeekToFirst(); row->Valid(); row->Next()) {
          LAB_TRY(allowed(call, operation));
          LAB_TRY(visit(container, *row));
        }
        LAB_TRY(done(row->status(), operation));
      }
      return ok();
    });
  }

  Database& database_;
  DriverInfo info_;
};

class RocksSession final : public Session {
 public:
  explicit RocksSession(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    LAB_TRY(allowed(call, "rocksdb.open_driver"));
    return std::unique_ptr<Driver>(new RocksDriver(*database_));
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    LAB_TRY(allowed(call, "rocksdb.open_observer"));
    return std::unique_ptr<Observer>(new rocks::RocksObserver(*database_));
  }

 private:
  std::unique_ptr<Database> database_;
};

Result<std::unique_ptr<Session>> open_rocksdb(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "rocksdb.open"));
  const auto variant = resolve_config(rocksdb_system(), config);
  if (!variant) return variant.error();
  auto home = EmbeddedHome::open(config.path, "rocksdb", config.run_id);
  if (!home) return std::move(home).error();
  auto database = Database::open(std::move(*home), rocks::setup_of(*variant, config.containers));
  if (!database) return std::move(database).error();
  return std::unique_ptr<Session>(new RocksSession(std::move(*database)));
}

Status remove_rocksdb(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "rocksdb.remove"));
  return EmbeddedHome::remove(config.path, "rocksdb");
}

}  // namespace

SystemEntry rocksdb_system() {
  return {
      .name = "rocksdb",
      .what = "RocksDB, a log-structured merge tree",
      .variants = {{"default", "compression as the library's own default: " + rocks::default_compression()},
                   {"none", "no compression"},
                   {"lz4", "LZ4 in each block"},
                   {"zstd", "ZSTD in each block"},
                   {"blob_files", "values of 4 KiB and more in blob files, else as default"}},
      .mechanisms = {{"ingestion", "missing",
                      "github.com/facebook/rocksdb/wiki, RocksDB Overview: each put is an entry of its own"},
                     {"compaction", "missing",
                      "github.com/facebook/rocksdb/wiki, Compaction: only versions of one key are merged"},
                     {"compression", "partial",
                      "github.com/facebook/rocksdb/wiki, Compression: equal neighbours inside of one block"},
                     {"storage", "missing",
                      "github.com/facebook/rocksdb/wiki, BlobDB: a value in a blob file belongs to one key"}},
      .library = fmt::format("RocksDB {}.{}.{}", ROCKSDB_MAJOR, ROCKSDB_MINOR, ROCKSDB_PATCH),
      .open = open_rocksdb,
      .remove = remove_rocksdb};
}

}  // namespace lab
