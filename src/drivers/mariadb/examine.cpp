// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/examine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/text.hpp"
#include "driver/server_url.hpp"
#include "drivers/mariadb/bulk.hpp"
#include "drivers/mariadb/namespace.hpp"
#include "drivers/mariadb/observer.hpp"

namespace lab::mariadb {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kOldestMajor = 10;
constexpr std::int64_t kOldestMinor = 6;  // The oldest with long support; system tables changed before it.
constexpr std::int64_t kUuidMinor = 7;    // Since when there is a type UUID.
constexpr std::int64_t kUsualPage = 16'384;

Result<std::string> variable(Use& use, const char* name) {
  std::string value;
  LAB_TRY(use.query(fmt::format("SHOW GLOBAL VARIABLES WHERE Variable_name = '{}'", name), [&](Row row) {
    value = std::string(row[1].value_or(""));
    return ok();
  }));
  return value;  // Empty: the server does not know it.
}

/// What the user may do everywhere, and in the namespace, by its grants and those of its role.
Result<std::set<std::string>> rights(Use& use, const ServerNamespace& space) {
  constexpr const char* kMe =
      "(CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', "
      "-1), "
      "''''), CONCAT('''', IFNULL(CURRENT_ROLE(), ''), '''@'''''))";
  std::set<std::string> held;
  LAB_TRY(use.query(
      fmt::format(
          "SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE IN {0} UNION SELECT "
          "PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE IN {0} AND {1} LIKE "
          "TABLE_SCHEMA",
          kMe, text_literal(space.name)),
      [&](Row row) {
        held.insert(std::string(row[0].value_or("")));
        return ok();
      }));
  return held;
}

class Examination {
 public:
  Examination(Use& use, const Server& server, const Setup& setup, const SystemConfig& config)
      : use_(use), server_(server), setup_(setup), directory_(config.directory), run_id_(config.run_id) {}

  std::vector<Finding> run() {
    connection();
    note("version", check_fit(use_, setup_), "fit for variant " + setup_.variant);
    const auto binlog = variable(use_, "log_bin");
    if (!binlog) note("settings", binlog.error(), "");
    binlog_ = binlog && *binlog == "ON";
    note("rights", missing_rights(), "all that a run needs");
    note("namespace", whose(), "");
    note("settings", settings(), "");
    if (!directory_.empty()) note("files", files(), "");
    return std::move(findings_);
  }

 private:
  void add(const char* what, std::string detail, bool warning) {
    findings_.push_back({.what = what, .passed = true, .detail = std::move(detail), .warning = warning});
  }

  /// An error is a finding that did not pass; otherwise `good`, if there is anything to say.
  void note(const char* what, const Status& status, std::string good) {
    if (!status)
      findings_.push_back({.what = what, .passed = false, .detail = status.error().detail});
    else if (!good.empty())
      add(what, std::move(good), false);
  }

  void connection() {
    const auto who =
        use_.text("SELECT CONCAT(VERSION(), ' at ', @@hostname, ':', @@port, ', data in ', @@datadir)");
    if (!who) return note("connection", who.error(), "");
    add("connection", "MariaDB " + *who, false);
    if (!server_.tls && !is_loopback(server_.host))
      add("connection", "not encrypted: the data goes over the network as it is; write ?tls=on", true);
  }

  Status missing_rights() {
    const auto held = rights(use_, setup_.space);
    if (!held) return held.error();
    std::vector<std::string> needed{"SELECT", "INSERT", "UPDATE", "DELETE",      "CREATE", "DROP",
                                    "ALTER",  "INDEX",  "RELOAD", "LOCK TABLES", "PROCESS"};
    if (binlog_) needed.emplace_back("BINLOG MONITOR");
    std::erase_if(needed, [&](const std::string& right) { return held->contains(right); });
    if (needed.empty()) return ok();
    return Error{ErrorCode::kRefused, "mariadb.examine",
                 fmt::format("the user lacks {}: see the statements of `deduplab setup PLAN.toml --print`",
                             join(needed, ", "))};
  }

