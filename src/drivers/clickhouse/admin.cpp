// The lab's user and its rights, in ClickHouse's own SQL; old servers know users in files alone.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "core/text.hpp"
#include "driver/lab_user.hpp"
#include "drivers/clickhouse/parts.hpp"

namespace lab::clickhouse {
namespace {

constexpr const char* kUser = kLabUserName;
/// A right to a database that nobody has: it gives nothing, and says that setup made the user.
constexpr const char* kMark = "deduplab_made_this_user";
constexpr const char* kUserPasswordEnv = "DEDUP_CLICKHOUSE_LAB_PASSWORD";

class ClickhouseAdmin final : public Admin {
 public:
  ClickhouseAdmin(SystemConfig config, ServerNamespace names, std::string url_user)
      : config_(std::move(config)), names_(std::move(names)), url_user_(std::move(url_user)) {}

  std::vector<std::string> apply_statements() const override {
    std::vector<std::string> printed{
        how_to_give(kUserPasswordEnv, kLabUsersPassword, "clickhouse-client --multiquery"),
        "-- Users in SQL need ClickHouse 20.5; before it they stand in users.xml.",
        "-- The first statement fails where the user is somebody else's: nothing below may be run then. A "
        "file given to clickhouse-client stops there by itself.",
        guard()};
    for (const std::string& sql : statements(placeholder(kUserPasswordEnv))) printed.push_back(sql + ";");
    return printed;
  }

  std::vector<std::string> undo_statements() const override { return {guard(), drop() + ";"}; }

  Status apply(const CallContext& call) override {
    const auto password = lab_user_password(kUserPasswordEnv, kUser, config_.password, kOperation);
    if (!password) return password.error();
    return run(call, statements(*password), *password);
  }

  Status undo(const CallContext& call) override { return run(call, {drop()}, ""); }

 private:
  static constexpr const char* kOperation = "clickhouse.setup";

  static std::string drop() { return fmt::format("DROP USER IF EXISTS {}", identifier(kUser)); }

  /// A condition on system.users: without the mark.
  static std::string foreign() {
    return fmt::format(
        "name NOT IN (SELECT user_name FROM system.grants WHERE database = {} AND user_name IS "
        "NOT NULL)",
        literal(kMark));
  }

  /// For a client: an error where the user is another's, or is the one that is logged in.
  static std::string guard() {
    return fmt::format(
        "SELECT throwIf(count() > 0, {}) FROM system.users WHERE name = {} AND (name = "
        "currentUser() OR {});",
        literal("that user is logged in, or was not made by deduplab setup"), literal(kUser), foreign());
  }

  /// DROP DATABASE is among the rights: a run removes what it made.
  std::vector<std::string> statements(std::string_view password) const {
    const std::string user = identifier(kUser);
    std::vector<std::string> all{fmt::format(
        "CREATE USER IF NOT EXISTS {} IDENTIFIED WITH sha256_password BY {}", user, literal(password))};
    for (std::uint32_t container = 0; container < config_.containers; ++container) {
      const std::string database = identifier(names_.container(container));
      if (!names_.create) all.push_back("CREATE DATABASE IF NOT EXISTS " + database);
      all.push_back(
          fmt::format("GRANT {}CREATE TABLE, DROP TABLE, SELECT, INSERT, TRUNCATE, OPTIMIZE, ALTER "
                      "DELETE, SYSTEM MERGES ON {}.* TO {}",
                      names_.create ? "CREATE DATABASE, DROP DATABASE, " : "", database, user));
    }
    for (const char* table :
         {"parts", "merges", "mutations", "moves", "dropped_tables", "databases", "tables", "columns",
          "settings", "merge_tree_settings", "disks", "events", "metrics"})
      all.push_back(fmt::format("GRANT SELECT ON system.{} TO {}", table, user));
    all.push_back(fmt::format("GRANT SELECT ON {}.* TO {}", kMark, user));
    return all;
  }

  /// A user that is not there is fine. Errors: kRefused for one without the mark.
  static Status check_made_by_setup(Connection& connection, const CallContext& call) {
    const auto found = connection.number(
        fmt::format("SELECT count() FROM system.users WHERE name = {} AND {}", literal(kUser), foreign()),
        call, kOperation);
    if (!found) return found.error();
    if (*found == 0) return ok();
    return Error{
        ErrorCode::kRefused, kOperation,
        fmt::format("user {} is there and was not made by deduplab setup: rename or drop it", kUser)};
  }

  Status run(const CallContext& call, const std::vector<std::string>& all, std::string_view password) const {
    LAB_TRY(check_not_self(kUser, url_user_, kOperation));
    auto reached = reach(config_, call);
    if (!reached) return std::move(reached).error();
    if (!reached->home.server().has_sql_users())
      return Error{
          ErrorCode::kUnsupported, kOperation,
          fmt::format("ClickHouse {} has no users in SQL: add {} to users.xml by hand, with a profile that "
                      "may write and <allow_databases> for {}",
                      reached->home.server().version_text, kUser, names_.name)};
    LAB_TRY(check_made_by_setup(reached->connection, call));
    for (const std::string& sql : all) {
      const Status done = reached->connection.execute(sql, call, kOperation);
      if (done) continue;
      Error error = done.error();
      // A server may repeat a statement that it does not understand.
      for (std::size_t at = 0; !password.empty() && (at = error.detail.find(password)) != std::string::npos;)
        error.detail.replace(at, password.size(), placeholder(kUserPasswordEnv));
      return error;
    }
    return ok();
  }

  SystemConfig config_;
  ServerNamespace names_;
  std::string url_user_;
};

}  // namespace

Result<std::unique_ptr<Admin>> make_admin(const SystemConfig& config) {
  auto names = server_namespace(config, kDefaultNamespace);
  if (!names) return std::move(names).error();
  const auto target = target_of(config);
  if (!target) return target.error();
  return std::unique_ptr<Admin>(new ClickhouseAdmin(config, std::move(*names), target->user));
}

}  // namespace lab::clickhouse
