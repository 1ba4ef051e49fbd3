// Life of the RocksDB instance: opening, flush, compaction, dropping.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/rocksdb/database.hpp"

#include <fmt/format.h>
#include <rocksdb/convenience.h>

#include <atomic>
#include <set>

namespace lab::rocks {
namespace {

using ::rocksdb::ColumnFamilyDescriptor;
using ::rocksdb::ColumnFamilyHandle;
using ::rocksdb::DB;

constexpr auto kPoll = std::chrono::milliseconds(1);

std::string container_name(std::uint32_t container) { return fmt::format("c{}", container); }

/// Removes obsolete files now, in this thread. A pair, not a forced enabling: whoever lists the log files has
/// deletions disabled meanwhile, and then removes them itself.
Status purge(DB& db, const char* operation) {
  auto status = db.DisableFileDeletions();
  if (status.ok()) status = db.EnableFileDeletions(false);
  if (!status.ok()) return error_of(status, operation);
  return ok();
}

std::set<std::string> live_files(DB& db) {
  std::vector<::rocksdb::LiveFileMetaData> files;
  db.GetLiveFilesMetaData(&files);
  std::set<std::string> names;
  for (const auto& file : files) names.insert(file.name);
  return names;
}

}  // namespace

double single(DB& db, const std::string& property) {
  std::uint64_t value = 0;
  return db.GetIntProperty(property, &value) ? static_cast<double>(value) : 0;
}

double summed(DB& db, const std::string& property) {
  std::uint64_t value = 0;
  return db.GetAggregatedIntProperty(property, &value) ? static_cast<double>(value) : 0;
}

Result<std::unique_ptr<Database>> Database::open(EmbeddedHome home, Setup setup) {
  std::unique_ptr<Database> database(new Database(std::move(home), std::move(setup)));
  LAB_TRY(database->start());
  return database;
}

Database::~Database() { close(); }

void Database::close() {
  if (!db_) return;
  ::rocksdb::CancelAllBackgroundWork(db_.get(), true);
  for (const auto* handles : {&containers_, &others_})
    for (ColumnFamilyHandle* handle : *handles) db_->DestroyColumnFamilyHandle(handle);
  containers_.clear();
  others_.clear();
  db_.reset();
}

Status Database::start() {
  // RocksDB wants every column family that exists to be named; an earlier cell may have had more containers.
  std::set<std::string> names{::rocksdb::kDefaultColumnFamilyName};
  std::vector<std::string> existing;
  std::error_code failure;
  if (std::filesystem::exists(data() / "CURRENT", failure)) {
    const auto listed = DB::ListColumnFamilies(setup_.options, data().string(), &existing);
    if (!listed.ok()) return error_of(listed, "rocksdb.open");
  }
  names.insert(existing.begin(), existing.end());
  for (std::uint32_t container = 0; container < setup_.containers; ++container)
    names.insert(container_name(container));
  std::vector<ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, setup_.options);
  DB* opened = nullptr;
  std::vector<ColumnFamilyHandle*> handles;
  const auto status = DB::Open(setup_.options, data().string(), families, &handles, &opened);
  if (!status.ok()) return error_of(status, "rocksdb.open");
  db_.reset(opened);
  containers_.assign(setup_.containers, nullptr);
  for (ColumnFamilyHandle* handle : handles) {
    const auto mine = [&](std::uint32_t container) { return handle->GetName() == container_name(container); };
    std::uint32_t container = 0;
    while (container < setup_.containers && !mine(container)) ++container;
    if (container < setup_.containers)
      containers_[container] = handle;
    else
      others_.push_back(handle);
  }
  return sync_directory(data());
}

Status Database::use(const CallContext& call, const char* operation,
                     const std::function<Status(const View&)>& work) {
  const auto pass = gate_.enter_shared(call, operation);
  if (!pass) return pass.error();
  if (!db_) return Error{ErrorCode::kIo, operation, "the database is not open"};
  return work({*db_, containers_});
}

Status Database::reset(const CallContext& call) {
  const auto alone = gate_.enter_alone(call, "rocksdb.reset");
  if (!alone) return alone.error();
  close();
  Status emptied = home_.empty_data(call);
  if (emptied) return start();
  // Refused or stopped: what is left is opened again, so that the connections stay usable where they can.
  ignore(start(), "the first failure is the one to tell");
  return emptied;
}