  Status whose() {
    const auto found = find_namespace(use_, setup_.space);
    if (!found) return found.error();
    const auto bad = [](std::string why) {
      return Error{ErrorCode::kRefused, "mariadb.examine", std::move(why)};
    };
    const auto home = found->find(0);
    const std::string& name = setup_.space.name;
    if (home == found->end() && !setup_.space.create)
      return bad(fmt::format("database '{}' is missing, and namespace_mode is 'existing'", name));
    if (home == found->end()) {
      add("namespace", fmt::format("database '{}' will be made", name), false);
      return ok();
    }
    const Found& database = home->second;
    if (!database.ours && (setup_.space.create || !database.tables.empty()))
      return bad(
          fmt::format("database '{}' exists and does not bear the lab's marker: choose another name by the "
                      "option 'namespace'",
                      name));
    if (!database.has_marker()) {
      add("namespace", fmt::format("database '{}' is there and empty", name), false);
      return ok();
    }
    LAB_TRY(LabLock::check_free(*lock_store(server_, setup_.space), run_id_, use_.call()));
    add("namespace", fmt::format("database '{}' is the lab's", name), false);
    return ok();
  }

  Status settings() {
    const auto packet = use_.number("SELECT @@max_allowed_packet");
    if (!packet) return packet.error();
    const auto largest = object_size_max(*packet);
    if (!largest) return largest.error();
    add("settings", fmt::format("max_allowed_packet takes objects of up to {} bytes", *largest), false);
    if (binlog_)
      add("settings", "log_bin is on: the binary log holds a second copy of all data (files:log)", true);
    const auto page = use_.number("SELECT @@innodb_page_size");
    if (!page) return page.error();
    if (*page != kUsualPage)
      add("settings", fmt::format("innodb_page_size is {}, the known answers are for 16384", *page), true);
    const auto redo = use_.number("SELECT @@innodb_flush_log_at_trx_commit");
    if (!redo) return redo.error();
    if (*redo == 0 || *redo == 2)
      add("settings",
          fmt::format("innodb_flush_log_at_trx_commit={}: an acknowledged object can be lost", *redo), true);
    const auto schema = use_.number("SELECT @@performance_schema");
    if (!schema) return schema.error();
    if (*schema == 0)
      add("settings", "performance_schema is off: the server's own seconds stay blank", false);
    return ok();
  }

  Status files() {
    Status proven = prove_directory(use_, setup_.space, directory_);
    if (!proven && proven.error().code != ErrorCode::kNotFound) return proven;
    const auto told = use_.text("SELECT @@datadir");
    if (!told) return told.error();
    std::error_code failure;
    if (!proven && (!fs::exists(directory_ / "ibdata1", failure) ||
                    !fs::exists(directory_ / "aria_log_control", failure)))
      return Error{
          ErrorCode::kRefused, "mariadb.examine",
          fmt::format("directory {} is no data directory of a MariaDB, or cannot be read; this server "
                      "says {}",
                      directory_.string(), *told)};
    const bool same = fs::weakly_canonical(*told, failure) == fs::weakly_canonical(directory_, failure);
    if (proven)
      add("files", fmt::format("{} holds this server's files", directory_.string()), false);
    else
      add("files",
          same ? fmt::format("{} is what the server names; its first marker will prove it",
                             directory_.string())
               : fmt::format("the server calls its directory {}; that {} is the same one will be proved by "
                             "its first marker",
                             *told, directory_.string()),
          !same);
    return outside(*told);
  }

  /// Files of the server that `files` does not see.
  Status outside(const std::string& data) {
    const char* const places[] = {"log_bin_basename", "innodb_undo_directory", "innodb_log_group_home_dir"};
    for (const char* name : places) {
      const auto place = variable(use_, name);
      if (!place) return place.error();
      if (place->empty() || *place == "./" || place->starts_with(data)) continue;
      add("files",
          fmt::format("{} is {}, outside of the data directory: `files` does not count it", name, *place),
          true);
    }
    return ok();
  }

  Use& use_;
  const Server& server_;
  const Setup& setup_;
  const fs::path& directory_;
  const std::string& run_id_;
  bool binlog_ = false;
  std::vector<Finding> findings_{};
};

}  // namespace

