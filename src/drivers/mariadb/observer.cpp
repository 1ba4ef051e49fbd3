// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/observer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/files.hpp"
#include "core/text.hpp"
#include "drivers/mariadb/namespace.hpp"

namespace lab::mariadb {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kUsualPage = 16'384;
constexpr double kPicosecond = 1e-12;

double number_of(const std::optional<std::string_view>& text) {
  return text ? std::strtod(std::string(*text).c_str(), nullptr) : 0;
}

std::int64_t whole_of(const std::optional<std::string_view>& text) {
  return text ? std::strtoll(std::string(*text).c_str(), nullptr, 10) : 0;
}

/// Values that name credentials, or that move by themselves.
constexpr const char* kNoSettings =
    "VARIABLE_NAME NOT LIKE 'GTID\\_%' AND VARIABLE_NAME NOT LIKE 'WSREP\\_SST\\_AUTH' AND VARIABLE_NAME NOT "
    "IN ('WSREP_PROVIDER_OPTIONS', 'TIMESTAMP', 'INSERT_ID', 'LAST_INSERT_ID', 'RAND_SEED1', 'RAND_SEED2', "
    "'PSEUDO_THREAD_ID', 'SERVER_UID')";

struct StatusName {
  const char* name;
  const char* unit;
};
constexpr std::array<StatusName, 14> kActivity{{
    {"Innodb_data_written", "bytes"},
    {"Innodb_data_read", "bytes"},
    {"Innodb_os_log_written", "bytes"},
    {"Innodb_pages_created", "pages"},
    {"Innodb_pages_written", "pages"},
    {"Innodb_buffer_pool_pages_dirty", "pages"},
    {"Innodb_buffer_pool_bytes_data", "bytes"},
    {"Innodb_checkpoint_age", "bytes"},
    {"Innodb_history_list_length", "1"},
    {"Innodb_data_fsyncs", "1"},
    {"Innodb_page_compression_saved", "bytes"},
    {"Handler_write", "rows"},
    {"Bytes_received", "bytes"},
    {"Bytes_sent", "bytes"},
}};

std::string names_of_activity() {
  std::vector<std::string> names;
  for (const StatusName& status : kActivity) names.push_back(fmt::format("'{}'", status.name));
  return join(names, ", ");
}

}  // namespace

Status prove_directory(Use& use, const ServerNamespace& space, const fs::path& directory) {
  const auto found = find_namespace(use, space);
  if (!found) return found.error();
  const auto home = found->find(0);
  if (home == found->end() || home->second.token.empty())
    return Error{ErrorCode::kNotFound, use.operation(), "the namespace has no marker yet"};
  const fs::path file = directory / file_name(space.name) / (std::string(kMarker) + ".frm");
  const auto bytes = read_file(file, Bytes{1LL << 20});
  if (bytes && bytes->find(home->second.token) != std::string::npos) return ok();
  const auto server_says = use.text("SELECT @@datadir");
  if (!server_says) return server_says.error();
  const std::string why = bytes || bytes.error().code == ErrorCode::kNotFound
                              ? "the namespace's marker is not in it"
                              : bytes.error().text();
  return Error{ErrorCode::kRefused, use.operation(),
               fmt::format("directory {} is not the data directory of this server, which is {} there: {}",
                           directory.string(), *server_says, why)};
}

Result<std::unique_ptr<Observer>> MariadbObserver::open(const Server& server, const Setup& setup,
                                                        fs::path directory, const CallContext& call) {
  LAB_TRY(allowed(call, "mariadb.open_observer"));
  auto connection = Connection::open(server, call, "mariadb.open_observer");
  if (!connection) return std::move(connection).error();
  std::unique_ptr<MariadbObserver> made(
      new MariadbObserver(std::move(*connection), setup, std::move(directory)));
  LAB_TRY(made->learn(call));
  return std::unique_ptr<Observer>(std::move(made));
}

