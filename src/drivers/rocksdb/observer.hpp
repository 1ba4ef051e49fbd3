// What RocksDB says about itself: properties, tickers, sizes of its files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/embedded_observer.hpp"
#include "drivers/rocksdb/database.hpp"

namespace lab::rocks {

class RocksObserver final : public EmbeddedObserver {
 public:
  explicit RocksObserver(Database& database);

  Result<std::map<std::string, std::string>> settings(const CallContext& call) override;
  Result<std::map<std::string, double>> busy(const CallContext& call) override;
  Result<std::vector<Counter>> activity(const CallContext& call) override;

  /// payload = SST and blob files of all versions, log = write-ahead log files. Manifest and options are not
  /// in it.
  Result<Footprint> footprint(const CallContext& call) override;
  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override;

 private:
  Database& database_;
};

}  // namespace lab::rocks