Status check_fit(Use& use, const Setup& setup) {
  const auto refuse = [&](ErrorCode code, std::string why) {
    return Error{code, use.operation(), std::move(why)};
  };
  const auto version = use.text("SELECT VERSION()");
  if (!version) return version.error();
  const auto numbers = split(*version, '.');
  const std::int64_t major = std::strtoll(numbers[0].c_str(), nullptr, 10);
  const std::int64_t minor = numbers.size() > 1 ? std::strtoll(numbers[1].c_str(), nullptr, 10) : 0;
  if (major < kOldestMajor || (major == kOldestMajor && minor < kOldestMinor))
    return refuse(ErrorCode::kUnsupported, "MariaDB " + *version + " is older than 10.6");
  const bool has_uuid = major > kOldestMajor || minor >= kUuidMinor;
  if (setup.schema != nullptr && !has_uuid)
    return refuse(
        ErrorCode::kUnsupported,
        "mode 'native' has columns of type UUID, which came with MariaDB 10.7; this is " + *version);
  const auto galera = variable(use, "wsrep_on");
  if (!galera) return galera.error();
  if (*galera == "ON")
    return refuse(ErrorCode::kUnsupported, "a Galera cluster: the sizes of one node are not those of all");
  const auto per_table = variable(use, "innodb_file_per_table");
  if (!per_table) return per_table.error();
  if (*per_table == "OFF")
    return refuse(ErrorCode::kRefused,
                  "innodb_file_per_table is OFF: the tables would lie in the system tablespace, which never "
                  "shrinks");
  const auto read_only = variable(use, "innodb_read_only_compressed");
  if (!read_only) return read_only.error();
  if (setup.variant == "row_compressed" && *read_only == "ON")
    return refuse(ErrorCode::kUnsupported,
                  "innodb_read_only_compressed is ON: ROW_FORMAT=COMPRESSED is refused");
  if (!setup.has_holes) return ok();
  const auto holes = use.text(
      "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = "
      "'INNODB_HAVE_PUNCH_HOLE'");
  if (!holes) return holes.error();
  if (*holes != "ON")
    return refuse(ErrorCode::kUnsupported,
                  "page compression needs holes in files, and the server cannot make any");
  const auto algorithm = variable(use, "innodb_compression_algorithm");
  if (!algorithm) return algorithm.error();
  if (*algorithm == "none")
    return refuse(ErrorCode::kUnsupported,
                  "innodb_compression_algorithm is none: PAGE_COMPRESSED does nothing");
  return ok();
}

std::vector<Finding> examine_server(const Server& server, const Setup& setup, const SystemConfig& config,
                                    const CallContext& call) {
  auto connection = Connection::open(server, call, "mariadb.examine");
  if (!connection) return {not_connected(connection.error())};
  auto use = (*connection)->use(call, "mariadb.examine");
  if (!use) return {not_connected(use.error())};
  return Examination(**use, server, setup, config).run();
}

Result<std::vector<std::string>> leftovers_of(const Server& server, const ServerNamespace& space,
                                              const CallContext& call) {
  auto connection = Connection::open(server, call, "mariadb.leftovers");
  if (!connection) return std::move(connection).error();
  auto use = (*connection)->use(call, "mariadb.leftovers");
  if (!use) return std::move(use).error();
  const auto found = find_namespace(**use, space);
  if (!found) return found.error();
  std::vector<std::string> lines;
  for (const auto& [number, database] : *found) {
    if (!database.ours) continue;
    std::vector<std::string> tables;
    for (const char* table : {kTable, kMarker})
      if (database.tables.contains(table)) tables.emplace_back(table);
    lines.push_back(fmt::format("database {}, tables: {}", space.container(number),
                                tables.empty() ? "none" : join(tables, ", ")));
  }
  return lines;
}

Status remove_from(const Server& server, const ServerNamespace& space, const std::string& run_id,
                   const CallContext& call) {
  auto connection = Connection::open(server, call, "mariadb.remove");
  if (!connection) return std::move(connection).error();
  auto use = (*connection)->use(call, "mariadb.remove");
  if (!use) return std::move(use).error();
  const auto found = find_namespace(**use, space);
  if (!found) return found.error();
  const auto home = found->find(0);
  if (home != found->end() && !home->second.ours) {
    if (!space.create && home->second.tables.empty()) return ok();  // Others' own, and nothing of ours in it.
    return Error{
        ErrorCode::kRefused, "mariadb.remove",
        fmt::format("database '{}' does not bear the lab's marker; it is left as it is", space.name)};
  }
  std::unique_ptr<LabLock> lock;  // Nobody begins in the meantime.
  if (home != found->end() && home->second.has_marker()) {
    auto taken = LabLock::take(lock_store(server, space), run_id.empty() ? "clean" : run_id, call);
    if (!taken) return std::move(taken).error();
    lock = std::move(*taken);
  }
  return drop_namespace(**use, space);
}

}  // namespace lab::mariadb