Status MariadbObserver::learn(const CallContext& call) {
  auto use = connection_->use(call, "mariadb.open_observer");
  if (!use) return std::move(use).error();
  const auto base = (*use)->text("SELECT IFNULL(@@log_bin_basename, '')");
  if (!base) return base.error();
  names_.binlog = fs::path(*base).filename().string();
  const auto page = (*use)->number("SELECT @@innodb_page_size");
  if (!page) return page.error();
  // An extent is 1 MiB up to the usual page, then 64 pages.
  setup_.growth = Bytes{setup_.growth.count * std::max<std::int64_t>(1, *page / kUsualPage)};
  return ok();
}

Result<ServerIdentity> MariadbObserver::identity(const CallContext& call) {
  auto use = connection_->use(call, "mariadb.identity");
  if (!use) return std::move(use).error();
  ServerIdentity who{.name = "MariaDB"};
  // Uptime and UNIX_TIMESTAMP are both counted from the statement's start: their difference is the server's
  // start and does not move.
  LAB_TRY((*use)->query(
      "SELECT VERSION(), CONCAT(@@hostname, ':', @@port, ' server_id ', @@server_id, ' ', @@datadir), "
      "UNIX_TIMESTAMP() - VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = "
      "'UPTIME'",
      [&](Row row) {
        who.version = std::string(row[0].value_or(""));
        who.identity = std::string(row[1].value_or(""));
        who.started_at = format_utc(whole_of(row[2]) * 1'000);
        return ok();
      }));
  if (who.identity.empty())
    return Error{ErrorCode::kInternal, (*use)->operation(), "the server does not say who it is"};
  return who;
}

Result<std::map<std::string, std::string>> MariadbObserver::settings(const CallContext& call) {
  auto use = connection_->use(call, "mariadb.settings");
  if (!use) return std::move(use).error();
  std::map<std::string, std::string> differing{{"table_options", setup_.table_options}};
  LAB_TRY((*use)->query(
      fmt::format("SELECT LOWER(VARIABLE_NAME), GLOBAL_VALUE FROM information_schema.SYSTEM_VARIABLES WHERE "
                  "GLOBAL_VALUE_ORIGIN IN ('CONFIG', 'COMMAND-LINE', 'SQL', 'ENVIRONMENT') AND NOT "
                  "(GLOBAL_VALUE <=> DEFAULT_VALUE) AND {}",
                  kNoSettings),
      [&](Row row) {
        differing[std::string(row[0].value_or(""))] = to_valid_utf8(row[1].value_or("NULL"));
        return ok();
      }));
  return differing;
}

Result<std::map<std::string, double>> MariadbObserver::busy(const CallContext& call) {
  auto use = connection_->use(call, "mariadb.busy");
  if (!use) return std::move(use).error();
  std::map<std::string, double> work;
  LAB_TRY(
      (*use)->query("SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_history_list_length', "
                    "'Innodb_data_pending_writes', 'Innodb_data_pending_fsyncs')",
                    [&](Row row) {
                      work[std::string(row[0].value_or(""))] = number_of(row[1]);
                      return ok();
                    }));
  if (work.contains("Innodb_history_list_length")) return work;
  return Error{ErrorCode::kUnsupported, (*use)->operation(), "the server does not tell its purge's backlog"};
}

Result<std::vector<Counter>> MariadbObserver::activity(const CallContext& call) {
  auto use = connection_->use(call, "mariadb.activity");
  if (!use) return std::move(use).error();
  std::vector<Counter> counters;
  LAB_TRY((*use)->query(fmt::format("SHOW GLOBAL STATUS WHERE Variable_name IN ({})", names_of_activity()),
                        [&](Row row) {
                          for (const StatusName& status : kActivity)
                            if (row[0] == status.name)
                              counters.push_back({status.name, number_of(row[1]), status.unit});
                          return ok();
                        }));
  return counters;
}

Result<Footprint> MariadbObserver::footprint(const CallContext& call) {
  auto use = connection_->use(call, "mariadb.footprint");
  if (!use) return std::move(use).error();
  std::map<std::string, Bytes> parts{{"payload", Bytes{0}}, {"log", Bytes{0}}, {"meta", Bytes{0}}};
  LAB_TRY((*use)->query("SELECT NAME, ALLOCATED_SIZE FROM information_schema.INNODB_SYS_TABLESPACES",
                        [&](Row row) {
                          const std::string name(row[0].value_or(""));
                          const std::size_t slash = name.find('/');
                          const bool ours = is_our_folder(name.substr(0, slash), setup_.space);
                          const FilePart part = part_of_file(name + ".ibd", setup_.space, names_);
                          const Bytes size{whole_of(row[1])};
                          if (name.starts_with("innodb_undo"))
                            parts["log"] += size;
                          else if (part == FilePart::kPayload)
                            parts["payload"] += size;
                          else if (ours || slash == std::string::npos)
                            parts["meta"] += size;
                          return ok();
                        }));
  const auto redo = (*use)->number("SELECT @@innodb_log_file_size");
  if (!redo) return redo.error();
  parts["log"] += Bytes{*redo};
  const auto binlog = (*use)->number("SELECT @@log_bin");
  if (!binlog) return binlog.error();
  if (*binlog != 0)
    LAB_TRY((*use)->query("SHOW BINARY LOGS", [&](Row row) {
      parts["log"] += Bytes{whole_of(row[1])};
      return ok();
    }));
  Footprint figure{.parts = parts};
  for (const auto& [part, size] : parts) figure.total += size;
  return figure;
}

Result<std::vector<fs::path>> MariadbObserver::directories(const CallContext& call) {
  auto use = connection_->use(call, "mariadb.directories");
  if (!use) return std::move(use).error();
  if (directory_.empty()) return std::vector<fs::path>{};
  if (!proven_) LAB_TRY(prove_directory(**use, setup_.space, directory_));
  proven_ = true;
  return std::vector<fs::path>{directory_};
}

std::optional<FilePart> MariadbObserver::part_of(const fs::path& relative) const {
  return part_of_file(relative.generic_string(), setup_.space, names_);
}

Bytes MariadbObserver::quantum() const { return setup_.growth; }

Result<double> MariadbObserver::copies(const CallContext& call) {
  auto use = connection_->use(call, "mariadb.copies");
  if (!use) return std::move(use).error();
  std::string galera = "OFF";
  LAB_TRY((*use)->query("SHOW GLOBAL VARIABLES LIKE 'wsrep\\_on'", [&](Row row) {
    galera = std::string(row[1].value_or(""));
    return ok();
  }));
  if (galera != "ON") return 1.0;  // This server's files hold each object once.
  return Error{ErrorCode::kUnsupported, (*use)->operation(),
               "a Galera cluster: the sizes of one node are not those of all"};
}

Result<std::map<std::string, double>> MariadbObserver::statement_seconds(const CallContext& call) {
  auto use = connection_->use(call, "mariadb.statement_seconds");
  if (!use) return std::move(use).error();
  std::map<std::string, double> seconds;
  const auto kept = (*use)->number("SELECT @@performance_schema");
  if (!kept) return kept.error();
  if (*kept == 0) return seconds;
  LAB_TRY(
      (*use)->query("SELECT EVENT_NAME, SUM_TIMER_WAIT FROM "
                    "performance_schema.events_statements_summary_global_by_event_name "
                    "WHERE COUNT_STAR > 0",
                    [&](Row row) {
                      const std::string name(row[0].value_or(""));
                      seconds[name.substr(name.rfind('/') + 1)] += number_of(row[1]) * kPicosecond;
                      return ok();
                    }));
  return seconds;
}

}  // namespace lab::mariadb
