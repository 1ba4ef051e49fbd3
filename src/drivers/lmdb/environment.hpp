// The LMDB environment of a session: opened once a process, grown, compacted and swapped under its users.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lmdb.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "driver/driver.hpp"
#include "driver/embedded_home.hpp"
#include "driver/gate.hpp"

namespace lab::lmdb {

struct Setup {
  std::string variant = "default";
  Bytes map_size = 16_MiB;  // At first.
  bool map_grows = true;    // Doubled when full; else a full map is kResourceExhausted.
  std::uint32_t containers = 1;
};

/// Thread-safe. Transactions go through the gate; whatever replaces the map takes it alone.
class Environment {
 public:
  /// Work inside a transaction: LMDB's code, or 0 and a failure of ours. May run again after the map has
  /// grown.
  using Work = std::function<int(MDB_txn* transaction, Status& failure)>;

  static Result<std::unique_ptr<Environment>> open(EmbeddedHome home, Setup setup);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  Status reset(const CallContext& call);
  Status read(const CallContext& call, const char* operation, const Work& work);
  /// Committed, and so on disk, when it returns ok; else nothing of it happened.
  Status write(const CallContext& call, const char* operation, const Work& work);
  /// All databases are deleted and made anew.
  Status drop(const CallContext& call, const char* operation);
  /// Copies what is live to a new file and puts it in the place of the old one.
  Result<MaintenanceOutcome> compact(const CallContext& call);
  Status sync(const CallContext& call, const char* operation);

  struct Figures {
    Bytes page{};
    std::int64_t pages = 0;       // Of the file, free ones included.
    std::int64_t data_pages = 0;  // Branch, leaf and overflow pages of the containers.
    std::int64_t free_list_entries = 0;
    Bytes map_size{};
    std::uint64_t last_transaction = 0;
    std::uint64_t readers = 0;
    Bytes file{};
  };
  Result<Figures> figures(const CallContext& call, const char* operation);

  const Setup& setup() const noexcept { return setup_; }
  std::filesystem::path data() const { return home_.data(); }
  /// Valid inside of Work.
  MDB_dbi database(std::uint32_t container) const { return databases_[container]; }

 private:
  Environment(EmbeddedHome home, Setup setup) : home_(std::move(home)), setup_(std::move(setup)) {}
  // The following expect the gate to be held alone, or nobody to be there yet.
  Status start();
  void close();
  Status open_databases();
  int run_write(const Work& work, Status& failure);
  Status grow(const char* operation);

  Status copy_to(const CallContext& call, const std::filesystem::path& path);
  Bytes file_size() const;

  EmbeddedHome home_;
  Setup setup_;
  Gate writers_{};  // One writer at a time. Taken before gate_, never inside of it.
  Gate gate_{};
  MDB_env* handle_ = nullptr;
  std::vector<MDB_dbi> databases_{};
};

/// LMDB's code (or errno) as our Error, with its words.
Error error_of(int code, const char* operation);

}  // namespace lab::lmdb
