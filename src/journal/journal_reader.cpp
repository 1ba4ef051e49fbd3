// The journal's reader: read-only, beside a writer, after a killed one, or on a copy.
// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "journal/database.hpp"
#include "journal/format.hpp"
#include "journal/journal.hpp"
#include "journal/stage_rows.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using journal_store::Database;
using journal_store::each_row;
using journal_store::OpenMode;
using journal_store::ResetAtEnd;
using journal_store::Statement;

class SqliteReader final : public JournalReader {
 public:
  SqliteReader(Database database, RunInfo info) : database_(std::move(database)), info_(std::move(info)) {}

  const RunInfo& info() const override { return info_; }
  Status each_stage(const std::function<Status(const StoredStage&)>& sink) override {
    return journal_store::each_stage(database_, sink);
  }
  Result<std::vector<Sample>> samples(std::int64_t stage_id) override;
  Status each_event(const std::function<Status(const Event&)>& sink) override;
  Result<std::optional<std::string>> value(const std::string& key) override;
  Result<std::map<std::string, bool>> finished_cells() override;

 private:
  Database database_;
  RunInfo info_;
  std::optional<Statement> select_samples_{};  // Kept: a report asks for each of thousands of stages.
};

Result<std::vector<Sample>> SqliteReader::samples(std::int64_t stage_id) {
  if (!select_samples_) {
    auto prepared = database_.prepare(
        "SELECT metric, unit, packed FROM samples WHERE stage_id = ? ORDER BY metric, unit");
    if (!prepared) return std::move(prepared).error();
    select_samples_ = std::move(*prepared);
  }
  const ResetAtEnd guard(*select_samples_);
  LAB_TRY(select_samples_->bind(stage_id));
  std::vector<Sample> all;
  while (true) {
    const auto row = select_samples_->next();
    if (!row) return row.error();
    if (!*row) break;
    LAB_TRY(journal_store::unpack(select_samples_->text(0), select_samples_->text(1),
                                  select_samples_->bytes(2), all));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Sample& a, const Sample& b) { return a.timestamp_ms < b.timestamp_ms; });
  return all;
}

Status SqliteReader::each_event(const std::function<Status(const Event&)>& sink) {
  return each_row(database_,
                  "SELECT timestamp_ms, type, system, payload, grade, stage, detail FROM events ORDER BY id",
                  [&](const Statement& row) {
                    return sink({.timestamp_ms = row.integer(0),
                                 .type = row.text(1),
                                 .system = row.text(2),
                                 .payload = row.text(3),
                                 .grade = row.text(4),
                                 .stage = row.text(5),
                                 .detail = row.text(6)});
                  });
}

Result<std::optional<std::string>> SqliteReader::value(const std::string& key) {
  auto select = database_.prepare("SELECT value FROM run_values WHERE key = ?");
  if (!select) return std::move(select).error();
  LAB_TRY(select->bind(key));
  const auto row = select->next();
  if (!row) return row.error();
  if (!*row) return std::optional<std::string>{};
  return std::optional(select->text(0));
}

Result<std::map<std::string, bool>> SqliteReader::finished_cells() {
  std::map<std::string, bool> cells;
  LAB_TRY(each_row(database_,
                   "SELECT cell_id, coalesce(min(valid OR unsupported), 0) FROM attempts"
                   " LEFT JOIN stages ON attempt_id = attempts.id WHERE state = 'complete' GROUP BY cell_id",
                   [&](const Statement& row) {
                     cells[row.text(0)] = row.integer(1) != 0;
                     return ok();
                   }));
  return cells;
}

bool holds_bytes(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && info.st_size > 0;
}

/// Opens and reads once: only then SQLite touches the file, its locks and its logs.
Result<Database> open_touched(const fs::path& file, OpenMode mode) {
  auto database = Database::open(file, mode);
  if (!database) return database;
  if (auto touched = database->integer("SELECT count(*) FROM sqlite_master"); !touched)
    return std::move(touched).error();
  return database;
}

/// Read-only first. What that cannot read is a killed writer's rollback journal, which a short read-write
/// visit plays back, or a copy where nothing can be written, which is read as what it is: immutable.
Result<Database> open_database(const fs::path& file) {
  auto database = open_touched(file, OpenMode::kReadOnly);
  if (database) return database;
  const ErrorCode code = database.error().code;
  if (code == ErrorCode::kCorruption || code == ErrorCode::kInUse) return database;
  if (holds_bytes(file.string() + "-journal")) {
    if (auto visit = open_touched(file, OpenMode::kReadWrite); !visit) return visit;
    return open_touched(file, OpenMode::kReadOnly);
  }
  if (!holds_bytes(file.string() + "-wal")) return open_touched(file, OpenMode::kImmutable);
  Error error = std::move(database).error();
  error.detail += "; its writer left a WAL, which can only be read in a directory that may be written";
  return error;
}

}  // namespace

Result<std::unique_ptr<JournalReader>> JournalReader::open(const fs::path& directory) {
  const fs::path file = directory / journal_store::kFileName;
  struct stat present{};
  if (::stat(file.c_str(), &present) != 0) return errno_error("journal.open", file.string(), errno);
  LAB_TRY(journal_store::check_kind(present.st_mode, file));
  auto database = open_database(file);
  if (!database) return std::move(database).error();
  LAB_TRY(journal_store::check_format(*database, file));
  LAB_TRY(journal_store::check_pages(*database));
  auto info = journal_store::load_run_info(*database);
  if (!info) return std::move(info).error();
  return std::unique_ptr<JournalReader>(
      std::make_unique<SqliteReader>(std::move(*database), std::move(*info)));
}

}  // namespace lab
