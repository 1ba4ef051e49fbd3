// The journal: one SQLite file that holds all a run has learned, durable record by record.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "model/record.hpp"

namespace lab {

inline constexpr int kJournalFormat = 1;

struct RunInfo {
  std::string run_id{};
  int format = kJournalFormat;
  std::uint64_t seed = 0;
  std::int64_t started_ms = 0;
  std::string plan_toml{};  // The effective plan.
  std::string plan_hash{};  // SHA-256 of it.
  std::string tool{};       // "deduplab 0.1.0"
};

struct JournalOptions {
  /// Network file systems get a rollback journal and no shared memory; nothing = ask statfs.
  std::optional<bool> network_file_system{};
  /// Asked before each write; true refuses it with kInUse. For Lease::lost: a process that slept while
  /// another one took the run directory over must not go on writing.
  std::function<bool()> lost{};
};

/// Statfs says NFS, SMB, Ceph, Lustre, 9p, GPFS, AFS or a FUSE file system.
bool on_network_file_system(const std::filesystem::path& path);

/// The single writer. Every call is one transaction, on disk (synchronous=FULL) when it returns; a failed
/// call changes nothing and the file stays readable. Errors: kResourceExhausted (no space), kIo, kCorruption,
/// kInUse when a lock did not come in 10 s. Thread-safe. While it is open nothing else in this process may
/// open and close journal.db: POSIX would drop SQLite's locks with that descriptor.
class Journal {
 public:
  /// DIR/journal.db appears by rename, complete with schema and run row. Call it under the lease. Errors:
  /// kInUse when there is one, kRefused when the -wal or -journal of one that is gone is still there.
  static Result<std::unique_ptr<Journal>> create(const std::filesystem::path& directory, const RunInfo& info,
                                                 const JournalOptions& options = {});

  /// Opens an existing one and checks its pages. Records of attempts that never finished become superseded
  /// with reason "interrupted". Call it under the lease. Errors: kNotFound, kCorruption, kRefused for another
  /// format.
  static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& directory,
                                               const JournalOptions& options = {});

  virtual ~Journal() = default;
  virtual const RunInfo& info() const = 0;

  /// Starts an attempt at a cell. Its records count once finish_attempt has returned; then an earlier attempt
  /// at the cell becomes superseded ("run again"), so that one record a cell, chain and stage counts. An
  /// attempt at the cell that is still running becomes superseded at once ("given up").
  virtual Result<std::int64_t> begin_attempt(const std::string& block_id, const std::string& cell_id) = 0;
  /// Errors: kNotFound and kRefused for an attempt that is unknown or not running, kRefused for a second
  /// record of one chain and stage, kInvalidArgument for a record of another cell.
  virtual Status add_stage(std::int64_t attempt, const StageRecord& record,
                           std::span<const Sample> samples) = 0;
  virtual Status finish_attempt(std::int64_t attempt) = 0;

  /// Keeps and marks every record of the block that is not superseded yet, finished or not. A record that had
  /// a reason already keeps it after the new one: "reason; its own".
  virtual Status supersede_block(const std::string& block_id, const std::string& reason) = 0;

  virtual Status add_event(const Event& event) = 0;
  virtual Status set_value(const std::string& key, const std::string& value) = 0;

  /// Truncates the WAL, so that journal.db alone is the run, and closes. The object is dead afterwards.
  /// Errors: kInUse while a reader is in the midst of reading; then it is still open.
  virtual Status close() = 0;
};

/// A finished record with what the journal knows about it.
struct StoredStage {
  std::int64_t id = 0;       // Of the record, for samples.
  std::int64_t attempt = 0;  // Number of the attempt at this cell, from 1.
  std::string block_id{};
  StageRecord record{};  // superseded and reason as the journal has them now.
};

/// Reads, also beside a live writer or on a read-only copy, and never writes; but what a killed writer left
/// in a rollback journal is played back first. Not thread-safe.
class JournalReader {
 public:
  /// Errors: kNotFound, kCorruption, kRefused for another format, kIo for a WAL in a directory that may not
  /// be written.
  static Result<std::unique_ptr<JournalReader>> open(const std::filesystem::path& directory);

  virtual ~JournalReader() = default;
  virtual const RunInfo& info() const = 0;

  /// In the order of writing. Records of attempts that have not finished come as superseded, reason
  /// "not finished".
  virtual Status each_stage(const std::function<Status(const StoredStage&)>& sink) = 0;
  /// By time, then by metric.
  virtual Result<std::vector<Sample>> samples(std::int64_t stage_id) = 0;
  virtual Status each_event(const std::function<Status(const Event&)>& sink) = 0;
  virtual Result<std::optional<std::string>> value(const std::string& key) = 0;

  /// cell_id -> (every record of its finished, not superseded attempt is valid or unsupported, and it has
  /// one).
  virtual Result<std::map<std::string, bool>> finished_cells() = 0;
};

}  // namespace lab
