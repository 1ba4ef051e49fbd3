// Reading SQLite's own figures on a connection of the observer's.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/sqlite/observer.hpp"

#include <fmt/format.h>

namespace lab::sqlite {
namespace {

constexpr int kDefaultPageSize = 4096;  // SQLite's, since 3.12.

Bytes size_of(const std::filesystem::path& file) {
  std::error_code failure;
  const auto size = std::filesystem::file_size(file, failure);
  return failure ? Bytes{0} : Bytes{static_cast<std::int64_t>(size)};  // Not there: it takes nothing.
}

}  // namespace

SqliteObserver::SqliteObserver(Store& store)
    : EmbeddedObserver("SQLite", sqlite3_libversion(), store.home.data()),
      store_(store),
      connection_(store) {}

Result<std::map<std::string, std::string>> SqliteObserver::settings(const CallContext& call) {
  auto use = connection_.use(call, "sqlite.settings");
  if (!use) return std::move(use).error();
  const auto mode = (*use)->text("PRAGMA journal_mode");
  if (!mode) return mode.error();
  const auto page_size = (*use)->number("PRAGMA page_size");
  if (!page_size) return page_size.error();
  std::map<std::string, std::string> differing;
  if (*mode != "delete") differing["journal_mode"] = *mode;
  if (*page_size != kDefaultPageSize) differing["page_size"] = std::to_string(*page_size);
  return differing;
}

Result<std::vector<Counter>> SqliteObserver::activity(const CallContext& call) {
  auto use = connection_.use(call, "sqlite.activity");
  if (!use) return std::move(use).error();
  const auto pages = (*use)->number("PRAGMA page_count");
  if (!pages) return pages.error();
  const auto free_pages = (*use)->number("PRAGMA freelist_count");
  if (!free_pages) return free_pages.error();
  return std::vector<Counter>{
      {"pages", static_cast<double>(*pages), "pages"},
      {"free_pages", static_cast<double>(*free_pages), "pages"},
      {"database_file", static_cast<double>(size_of(store_.file()).count), "bytes"},
      {"log_file", static_cast<double>(size_of(store_.log_file()).count), "bytes"},
      {"memory_used", static_cast<double>(sqlite3_memory_used()), "bytes"},
  };
}

/// A walk reads every page, so it is done again only when another connection has changed the database.
Result<SqliteObserver::Pages> SqliteObserver::pages(const Use& use) {
  Pages walked;
  const Status read = [&]() -> Status {
    LAB_TRY(use.execute("BEGIN"));  // One snapshot for all that follows.
    const auto version = use.number("PRAGMA data_version");
    if (!version) return version.error();
    const std::pair<std::uint64_t, std::int64_t> state{connection_.generation(), *version};
    if (walked_at_ == state) return ok();
    const auto page_size = use.number("PRAGMA page_size");
    if (!page_size) return page_size.error();
    const auto page_count = use.number("PRAGMA page_count");
    if (!page_count) return page_count.error();
    walked.total = Bytes{*page_size * *page_count};
    auto statement = use.prepare("SELECT name, pgsize FROM dbstat");
    if (!statement) return std::move(statement).error();
    while (true) {
      const auto row = statement->step();
      if (!row) return row.error();
      if (!*row) break;
      const Bytes size{statement->number(1)};
      const std::string_view name = statement->text(0);
      if (name.starts_with("files_")) walked.payload += size;
      if (name.starts_with("sqlite_autoindex_files_") || name.starts_with("index_of_files_"))
        walked.index += size;
    }
    walked_ = walked;
    walked_at_ = state;
    return ok();
  }();
  if (sqlite3_get_autocommit(use.handle()) == 0) LAB_TRY(use.execute("COMMIT"));
  if (!read) return read.error();
  return walked_;
}

Result<Footprint> SqliteObserver::footprint(const CallContext& call) {
  auto use = connection_.use(call, "sqlite.footprint");
  if (!use) return std::move(use).error();
  const auto now = pages(**use);
  if (!now) return now.error();
  const Bytes log = size_of(store_.log_file());
  return Footprint{.total = now->total + log,
                   .parts = {{"payload", now->payload},
                             {"index", now->index},
                             {"meta", now->total - now->payload - now->index},
                             {"log", log}}};
}

std::optional<FilePart> SqliteObserver::part_of(const std::filesystem::path& relative) const {
  const std::string name = relative.filename().string();
  if (name.ends_with("-wal") || name.ends_with("-journal")) return FilePart::kLog;
  if (name.ends_with("-shm")) return FilePart::kMeta;
  return std::nullopt;
}

}  // namespace lab::sqlite
