// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/admin.hpp"

#include <fmt/format.h>

#include "driver/lab_user.hpp"

namespace lab::mariadb {
namespace {

constexpr const char* kPasswordVariable = "DEDUP_MARIADB_LAB_PASSWORD";

/// In GRANT a database's _ and % stand for other letters unless they are escaped.
std::string escaped(const std::string& name) {
  std::string text;
  for (const char letter : name) {
    if (letter == '_' || letter == '%') text += '\\';
    text += letter;
  }
  return text;
}

/// The other way round.
std::string unescaped(std::string_view text) {
  std::string name;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    name += text[at];
  }
  return name;
}

/// A right to a database that nobody has: it gives nothing, and says that setup made the user.
constexpr const char* kMark = "deduplab_made_this_user";

class MariadbAdmin final : public Admin {
 public:
  MariadbAdmin(const Server& server, ServerNamespace space, std::uint32_t containers, const std::string& user)
      : server_(server),
        space_(std::move(space)),
        containers_(containers),
        name_(user),
        user_(text_name(user) + "@'%'") {}

  std::vector<std::string> apply_statements() const override {
    // A user of somebody else's is an error here, at which a client stops, before it gets a mark of ours.
    std::vector<std::string> all{
        how_to_give(kPasswordVariable, kLabUsersPassword, "mariadb"),
        "-- Where the user is there already, CREATE USER fails: it is somebody's, and nothing below may be "
        "run then. A file given to the client stops there by itself."};
    for (const std::string& sql : statements("CREATE USER", text_name(placeholder(kPasswordVariable))))
      all.push_back(sql + ";");
    return all;
  }

  /// Nothing happens to a user without the mark.
  std::vector<std::string> undo_statements() const override {
    return {
        fmt::format("SET @deduplab_made = (SELECT COUNT(*) FROM information_schema.SCHEMA_PRIVILEGES WHERE "
                    "GRANTEE = {} AND TABLE_SCHEMA = {} AND CURRENT_USER() <> {});",
                    text_name(user_), text_name(escaped(kMark)), text_name(name_ + "@%")),
        fmt::format("EXECUTE IMMEDIATE IF(@deduplab_made > 0, {}, {});", text_name("DROP USER " + user_),
                    text_name("SELECT 'not made by deduplab setup: left as it is'"))};
  }

  Status apply(const CallContext& call) override {
    const auto password = lab_user_password(kPasswordVariable, name_, server_.password, "mariadb.setup");
    if (!password) return password.error();
    auto connection = Connection::open(server_, call, "mariadb.setup");
    if (!connection) return std::move(connection).error();
    auto use = (*connection)->use(call, "mariadb.setup");
    if (!use) return std::move(use).error();
    LAB_TRY(check_ours(**use));
    for (const std::string& statement : statements("CREATE USER IF NOT EXISTS", text_name(*password))) {
      const auto done = (*use)->execute(statement);
      if (!done) return done.error();
    }
    return ok();
  }

  /// Drops a user that apply() made and that has no other rights than the ones that it gives.
  Status undo(const CallContext& call) override {
    auto connection = Connection::open(server_, call, "mariadb.setup");
    if (!connection) return std::move(connection).error();
    auto use = (*connection)->use(call, "mariadb.setup");
    if (!use) return std::move(use).error();
    const auto foreign = [&](std::string why) {
      return Error{ErrorCode::kRefused, "mariadb.setup", fmt::format("user {} {}", user_, why)};
    };
    const auto there = exists(**use);
    if (!there) return there.error();
    if (!*there) return ok();
    LAB_TRY(check_ours(**use));
    const auto others = has_other_rights(**use);
    if (!others) return others.error();
    if (*others) return foreign("has rights that are not the lab's; drop it yourself");
    const auto done = (*use)->execute("DROP USER IF EXISTS " + user_);
    if (!done) return done.error();
    return ok();
  }

 private:
  Result<bool> exists(Use& use) const {
    const auto rows = use.number(fmt::format(
        "SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = {}", text_literal(user_)));
    if (!rows) return rows.error();
    return *rows > 0;
  }

  /// Rights beyond those of apply(), whatever number of containers it was given.
  Result<bool> has_other_rights(Use& use) const {
    const auto wide = use.number(fmt::format(
        "SELECT (SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = {0} AND "
        "PRIVILEGE_TYPE NOT IN ('USAGE', 'RELOAD', 'PROCESS', 'BINLOG MONITOR')) + (SELECT COUNT(*) FROM "
        "information_schema.TABLE_PRIVILEGES WHERE GRANTEE = {0})",
        text_literal(user_)));
    if (!wide) return wide.error();
    bool others = *wide > 0;
    LAB_TRY(use.query(
        "SELECT DISTINCT TABLE_SCHEMA FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = " +
            text_literal(user_),
        [&](Row row) {
          const std::string given(row[0].value_or(""));
          const std::string database = unescaped(given);
          // An earlier version gave the rights to a pattern.
          const bool ours = container_of(space_, database).has_value() || database == kMark ||
                            database == "performance_schema" || given == escaped(space_.name + "_") + "%";
          others = others || !ours;
          return ok();
        }));
    return others;
  }

  /// A user that is not there is fine. Errors: kRefused for one that setup did not make or that is logged in.
  Status check_ours(Use& use) const {
    const auto self = use.text("SELECT CURRENT_USER()");
    if (!self) return self.error();
    LAB_TRY(check_not_self(name_ + "@%", *self, "mariadb.setup"));
    const auto there = exists(use);
    if (!there) return there.error();
    const auto marked = use.number(fmt::format(
        "SELECT COUNT(*) FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = {} AND TABLE_SCHEMA = {}",
        text_literal(user_), text_literal(escaped(kMark))));
    if (!marked) return marked.error();
    if (!*there || *marked > 0) return ok();
    return Error{
        ErrorCode::kRefused, "mariadb.setup",
        fmt::format("user {} is there and was not made by deduplab setup: name another with the option "
                    "'lab_user'",
                    user_)};
  }

  static std::string text_name(const std::string& text) {
    std::string name = "'";
    for (const char letter : text) {
      if (letter == '\'' || letter == '\\') name += '\\';
      name += letter;
    }
    return name + "'";
  }

  std::vector<std::string> statements(const std::string& create, const std::string& password) const {
    constexpr const char* kOwn =
        "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, LOCK TABLES ON {}.* TO {}";
    std::vector<std::string> all{fmt::format("{} {} IDENTIFIED BY {}", create, user_, password)};
    for (std::uint32_t container = 0; container < containers_; ++container)
      all.push_back(fmt::format(kOwn, quoted_name(escaped(space_.container(container))), user_));
    all.push_back(fmt::format("GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO {}", user_));
    all.push_back(fmt::format("GRANT SELECT ON performance_schema.* TO {}", user_));
    all.push_back(fmt::format("GRANT SELECT ON {}.* TO {}", quoted_name(escaped(kMark)), user_));
    return all;
  }

  Server server_;
  ServerNamespace space_;
  std::uint32_t containers_;
  std::string name_;
  std::string user_;  // As SQL names it: 'name'@'%'.
};

}  // namespace

Result<std::unique_ptr<Admin>> make_admin(const Server& server, const ServerNamespace& space,
                                          std::uint32_t containers, const std::string& lab_user) {
  LAB_TRY(check_not_self(lab_user, server.user, "mariadb.setup"));
  return std::unique_ptr<Admin>(std::make_unique<MariadbAdmin>(server, space, containers, lab_user));
}

}  // namespace lab::mariadb
