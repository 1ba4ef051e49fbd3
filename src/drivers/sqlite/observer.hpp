// What SQLite says about its own database: pages by table, settings, counters.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/embedded_observer.hpp"
#include "drivers/sqlite/connection.hpp"

namespace lab::sqlite {

class SqliteObserver final : public EmbeddedObserver {
 public:
  explicit SqliteObserver(Store& store);

  Result<std::map<std::string, std::string>> settings(const CallContext& call) override;
  Result<std::vector<Counter>> activity(const CallContext& call) override;

  /// Pages by the dbstat table: payload = the tables' trees with their overflow pages, index = the indexes'
  /// trees, meta = schema and free pages, log = the write-ahead log or the rollback journal.
  Result<Footprint> footprint(const CallContext& call) override;

  /// The database file holds several parts: nothing.
  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override;
  Bytes quantum() const override { return Bytes{store_.setup.page_size}; }

 private:
  struct Pages {
    Bytes payload{};
    Bytes index{};
    Bytes total{};
  };
  Result<Pages> pages(const Use& use);

  Store& store_;
  Connection connection_;
  // The last walk over all pages, and the state of the database that it saw.
  Pages walked_{};
  std::optional<std::pair<std::uint64_t, std::int64_t>> walked_at_{};
};

}  // namespace lab::sqlite
