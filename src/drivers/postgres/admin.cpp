// The lab's role on a PostgreSQL server: made once, with the least rights, and taken away again whole.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "driver/lab_user.hpp"
#include "drivers/postgres/examine.hpp"
#include "drivers/postgres/postgres.hpp"

namespace lab::postgres {
namespace {

using pgwire::Connection;
using pgwire::identifier;
using pgwire::literal;

constexpr const char* kPasswordVariable = "DEDUP_PG_LAB_PASSWORD";  // Of the role that is made.
constexpr const char* kRoleComment = "made by deduplab setup";

class PostgresAdmin final : public Admin {
 public:
  PostgresAdmin(Target target, std::uint32_t containers) : target_(std::move(target)), role_(target_.role) {
    for (std::uint32_t number = 0; number < containers; ++number)
      schemas_.push_back(target_.place.container(number));
  }

  std::vector<std::string> apply_statements() const override {
    auto all = in_transaction(statements(" PASSWORD " + literal(placeholder(kPasswordVariable))));
    all.insert(all.begin(), how_to_give(kPasswordVariable, kLabUsersPassword, "psql"));
    return all;
  }
  std::vector<std::string> undo_statements() const override { return in_transaction(undoing()); }

  Status apply(const CallContext& call) override {
    constexpr const char* kOperation = "postgresql.setup";
    LAB_TRY(allowed(call, kOperation));
    const auto password = lab_user_password(kPasswordVariable, role_, target_.address.password, kOperation);
    if (!password) return password.error();
    LAB_TRY(check_not_self(role_, target_.address.user, kOperation));
    auto connection = Connection::open(target_.address, call, kOperation);
    if (!connection) return std::move(connection).error();
    const auto verifier = (*connection)->password_verifier(call, kOperation, role_, *password);
    if (!verifier) return verifier.error();
    return run(**connection, call, kOperation, statements(" PASSWORD " + literal(*verifier)));
  }

  Status undo(const CallContext& call) override {
    constexpr const char* kOperation = "postgresql.setup_undo";
    LAB_TRY(allowed(call, kOperation));
    LAB_TRY(check_not_self(role_, target_.address.user, kOperation));
    auto connection = Connection::open(target_.address, call, kOperation);
    if (!connection) return std::move(connection).error();
    return run(**connection, call, kOperation, undoing());
  }

 private:
  static Status run(Connection& connection, const CallContext& call, const char* operation,
                    const std::vector<std::string>& statements) {
    return connection.transaction(call, operation, [&]() -> Status {
      for (const std::string& sql : statements) LAB_TRY(connection.execute(call, operation, sql));
      return ok();
    });
  }

  /// A client that goes on after an error does nothing more in a transaction that has failed.
  static std::vector<std::string> in_transaction(const std::vector<std::string>& statements) {
    std::vector<std::string> all{"BEGIN;"};
    for (const std::string& sql : statements) all.push_back(sql + ";");
    all.emplace_back("COMMIT;");
    return all;
  }

  /// Raises where the role is there and is another's, or is the one that is logged in.
  std::string guard() const {
    return fmt::format(
        "DO $lab$ BEGIN IF session_user = {0} THEN RAISE EXCEPTION 'role % is the one that is logged in', "
        "{0}; END IF; IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {0} AND "
        "coalesce(pg_catalog.shobj_description(oid, 'pg_authid'), '') <> {1}) THEN RAISE EXCEPTION 'role % "
        "was not made by deduplab setup', {0}; END IF; END $lab$",
        literal(role_), literal(kRoleComment));
  }

  /// Only a role that setup made, and only while it owns nothing but empty schemas of the lab's names: then
  /// DROP OWNED takes its rights alone.
  std::vector<std::string> undoing() const {
    std::vector<std::string> all{guard()};
    if (!target_.place.create)
      for (const std::string& schema : schemas_)
        all.push_back(fmt::format("DROP SCHEMA IF EXISTS {} RESTRICT", identifier(schema)));
    all.push_back(fmt::format(
        "DO $lab$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid "
        "= d.refobjid WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.deptype = 'o' AND "
        "r.rolname = {0}) THEN RAISE EXCEPTION 'role % still owns something: run deduplab clean first', {0}; "
        "END IF; "
        "IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {0}) THEN DROP OWNED BY {1} RESTRICT; "
        "DROP ROLE {1}; END IF; END $lab$",
        literal(role_), identifier(role_)));
    return all;
  }

  std::vector<std::string> statements(const std::string& password) const {
    const std::string role = identifier(role_);
    const std::string database = identifier(target_.address.database);
    std::vector<std::string> all{
        guard(),
        fmt::format("DO $lab$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {}) THEN "
                    "CREATE ROLE {} LOGIN{}; COMMENT ON ROLE {} IS {}; END IF; END $lab$",
                    literal(role_), role, password, role, literal(kRoleComment))};
    all.push_back(fmt::format("GRANT CONNECT, TEMPORARY{} ON DATABASE {} TO {}",
                              target_.place.create ? ", CREATE" : "", database, role));
    if (!target_.place.create)
      for (const std::string& schema : schemas_)
        all.push_back(
            fmt::format("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}", identifier(schema), role));
    all.push_back("GRANT pg_monitor TO " + role);
    all.push_back(fmt::format(
        "DO $lab$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pg_checkpoint') THEN "
        "GRANT pg_checkpoint TO {}; END IF; END $lab$",
        role));
    all.push_back(fmt::format("GRANT EXECUTE ON FUNCTION pg_catalog.pg_switch_wal() TO {}", role));
    return all;
  }

  Target target_;
  std::string role_;
  std::vector<std::string> schemas_{};
};

}  // namespace

Result<std::unique_ptr<Admin>> make_admin(const SystemConfig& config) {
  auto target = make_target(config);
  if (!target) return std::move(target).error();
  return std::unique_ptr<Admin>(new PostgresAdmin(std::move(*target), config.containers));
}

}  // namespace lab::postgres