/// Polls, since a waiting Flush knows no stop. A failed background job ends it with RocksDB's words.
Status Database::wait_until_written(const CallContext& call, const View& view, std::uint64_t errors_before) {
  const char* operation = "rocksdb.flush";
  while (summed(view.db, DB::Properties::kNumImmutableMemTable) > 0 ||
         single(view.db, DB::Properties::kNumRunningFlushes) > 0) {
    LAB_TRY(allowed(call, operation));
    if (single(view.db, DB::Properties::kBackgroundErrors) > static_cast<double>(errors_before)) {
      const auto failed = view.db.Flush(::rocksdb::FlushOptions(), view.containers);
      if (!failed.ok()) return error_of(failed, operation, call);
    }
    sleep_until(call.stop, Clock::now() + kPoll);
  }
  return purge(view.db, operation);  // The flush has made log files needless.
}

Status Database::flush(const CallContext& call) {
  return use(call, "rocksdb.flush", [&](const View& view) -> Status {
    const auto errors = static_cast<std::uint64_t>(single(view.db, DB::Properties::kBackgroundErrors));
    ::rocksdb::FlushOptions options;
    options.wait = false;
    options.allow_write_stall = true;  // Else it would wait, without end, for a stall to pass.
    for (ColumnFamilyHandle* container : view.containers) {
      LAB_TRY(allowed(call, "rocksdb.flush"));
      const auto flushed = view.db.Flush(options, container);
      if (!flushed.ok()) return error_of(flushed, "rocksdb.flush", call);
    }
    return wait_until_written(call, view, errors);
  });
}

Status Database::compact_all(const CallContext& call, const View& view) {
  const char* operation = "rocksdb.maintain";
  ::rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = ::rocksdb::BottommostLevelCompaction::kForce;
  options.allow_write_stall = true;
  options.blob_garbage_collection_policy = ::rocksdb::BlobGarbageCollectionPolicy::kForce;
  options.blob_garbage_collection_age_cutoff = 1.0;  // All blob files, not the oldest quarter.
  std::atomic<bool> disabled{false};
  Status compacted = ok();
  for (ColumnFamilyHandle* container : view.containers) {
    compacted = allowed(call, operation);
    if (!compacted) break;
    // Disabling wakes it even where it waits for an automatic compaction; options.canceled does not.
    const CallWatch watch(call, [&] {
      disabled = true;
      view.db.DisableManualCompaction();
    });
    const auto status = view.db.CompactRange(options, container, nullptr, nullptr);
    if (!status.ok()) compacted = error_of(status, operation, call);
    if (!compacted) break;
  }
  if (disabled) view.db.EnableManualCompaction();
  LAB_TRY(compacted);
  // A job's last act is the removal of its input files.
  while (single(view.db, DB::Properties::kNumRunningCompactions) > 0) {
    LAB_TRY(allowed(call, operation));
    sleep_until(call.stop, Clock::now() + kPoll);
  }
  return purge(view.db, operation);
}

Result<MaintenanceOutcome> Database::compact(const CallContext& call) {
  const auto turn = maintenance_.enter_alone(call, "rocksdb.maintain");
  if (!turn) return turn.error();
  MaintenanceOutcome outcome;
  const Status used = use(call, "rocksdb.maintain", [&](const View& view) -> Status {
    const auto files_before = live_files(view.db);
    const auto moved = [this] {
      return ticker(::rocksdb::COMPACT_READ_BYTES) + ticker(::rocksdb::COMPACT_WRITE_BYTES);
    };
    const std::uint64_t moved_before = moved();
    LAB_TRY(compact_all(call, view));
    const auto files = live_files(view.db);
    outcome = {
        fmt::format(
            "CompactRange(bottommost_level_compaction=force): {} -> {} files, {} bytes read and written",
            files_before.size(), files.size(), moved() - moved_before),
        moved() != moved_before || files != files_before};
    return ok();
  });
  if (!used) return used.error();
  return outcome;
}

Status Database::drop(const CallContext& call) {
  const char* operation = "rocksdb.delete_drop";
  const auto alone = gate_.enter_alone(call, operation);
  if (!alone) return alone.error();
  if (!db_) return Error{ErrorCode::kIo, operation, "the database is not open"};
  for (std::uint32_t container = 0; container < setup_.containers; ++container) {
    LAB_TRY(allowed(call, operation));
    auto status = db_->DropColumnFamily(containers_[container]);
    if (!status.ok()) return error_of(status, operation, call);
    ColumnFamilyHandle* made = nullptr;
    status = db_->CreateColumnFamily(setup_.options, container_name(container), &made);
    if (!status.ok()) return error_of(status, operation, call);
    db_->DestroyColumnFamilyHandle(std::exchange(containers_[container], made));
  }
  return purge(*db_, operation);
}

}  // namespace lab::rocks
