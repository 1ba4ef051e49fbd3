// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/admin.hpp"

#include <fmt/format.h>

namespace lab::mariadb {
namespace {

constexpr const char* kPlaceholder = "'<the value of DEDUP_MARIADB_PASSWORD>'";

/// In GRANT a database's _ and % stand for other letters unless they are escaped.
std::string escaped(const std::string& name) {
  std::string text;
  for (const char letter : name) {
    if (letter == '_' || letter == '%') text += '\\';
    text += letter;
  }
  return text;
}

/// A right to a database that nobody has: it gives nothing, and says that setup made the user.
constexpr const char* kMark = "deduplab_made_this_user";

class MariadbAdmin final : public Admin {
 public:
  MariadbAdmin(const Server& server, ServerNamespace space, const std::string& user)
      : server_(server), space_(std::move(space)), user_(text_name(user) + "@'%'") {}

  std::vector<std::string> apply_statements() const override {
    // A user of somebody else's is an error here, at which a client stops, before it gets a mark of ours.
    auto all = statements("CREATE USER", kPlaceholder);
    for (std::string& sql : all) sql += ';';
    return all;
  }
  std::vector<std::string> undo_statements() const override { return {"DROP USER IF EXISTS " + user_ + ";"}; }

  Status apply(const CallContext& call) override {
    auto connection = Connection::open(server_, call, "mariadb.setup");
    if (!connection) return std::move(connection).error();
    auto use = (*connection)->use(call, "mariadb.setup");
    if (!use) return std::move(use).error();
    LAB_TRY(check_ours(**use));
    for (const std::string& statement :
         statements("CREATE USER IF NOT EXISTS", text_name(server_.password))) {
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
    const auto self = (*use)->text("SELECT CURRENT_USER()");
    if (!self) return self.error();
    if (text_name(self->substr(0, self->rfind('@'))) + "@'%'" == user_)
      return foreign("is the one that is connected, and does not drop itself");
    const auto others = (*use)->number(fmt::format(
        "SELECT (SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = {0} AND "
        "PRIVILEGE_TYPE "
        "NOT IN ('USAGE', 'RELOAD', 'PROCESS', 'BINLOG MONITOR')) + (SELECT COUNT(*) FROM "
        "information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = {0} AND TABLE_SCHEMA NOT IN ({1}, {2}, {3}, "
        "'performance_schema')) + (SELECT COUNT(*) FROM information_schema.TABLE_PRIVILEGES WHERE GRANTEE = "
        "{0})",
        text_literal(user_), text_literal(escaped(space_.name)),
        text_literal(escaped(space_.name + "_") + "%"), text_literal(escaped(kMark))));
    if (!others) return others.error();
    if (*others > 0) return foreign("has rights that are not the lab's; drop it yourself");
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

  /// A user that is not there is fine. Errors: kRefused for one that setup did not make.
  Status check_ours(Use& use) const {
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
    return {fmt::format("{} {} IDENTIFIED BY {}", create, user_, password),
            fmt::format(kOwn, quoted_name(escaped(space_.name)), user_),
            fmt::format(kOwn, quoted_name(escaped(space_.name + "_") + "%"), user_),
            fmt::format("GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO {}", user_),
            fmt::format("GRANT SELECT ON performance_schema.* TO {}", user_),
            fmt::format("GRANT SELECT ON {}.* TO {}", quoted_name(escaped(kMark)), user_)};
  }

  Server server_;
  ServerNamespace space_;
  std::string user_;
};

}  // namespace

std::unique_ptr<Admin> make_admin(const Server& server, const ServerNamespace& space,
                                  const std::string& lab_user) {
  return std::make_unique<MariadbAdmin>(server, space, lab_user);
}

}  // namespace lab::mariadb
