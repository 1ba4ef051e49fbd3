// The journal's writer: creation by rename, and one durable transaction a call.
// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <random>

#include "core/files.hpp"
#include "core/time.hpp"
#include "journal/database.hpp"
#include "journal/format.hpp"
#include "journal/stage_rows.hpp"
#include "model/record_json.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using journal_store::Blob;
using journal_store::Database;
using journal_store::OpenMode;
using journal_store::ResetAtEnd;
using journal_store::Statement;

// "|| CASE" keeps why a record had failed before it was superseded.
constexpr const char* kSupersedeStages =
    "UPDATE stages SET superseded = 1, reason = ?1 || CASE reason WHEN '' THEN '' ELSE '; ' || reason END"
    " WHERE superseded = 0 AND attempt_id IN (SELECT id FROM attempts WHERE state <> 'superseded' AND ";
constexpr const char* kSupersedeAttempts =
    "UPDATE attempts SET state = 'superseded', reason = ?1 WHERE state <> 'superseded' AND ";

struct Statements {
  Statement insert_attempt, find_attempt, finish_attempt, insert_stage, insert_samples, insert_event,
      set_value;
};

/// Marks the attempts that `which` selects (from parameter ?2 on) and their records.
template <class... Values>
Status supersede(Database& database, const std::string& which, const std::string& reason,
                 const Values&... values) {
  auto stages = database.prepare((kSupersedeStages + which + ")").c_str());
  if (!stages) return std::move(stages).error();
  auto attempts = database.prepare((kSupersedeAttempts + which).c_str());
  if (!attempts) return std::move(attempts).error();
  LAB_TRY(stages->run(reason, values...));
  return attempts->run(reason, values...);
}

Result<Statements> prepare_all(Database& database) {
  Statements all;
  const std::pair<Statement*, const char*> texts[] = {
      {&all.insert_attempt,
       "INSERT INTO attempts (block_id, cell_id, number, state, started_ms) VALUES (?1, ?2,"
       " (SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE cell_id = ?2), 'running', ?3)"},
      {&all.find_attempt, "SELECT state, cell_id FROM attempts WHERE id = ?1"},
      {&all.finish_attempt, "UPDATE attempts SET state = 'complete', finished_ms = ?2 WHERE id = ?1"},
      {&all.insert_stage,
       "INSERT INTO stages (attempt_id, chain, stage, valid, superseded, unsupported, reason, record)"
       " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"},
      {&all.insert_samples, "INSERT INTO samples (stage_id, metric, unit, packed) VALUES (?, ?, ?, ?)"},
      {&all.insert_event,
       "INSERT INTO events (timestamp_ms, type, system, payload, grade, stage, detail)"
       " VALUES (?, ?, ?, ?, ?, ?, ?)"},
      {&all.set_value, "INSERT OR REPLACE INTO run_values (key, value) VALUES (?, ?)"},
  };
  for (const auto& [statement, text] : texts) {
    auto prepared = database.prepare(text);
    if (!prepared) return std::move(prepared).error();
    *statement = std::move(*prepared);
  }
  return all;
}

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(Database database, Statements statements, RunInfo info, std::function<bool()> lost)
      : database_(std::move(database)),
        statements_(std::move(statements)),
        info_(std::move(info)),
        lost_(std::move(lost)) {}

  const RunInfo& info() const override { return info_; }
  Result<std::int64_t> begin_attempt(const std::string& block_id, const std::string& cell_id) override;
  Status add_stage(std::int64_t attempt, const StageRecord& record, std::span<const Sample> samples) override;
  Status finish_attempt(std::int64_t attempt) override;
  Status supersede_block(const std::string& block_id, const std::string& reason) override;
  Status add_event(const Event& event) override;
  Status set_value(const std::string& key, const std::string& value) override;
  Status close() override;

 private:
  template <class Body>
  Status transaction(const char* operation, Body&& body);
  /// The attempt's cell. Errors: kNotFound, kRefused unless it is running.
  Result<std::string> cell_of_running(std::int64_t attempt);

  std::mutex mutex_;
  Database database_;
  Statements statements_;
  const RunInfo info_;
  const std::function<bool()> lost_;
  bool closed_ = false;
};

template <class Body>
Status SqliteJournal::transaction(const char* operation, Body&& body) {
  const std::lock_guard lock(mutex_);
  if (closed_) return Error{ErrorCode::kRefused, operation, "the journal is closed"};
  if (lost_ && lost_())
    return Error{ErrorCode::kInUse, operation, "another process took the run directory over"};
  Status done = database_.transaction(std::forward<Body>(body));
  if (done) return done;
  Error error = std::move(done).error();
  error.operation = operation;  // What the caller tried says more than which SQLite call failed.
  return error;
}

