// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/lab_namespace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace lab::pgwire {
namespace {

constexpr const char* kMadeBy = "deduplab";

const FoundContainer* with_number(const std::vector<FoundContainer>& all, std::uint32_t number) {
  const auto one = std::find_if(all.begin(), all.end(),
                                [&](const FoundContainer& container) { return container.number == number; });
  return one == all.end() ? nullptr : &*one;
}

void append(std::vector<std::string>& all, std::vector<std::string> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::optional<std::uint32_t> container_number(const std::string& base, const std::string& name) {
  if (name == base) return 0;
  if (!name.starts_with(base + "_")) return std::nullopt;
  const std::string digits = name.substr(base.size() + 1);
  std::uint32_t number = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failure != std::errc() || number == 0 || std::to_string(number) != digits) return std::nullopt;
  return number;
}

Result<LabNamespace::Containers> LabNamespace::found(Connection& connection, const CallContext& call,
                                                     const char* operation) const {
  auto all = dialect_->find(connection, call, operation, place_.name);
  if (!all) return std::move(all).error();
  std::sort(all->begin(), all->end(),
            [](const FoundContainer& a, const FoundContainer& b) { return a.number < b.number; });
  return all;
}

Status LabNamespace::run(Connection& connection, const CallContext& call, const char* operation,
                         const std::vector<std::string>& statements) const {
  const auto work = [&]() -> Status {
    for (const std::string& statement : statements) LAB_TRY(connection.execute(call, operation, statement));
    return ok();
  };
  if (statements.empty()) return ok();
  return dialect_->ddl_in_transaction() ? connection.transaction(call, operation, work) : work();
}

std::vector<std::string> LabNamespace::make_marker(const std::string& container) const {
  const std::string marker = dialect_->marker(container);
  return {
      "CREATE TABLE " + marker +
          " (one bigint PRIMARY KEY, made_by text NOT NULL, run_id text NOT NULL, beat timestamptz NOT NULL)",
      fmt::format("INSERT INTO {} (one, made_by, run_id, beat) VALUES (1, '{}', '', clock_timestamp())",
                  marker, kMadeBy)};
}

std::vector<std::string> LabNamespace::drop_ours(const FoundContainer& one, bool with_marker) const {
  std::vector<std::string> statements;
  if (one.has_table) statements.push_back("DROP TABLE " + dialect_->table(one.name));
  if (!with_marker) return statements;
  statements.push_back("DROP TABLE " + dialect_->marker(one.name));
  if (place_.create) statements.push_back(dialect_->drop_container(one.name));
  return statements;
}

Error LabNamespace::not_ours(const FoundContainer& one, const char* operation) const {
  return {
      ErrorCode::kRefused, operation,
      fmt::format("the {} {} exists without deduplab's marker, so it is not ours and is left as it is: name "
                  "another one as option 'namespace'",
                  dialect_->container(), one.name)};
}

Status LabNamespace::plan_container(const Containers& all, std::uint32_t number, const char* operation,
                                    std::vector<std::string>& statements) const {
  const std::string name = container(number);
  const FoundContainer* const one = with_number(all, number);
  if (one == nullptr && !place_.create)
    return Error{ErrorCode::kRefused, operation,
                 fmt::format("the {} {} does not exist, and namespace_mode 'existing' makes none",
                             dialect_->container(), name)};
  if (one != nullptr && one->marked) return ok();
  if (one != nullptr && (place_.create || one->has_table || one->others > 0))
    return not_ours(*one, operation);
  if (one == nullptr) statements.push_back(dialect_->create_container(name));
  append(statements, make_marker(name));
  return ok();
}

Status LabNamespace::claim(Connection& connection, const CallContext& call, const char* operation) const {
  const auto all = found(connection, call, operation);
  if (!all) return all.error();
  std::vector<std::string> statements;
  LAB_TRY(plan_container(*all, 0, operation, statements));
  const Status made = run(connection, call, operation, statements);
  // Without transactions a container may be made and its marker not: it would be refused for ever.
  if (!made && !dialect_->ddl_in_transaction() && with_number(*all, 0) == nullptr && !connection.lost())
    ignore(connection.execute({Clock::now() + Millis{1'500}, {}}, operation,
                              dialect_->drop_container(container(0))),
           "the failure before it is told");
  return made;
}

Status LabNamespace::make_anew(Connection& connection, const CallContext& call, const char* operation,
                               const std::string& run_id) const {
  const auto all = found(connection, call, operation);
  if (!all) return all.error();
  const FoundContainer* const main = with_number(*all, 0);
  if (main == nullptr || !main->marked)
    return main != nullptr ? not_ours(*main, operation)
                           : Error{ErrorCode::kRefused, operation,
                                   "the namespace " + place_.name + " is gone, with its marker and lock"};
  const auto lock = read_lock(connection, call, operation);
  if (!lock) return lock.error();
  if (!*lock || (*lock)->run_id != run_id)
    return Error{ErrorCode::kInUse, operation,
                 fmt::format("the lock of the namespace {} went over to run '{}'", place_.name,
                             *lock ? (*lock)->run_id : std::string())};
  std::vector<std::string> statements;
  for (const FoundContainer& one : *all)
    if (one.marked) append(statements, drop_ours(one, one.number >= containers_));
  for (std::uint32_t number = 0; number < containers_; ++number) {
    LAB_TRY(plan_container(*all, number, operation, statements));
    append(statements, dialect_->create_table(container(number)));
  }
  return run(connection, call, operation, statements);
}

Status LabNamespace::check_held_by_no_other(Connection& connection, const CallContext& call,
                                            const char* operation, const std::string& run_id) const {
  const auto lock = read_lock(connection, call, operation);
  if (!lock) return lock.error();
  return LabLock::check_free(*lock, run_id);
}

Status LabNamespace::remove(Connection& connection, const CallContext& call, const char* operation,
                            const std::string& run_id) const {
  const auto all = found(connection, call, operation);
  if (!all) return all.error();
  const FoundContainer* const main = with_number(*all, 0);
  if (main != nullptr && !main->marked && place_.create) return not_ours(*main, operation);
  if (main != nullptr && main->marked) LAB_TRY(check_held_by_no_other(connection, call, operation, run_id));
  std::vector<std::string> statements;
  for (auto one = all->rbegin(); one != all->rend(); ++one)
    if (one->marked) append(statements, drop_ours(*one, true));
  return run(connection, call, operation, statements);
}

Result<std::vector<std::string>> LabNamespace::leftovers(Connection& connection, const CallContext& call,
                                                         const char* operation) const {
  const auto all = found(connection, call, operation);
  if (!all) return all.error();
  std::vector<std::string> lines;
  for (const FoundContainer& one : *all)
    if (one.marked)
      lines.push_back(fmt::format("{} {}: marker{}", dialect_->container(), one.name,
                                  one.has_table ? std::string(" and table ") + kTable : ""));
  return lines;
}

Result<std::string> LabNamespace::owner(Connection& connection, const CallContext& call,
                                        const char* operation, const std::string& run_id) const {
  const auto all = found(connection, call, operation);
  if (!all) return all.error();
  std::vector<std::string> statements;
  for (std::uint32_t number = 0; number < containers_; ++number)
    LAB_TRY(plan_container(*all, number, operation, statements));
  const FoundContainer* const main = with_number(*all, 0);
  const std::string name = fmt::format("{} {}", dialect_->container(), place_.name);
  if (main == nullptr) return name + " does not exist yet and will be made";
  if (!main->marked) return name + " is empty and will be marked as ours";
  LAB_TRY(check_held_by_no_other(connection, call, operation, run_id));
  return name + " is ours";
}

Result<std::optional<LockState>> LabNamespace::read_lock(Connection& connection, const CallContext& call,
                                                         const char* operation) const {
  const auto rows = connection.query(
      call, operation,
      fmt::format("SELECT run_id, (extract(epoch FROM clock_timestamp() - beat) * 1000)::bigint FROM {} "
                  "WHERE one = 1 AND made_by = '{}'",
                  dialect_->marker(container(0)), kMadeBy));
  if (!rows) return rows.error();
  if (rows->count() == 0) return std::optional<LockState>();
  return std::optional<LockState>(
      LockState{.run_id = std::string(rows->text(0, 0)), .age = Millis{rows->number(0, 1)}});
}

Result<bool> LabNamespace::write_lock(Connection& connection, const CallContext& call, const char* operation,
                                      const std::optional<std::string>& expected,
                                      const std::string& run_id) const {
  const std::string marker = dialect_->marker(container(0));
  Parameters parameters;
  parameters.text(run_id);
  std::string sql;
  if (expected) {
    parameters.text(*expected);
    sql = fmt::format("UPDATE {} SET run_id = $1, beat = clock_timestamp() WHERE one = 1 AND run_id = $2",
                      marker);
  } else {
    sql = fmt::format(
        "INSERT INTO {} (one, made_by, run_id, beat) VALUES (1, '{}', $1, clock_timestamp()) "
        "ON CONFLICT (one) DO NOTHING",
        marker, kMadeBy);
  }
  const auto rows = connection.query(call, operation, sql, parameters);
  if (!rows) return rows.error();
  return rows->affected() == 1;
}

namespace {

class RowLock final : public LockStore {
 public:
  RowLock(Address address, LabNamespace place) : address_(std::move(address)), place_(std::move(place)) {}

  Result<std::optional<LockState>> read(const CallContext& call) override {
    LAB_TRY(connect(call));
    return place_.read_lock(*connection_, call, kOperation);
  }

  Result<bool> write(const CallContext& call, const std::optional<std::string>& expected,
                     const std::string& run_id) override {
    LAB_TRY(connect(call));
    return place_.write_lock(*connection_, call, kOperation, expected, run_id);
  }

 private:
  static constexpr const char* kOperation = "pgwire.lock";

  Status connect(const CallContext& call) {
    if (connection_ != nullptr && !connection_->lost()) return allowed(call, kOperation);
    auto opened = Connection::open(address_, call, kOperation);
    if (!opened) return std::move(opened).error();
    connection_ = std::move(*opened);
    return ok();
  }

  Address address_;
  LabNamespace place_;
  std::unique_ptr<Connection> connection_{};
};

}  // namespace

std::unique_ptr<LockStore> lock_store(Address address, LabNamespace place) {
  return std::make_unique<RowLock>(std::move(address), std::move(place));
}

}  // namespace lab::pgwire
