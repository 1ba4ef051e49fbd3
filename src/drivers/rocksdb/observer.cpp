// Reading RocksDB's properties and tickers.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/rocksdb/observer.hpp"

#include <fmt/format.h>
#include <rocksdb/transaction_log.h>
#include <rocksdb/version.h>

namespace lab::rocks {

using ::rocksdb::DB;

RocksObserver::RocksObserver(Database& database)
    : EmbeddedObserver("RocksDB", fmt::format("{}.{}.{}", ROCKSDB_MAJOR, ROCKSDB_MINOR, ROCKSDB_PATCH),
                       database.data()),
      database_(database) {}

Result<std::map<std::string, std::string>> RocksObserver::settings(const CallContext& call) {
  LAB_TRY(allowed(call, "rocksdb.settings"));
  return database_.setup().differing;
}

Result<std::map<std::string, double>> RocksObserver::busy(const CallContext& call) {
  std::map<std::string, double> work;
  LAB_TRY(database_.use(call, "rocksdb.busy", [&](const Database::View& view) {
    work["running_compactions"] = single(view.db, DB::Properties::kNumRunningCompactions);
    work["running_flushes"] = single(view.db, DB::Properties::kNumRunningFlushes);
    work["compactions_pending"] = summed(view.db, DB::Properties::kCompactionPending);
    work["flushes_pending"] = summed(view.db, DB::Properties::kMemTableFlushPending);
    return ok();
  }));
  return work;
}

Result<std::vector<Counter>> RocksObserver::activity(const CallContext& call) {
  std::vector<Counter> counters;
  LAB_TRY(database_.use(call, "rocksdb.activity", [&](const Database::View& view) {
    counters.push_back({"memtables", summed(view.db, DB::Properties::kCurSizeAllMemTables), "bytes"});
    counters.push_back(
        {"pending_compaction", summed(view.db, DB::Properties::kEstimatePendingCompactionBytes), "bytes"});
    counters.push_back({"background_errors", single(view.db, DB::Properties::kBackgroundErrors), "failures"});
    return ok();
  }));
  const auto add = [&](const char* name, ::rocksdb::Tickers ticker, const char* unit) {
    counters.push_back({name, static_cast<double>(database_.ticker(ticker)), unit});
  };
  add("log_written", ::rocksdb::WAL_FILE_BYTES, "bytes");
  add("flushed", ::rocksdb::FLUSH_WRITE_BYTES, "bytes");
  add("compaction_read", ::rocksdb::COMPACT_READ_BYTES, "bytes");
  add("compaction_written", ::rocksdb::COMPACT_WRITE_BYTES, "bytes");
  add("stalled", ::rocksdb::STALL_MICROS, "us");
  return counters;
}

Result<Footprint> RocksObserver::footprint(const CallContext& call) {
  Footprint footprint;
  LAB_TRY(database_.use(call, "rocksdb.footprint", [&](const Database::View& view) -> Status {
    const double files = summed(view.db, DB::Properties::kTotalSstFilesSize) +
                         summed(view.db, DB::Properties::kTotalBlobFileSize);
    ::rocksdb::VectorLogPtr logs;
    const auto listed = view.db.GetSortedWalFiles(logs);
    if (!listed.ok()) return error_of(listed, "rocksdb.footprint", call);
    Bytes log;
    for (const auto& file : logs) log += Bytes{static_cast<std::int64_t>(file->SizeFileBytes())};
    const Bytes payload{static_cast<std::int64_t>(files)};
    footprint = {.total = payload + log, .parts = {{"payload", payload}, {"log", log}}};
    return ok();
  }));
  return footprint;
}

std::optional<FilePart> RocksObserver::part_of(const std::filesystem::path& relative) const {
  const auto extension = relative.extension();
  if (extension == ".sst" || extension == ".blob") return FilePart::kPayload;
  if (extension == ".log") return FilePart::kLog;
  return FilePart::kMeta;  // MANIFEST, CURRENT, OPTIONS, IDENTITY, LOCK.
}

}  // namespace lab::rocks