Result<std::string> SqliteJournal::cell_of_running(std::int64_t attempt) {
  Statement& find = statements_.find_attempt;
  const ResetAtEnd guard(find);
  LAB_TRY(find.bind(attempt));
  const auto row = find.next();
  if (!row) return row.error();
  if (!*row) return Error{ErrorCode::kNotFound, "", fmt::format("there is no attempt {}", attempt)};
  if (find.bytes(0) != journal_store::kRunning)
    return Error{ErrorCode::kRefused, "", fmt::format("attempt {} is {}", attempt, find.bytes(0))};
  return find.text(1);
}

Result<std::int64_t> SqliteJournal::begin_attempt(const std::string& block_id, const std::string& cell_id) {
  std::int64_t id = 0;
  const Status begun = transaction("journal.begin_attempt", [&]() -> Status {
    // A cell runs once at a time, so an older attempt that still says running was given up.
    LAB_TRY(supersede(database_, "cell_id = ?2 AND state = 'running'", "given up", cell_id));
    LAB_TRY(statements_.insert_attempt.run(block_id, cell_id, wall_time_ms()));
    id = database_.last_row();
    return ok();
  });
  if (!begun) return begun.error();
  return id;
}

Status SqliteJournal::add_stage(std::int64_t attempt, const StageRecord& record,
                                std::span<const Sample> samples) {
  const std::string text = journal_store::sealed(to_json_text(record));
  const journal_store::PackedSamples packed = journal_store::pack(samples);
  const auto flag = [](bool set) { return std::int64_t{set ? 1 : 0}; };
  return transaction("journal.add_stage", [&]() -> Status {
    const auto cell = cell_of_running(attempt);
    if (!cell) return cell.error();
    if (*cell != record.cell_id)
      return Error{ErrorCode::kInvalidArgument, "",
                   fmt::format("a record of cell '{}' in an attempt at '{}'", record.cell_id, *cell)};
    LAB_TRY(statements_.insert_stage.run(attempt, record.chain, record.stage, flag(record.valid),
                                         flag(record.superseded), flag(record.unsupported), record.reason,
                                         text));
    const std::int64_t stage = database_.last_row();
    for (const auto& [name, bytes] : packed)
      LAB_TRY(statements_.insert_samples.run(stage, name.first, name.second, Blob{bytes}));
    return ok();
  });
}

Status SqliteJournal::finish_attempt(std::int64_t attempt) {
  return transaction("journal.finish_attempt", [&]() -> Status {
    const auto cell = cell_of_running(attempt);
    if (!cell) return cell.error();
    // One record for each cell, chain and stage counts: what this attempt replaces no longer does.
    LAB_TRY(supersede(database_, "cell_id = ?2 AND id <> ?3", "run again", *cell, attempt));
    return statements_.finish_attempt.run(attempt, wall_time_ms());
  });
}

Status SqliteJournal::supersede_block(const std::string& block_id, const std::string& reason) {
  return transaction("journal.supersede_block",
                     [&] { return supersede(database_, "block_id = ?2", reason, block_id); });
}

Status SqliteJournal::add_event(const Event& event) {
  return transaction("journal.add_event", [&] {
    return statements_.insert_event.run(event.timestamp_ms, event.type, event.system, event.payload,
                                        event.grade, event.stage, event.detail);
  });
}

Status SqliteJournal::set_value(const std::string& key, const std::string& value) {
  return transaction("journal.set_value", [&] { return statements_.set_value.run(key, value); });
}

Status SqliteJournal::close() {
  const std::lock_guard lock(mutex_);
  if (closed_) return ok();
  LAB_TRY(database_.truncate_wal());
  closed_ = true;
  statements_ = {};
  // Removes -wal and -shm. A reader that is still there keeps them, but all is in journal.db already.
  if (const auto mode = database_.text("PRAGMA journal_mode=DELETE");
      !mode && mode.error().code != ErrorCode::kInUse)
    return mode.error();
  return database_.close();
}

/// WAL where shared memory works, else a rollback journal that is truncated after each transaction.
Status choose_journal_mode(Database& database, bool network) {
  if (!network) {
    const auto mode = database.text("PRAGMA journal_mode=WAL");
    if (!mode) return mode.error();
    if (*mode == "wal") return database.execute("PRAGMA synchronous=FULL;");
  }
  const auto mode = database.text("PRAGMA journal_mode=TRUNCATE");
  if (!mode) return mode.error();
  if (*mode != "truncate")
    return Error{ErrorCode::kIo, "journal.open", "SQLite stays in journal mode '" + *mode + "'"};
  LAB_TRY(database.execute("PRAGMA locking_mode=NORMAL; PRAGMA synchronous=FULL;"));
  // The exclusive lock goes with the next read.
  LAB_TRY(database.integer("SELECT count(*) FROM meta"));
  return ok();
}

