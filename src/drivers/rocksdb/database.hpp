// The RocksDB instance of a session: opened once a process, made anew by a reset, flushed and compacted with
// bounds. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/statistics.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "driver/driver.hpp"
#include "driver/embedded_home.hpp"
#include "driver/gate.hpp"

namespace lab::rocks {

/// Options of a variant and what in them differs from RocksDB's defaults.
struct Setup {
  std::string variant = "default";
  ::rocksdb::Options options{};
  std::map<std::string, std::string> differing{};
  std::uint32_t containers = 1;
};
Setup setup_of(const std::string& variant, std::uint32_t containers);

/// "snappy": the compression of RocksDB's own defaults in this build of the library.
std::string default_compression();

/// RocksDB's status as our Error with its words; a call that has ended explains an interrupted one.
Error error_of(const ::rocksdb::Status& status, const char* operation, const CallContext& call = {});

/// Thread-safe. Everybody passes the gate; reset and drop take it alone.
class Database {
 public:
  static Result<std::unique_ptr<Database>> open(EmbeddedHome home, Setup setup);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// What `work` uses: the instance and its containers' column families.
  struct View {
    ::rocksdb::DB& db;
    const std::vector<::rocksdb::ColumnFamilyHandle*>& containers;
  };
  Status use(const CallContext& call, const char* operation, const std::function<Status(const View&)>& work);

  Status reset(const CallContext& call);
  /// Memtables to files; returns when those are written and the write-ahead log before them is gone.
  Status flush(const CallContext& call);
  /// CompactRange over everything, the bottommost level included; obsolete files are gone when it returns.
  Result<MaintenanceOutcome> compact(const CallContext& call);
  /// Drops the column families and makes them anew.
  Status drop(const CallContext& call);

  const Setup& setup() const noexcept { return setup_; }
  std::filesystem::path data() const { return home_.data(); }
  std::uint64_t ticker(::rocksdb::Tickers name) const {
    return setup_.options.statistics->getTickerCount(name);
  }

 private:
  Database(EmbeddedHome home, Setup setup) : home_(std::move(home)), setup_(std::move(setup)) {}
  // The gate is held alone, or nobody is there yet.
  Status start();
  void close();

  Status wait_until_written(const CallContext& call, const View& view, std::uint64_t errors_before);
  Status compact_all(const CallContext& call, const View& view);

  EmbeddedHome home_;
  Setup setup_;
  Gate gate_{};
  Gate maintenance_{};  // One at a time: the end of one would end another.
  std::unique_ptr<::rocksdb::DB> db_{};
  std::vector<::rocksdb::ColumnFamilyHandle*> containers_{};
  std::vector<::rocksdb::ColumnFamilyHandle*> others_{};  // RocksDB's own "default", never written.
};

/// One integer property, summed over all column families, or of the whole database.
double summed(::rocksdb::DB& db, const std::string& property);
double single(::rocksdb::DB& db, const std::string& property);

}  // namespace lab::rocks