Result<std::unique_ptr<Journal>> open_writer(const fs::path& file, const JournalOptions& options) {
  const bool network =
      options.network_file_system ? *options.network_file_system : on_network_file_system(file);
  auto database = Database::open(file, OpenMode::kReadWrite);
  if (!database) return std::move(database).error();
  // A WAL that was copied here from a local disk is read without shared memory only under an exclusive lock.
  if (network) LAB_TRY(database->execute("PRAGMA locking_mode=EXCLUSIVE;"));
  LAB_TRY(journal_store::check_format(*database, file));
  LAB_TRY(choose_journal_mode(*database, network));
  LAB_TRY(journal_store::check_pages(*database));
  auto info = journal_store::load_run_info(*database);
  if (!info) return std::move(info).error();
  LAB_TRY(journal_store::each_stage(*database, [](const StoredStage&) { return ok(); }));
  LAB_TRY(database->transaction([&] { return supersede(*database, "state = 'running'", "interrupted"); }));
  auto statements = prepare_all(*database);
  if (!statements) return std::move(statements).error();
  return std::unique_ptr<Journal>(std::make_unique<SqliteJournal>(
      std::move(*database), std::move(*statements), std::move(*info), options.lost));
}

bool is_there(const fs::path& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0;
}

Error taken(const fs::path& file) {
  return {ErrorCode::kInUse, "journal.create", file.string() + ": there is a journal already"};
}

/// Errors: kInUse for a journal, kRefused for the logs of one that is gone: SQLite would play them into ours.
Status check_free(const fs::path& file) {
  if (is_there(file)) return taken(file);
  for (const char* suffix : {"-wal", "-shm", "-journal"})
    if (is_there(file.string() + suffix))
      return Error{ErrorCode::kRefused, "journal.create",
                   file.string() + suffix + ": left by a journal that is gone; move it away"};
  return ok();
}

constexpr const char* kNewPrefix = ".journal.db.";
constexpr const char* kNewSuffix = ".new";

fs::path new_file_name(const fs::path& directory) {
  std::random_device random;
  return directory / fmt::format("{}{}-{:08x}{}", kNewPrefix, ::getpid(), random(), kNewSuffix);
}

/// Half-made files of creators that were killed. One that is still at work fails at its rename.
void remove_half_made(const fs::path& directory) {
  std::error_code failure;
  for (fs::directory_iterator entry(directory, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(kNewPrefix) && name.ends_with(kNewSuffix)) ::unlink(entry->path().c_str());
  }
}

Status fill_new_file(const fs::path& file, const RunInfo& info) {
  auto database = Database::open(file, OpenMode::kCreate);
  if (!database) return std::move(database).error();
  // Nobody sees this file before it is complete, so it needs no log of its own: one fsync at the end.
  // For its owner alone, and so are the logs that SQLite will make beside it with the same mode.
  if (::chmod(file.c_str(), 0600) != 0) return errno_error("journal.create", file.string(), errno);
  LAB_TRY(database->execute("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;"));
  LAB_TRY(journal_store::write_schema(*database, info));
  LAB_TRY(database->close());
  return sync_file(file);
}

/// Errors: kInUse when `file` is there by now.
Status place(const fs::path& complete, const fs::path& file) {
  if (::renameat2(AT_FDCWD, complete.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) == 0) return ok();
  if (errno == EEXIST) return taken(file);
  if (errno != EINVAL && errno != ENOSYS) return errno_error("journal.create", file.string(), errno);
  // NFS and some others cannot refuse to replace; there the lease alone keeps a second creator away.
  LAB_TRY(check_free(file));
  if (::rename(complete.c_str(), file.c_str()) != 0)
    return errno_error("journal.create", file.string(), errno);
  return ok();
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::create(const fs::path& directory, const RunInfo& info,
                                                 const JournalOptions& options) {
  const fs::path file = directory / journal_store::kFileName;
  LAB_TRY(check_free(file));
  remove_half_made(directory);
  const fs::path complete = new_file_name(directory);
  Status made = fill_new_file(complete, info);
  if (made) made = place(complete, file);
  if (!made) {
    ::unlink(complete.c_str());
    return std::move(made).error();
  }
  LAB_TRY(sync_directory(directory));
  return open_writer(file, options);
}

Result<std::unique_ptr<Journal>> Journal::open(const fs::path& directory, const JournalOptions& options) {
  const fs::path file = directory / journal_store::kFileName;
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return errno_error("journal.open", file.string(), errno);
  LAB_TRY(journal_store::check_kind(info.st_mode, file));
  return open_writer(file, options);
}

}  // namespace lab
