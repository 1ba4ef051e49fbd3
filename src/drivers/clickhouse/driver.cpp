// The data connection: rows in, rows out, deletions as mutations, merges as maintenance.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/text.hpp"
#include "driver/placed_id.hpp"
#include "driver/waiting.hpp"
#include "drivers/clickhouse/native_rows.hpp"
#include "drivers/clickhouse/row_binary.hpp"
#include "drivers/clickhouse/session.hpp"

namespace lab::clickhouse {
namespace {

constexpr Millis kMutationPoll{5};
constexpr Millis kMergePoll{100};
constexpr std::size_t kKeysAStatement =
    1'000;  // 44 bytes each: below the server's max_query_size of 256 KiB.
constexpr std::size_t kStreamRowsMax = 1U << 30U;  // More than any stream has.
constexpr int kUnknownTable = 60;
constexpr int kCannotAssign = 388;  // CANNOT_ASSIGN_OPTIMIZE

std::string id_literal(const ObjectId& id) { return fmt::format("unhex('{}')", to_hex(id)); }

std::string id_condition(std::span<const ObjectKey> keys) {
  std::vector<std::string> all;
  for (const ObjectKey& key : keys) all.push_back(id_literal(key.id));
  return keys.size() == 1 ? "id = " + all.front() : fmt::format("id IN ({})", join(all, ", "));
}

class ClickhouseDriver final : public Driver {
 public:
  explicit ClickhouseDriver(const Shared& shared)
      : shared_(shared),
        home_(shared.home),
        setup_(home_.setup()),
        server_(home_.server()),
        connection_(shared.connect()),
        info_(info_of(setup_, server_)) {}

  const DriverInfo& info() const noexcept override { return info_; }

  Status prove(const CallContext& call) override {
    return connection_.check_lifetime(call, "clickhouse.prove");
  }

  Status reset(const CallContext& call) override {
    LAB_TRY(allowed(call, "clickhouse.reset"));
    return home_.reset(connection_, call, shared_.run_id);
  }

  Status put(const CallContext& call, const Object& object) override {
    LAB_TRY(allowed(call, "clickhouse.put"));
    LAB_TRY(check_container(object.container, home_.containers(), "clickhouse.put"));
    return insert(call, object.container, {&object}, "clickhouse.put");
  }

  /// All or nothing in each container; a batch over several containers is one INSERT each.
  Status put_batch(const CallContext& call, std::span<const Object> objects) override {
    const char* const operation = "clickhouse.put_batch";
    LAB_TRY(allowed(call, operation));
    std::map<std::uint32_t, std::vector<const Object*>> placed;
    for (const Object& object : objects) {
      LAB_TRY(check_container(object.container, home_.containers(), operation));
      placed[object.container].push_back(&object);
    }
    for (const auto& [container, rows] : placed) LAB_TRY(insert(call, container, rows, operation));
    return ok();
  }

  Status put_stream(const CallContext& call, const ObjectSource& source) override {
    LAB_TRY(allowed(call, "clickhouse.put_stream"));
    return insert_rows(call, 0, source, std::nullopt, kStreamRowsMax, "clickhouse.put_stream");
  }

  Status read_all(const CallContext& call, const ObjectSink& sink) override {
    LAB_TRY(allowed(call, "clickhouse.read_all"));
    for (std::uint32_t container = 0; container < home_.containers(); ++container)
      LAB_TRY(read_container(call, container, sink));
    return ok();
  }

  Result<std::uint64_t> count(const CallContext& call) override {
    const char* const operation = "clickhouse.count";
    LAB_TRY(allowed(call, operation));
    std::uint64_t all = 0;
    for (std::uint32_t container = 0; container < home_.containers(); ++container) {
      const auto rows = connection_.number("SELECT count() FROM " + table(container), call, operation);
      // A deletion by DROP that was cut short leaves no table, and so no object.
      const bool no_table = !rows && exception_code(rows.error().detail) == kUnknownTable;
      if (!rows && !no_table) return rows.error();
      if (rows) all += *rows;
    }
    return all;
  }

  /// An INSERT has put its part in its place: the server buffers nothing. A round trip shows that it is the
  /// server that acknowledged.
  Status flush(const CallContext& call) override {
    return connection_.check_lifetime(call, "clickhouse.flush");
  }

  Result<std::string> get(const CallContext& call, const ObjectKey& key) override {
    const char* const operation = "clickhouse.get";
    LAB_TRY(allowed(call, operation));
    LAB_TRY(check_container(key.container, home_.containers(), operation));
    const auto answer =
        connection_.send({.sql = fmt::format("SELECT {} FROM {} WHERE id = {} LIMIT 1 FORMAT RowBinary",
                                             payload_sql(setup_), table(key.container), id_literal(key.id))},
                         call, operation);
    if (!answer) return answer.error();
    if (answer->empty()) return Error{ErrorCode::kNotFound, operation, format_uuid(key.id)};
    const auto value = leading_string(*answer);
    if (!value) return Error{ErrorCode::kCorruption, operation, "an answer that is no value"};
    const auto payload = payload_of(*value, operation);
    if (!payload) return payload.error();
    return std::string(as_text(payload->bytes()));
  }

  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override {
    const char* const operation = "clickhouse.erase";
    LAB_TRY(allowed(call, operation));
    std::map<std::uint32_t, std::vector<ObjectKey>> placed;
    for (const ObjectKey& key : keys) {
      LAB_TRY(check_container(key.container, home_.containers(), operation));
      placed[key.container].push_back(key);
    }
    const auto each_group = [&](const auto& work) -> Status {
      for (const auto& [container, all] : placed)
        for (std::size_t first = 0; first < all.size(); first += kKeysAStatement)
          LAB_TRY(
              work(container, std::span(all).subspan(first, std::min(kKeysAStatement, all.size() - first))));
      return ok();
    };
    LAB_TRY(each_group([&](std::uint32_t container, std::span<const ObjectKey> group) {
      return check_there(call, container, group, operation);
    }));
    return each_group([&](std::uint32_t container, std::span<const ObjectKey> group) {
      return delete_where(call, container, id_condition(group), operation);
    });
  }

  Status erase_all(const CallContext& call, DeleteAll how) override {
    const char* const operation = "clickhouse.erase_all";
    LAB_TRY(allowed(call, operation));
    for (std::uint32_t container = 0; container < home_.containers(); ++container) {
      switch (how) {
        case DeleteAll::kLogical:
          LAB_TRY(delete_where(call, container, "1", operation));
          break;
        case DeleteAll::kTruncate:
          LAB_TRY(connection_.execute(fmt::format("TRUNCATE TABLE {}", table(container)), call, operation));
          break;
        case DeleteAll::kDrop:
          LAB_TRY(connection_.execute(drop_sql(server_, "TABLE " + table(container)), call, operation));
          break;
      }
    }
    if (how == DeleteAll::kDrop) return home_.make_tables(connection_, call);
    return ok();
  }

  /// Merges each table into one part and waits until what was merged is gone from disk. It worked when the
  /// server has other parts now than before.
  Result<MaintenanceOutcome> maintain(const CallContext& call) override {
    const char* const operation = "clickhouse.maintain";
    LAB_TRY(allowed(call, operation));
    const auto before = part_names(call, operation);
    if (!before) return before.error();
    for (std::uint32_t container = 0; container < home_.containers(); ++container)
      LAB_TRY(optimize(call, container, operation));
    int looks = 0;
    LAB_TRY(poll_until(call, kMergePoll, operation, [&]() -> Result<bool> {
      // New servers look for old parts ever more seldom when nothing else is to do, up to every ten minutes.
      if (server_.wakes_on_start_merges() && looks++ % 10 == 0)
        for (std::uint32_t container = 0; container < home_.containers(); ++container)
          ignore(connection_.execute("SYSTEM START MERGES " + table(container), call, operation),
                 "it only shortens the wait, and a user may lack the right");
      const auto left = connection_.number(
          fmt::format("SELECT sum(n) FROM (SELECT count() AS n FROM system.merges WHERE {0} UNION ALL SELECT "
                      "count() AS n FROM system.parts WHERE {0} AND NOT active)",
                      ours()),
          call, operation);
      if (!left) return left.error();
      return *left == 0;
    }));
    const auto after = part_names(call, operation);
    if (!after) return after.error();
    return MaintenanceOutcome{
        fmt::format("OPTIMIZE TABLE FINAL{}: {} -> {} parts",
                    setup_.deduplicate ? " DEDUPLICATE BY sha256" : "", before->size(), after->size()),
        *before != *after};
  }

 private:
  std::string table(std::uint32_t container) const { return table_of(home_.database(container)); }
  std::string ours() const {
    return fmt::format("database IN ({}) AND table = {}", home_.database_list(), literal(kTable));
  }

  Status insert(const CallContext& call, std::uint32_t container, const std::vector<const Object*>& rows,
                const char* operation) {
    std::optional<std::int64_t> bytes;
    if (setup_.schema == nullptr) bytes = RowSource::bytes_of(rows, setup_.replacing);
    return insert_rows(call, container, source_of(rows), bytes, rows.size(), operation);
  }

  Status insert_rows(const CallContext& call, std::uint32_t container, const ObjectSource& objects,
                     std::optional<std::int64_t> bytes, std::size_t rows_max, const char* operation) {
    RowSource source(objects, {.with_version = setup_.replacing,
                               .schema = setup_.schema,
                               .milliseconds = server_.has_milliseconds()});
    const auto answer =
        connection_.send({.sql = insert_sql(setup_, home_.database(container)),
                          .settings = insert_settings(server_, rows_max),
                          .source = [&source](std::span<char> buffer) { return source.fill(buffer); },
                          .bytes = bytes},
                         call, operation);
    if (!answer) return answer.error();
    if (answer->empty()) return ok();
    return exception_error(*answer, operation);  // An INSERT says nothing when it is done.
  }

  Status read_container(const CallContext& call, std::uint32_t container, const ObjectSink& sink) {
    const char* const operation = "clickhouse.read_all";
    const auto rows = connection_.number("SELECT count() FROM " + table(container), call, operation);
    if (!rows) return rows.error();
    RowReader reader(
        [&](const ObjectId& id, std::span<const std::byte> value) -> Status {
          LAB_TRY(allowed(call, operation));
          const auto payload = payload_of(as_text(value), operation);
          if (!payload) return payload.error();
          return sink(id, container, payload->bytes());
        },
        operation);
    const auto answer =
        connection_.send({.sql = fmt::format("SELECT toUInt32({}), id, {} FROM {} FORMAT RowBinary", kRowMark,
                                             payload_sql(setup_), table(container)),
                          .sink = [&reader](std::string_view bytes) { return reader.take(bytes); }},
                         call, operation);
    if (!answer) {
      // New servers break the connection off behind the exception: their words say more.
      const auto said = reader.exception();
      return said && answer.error().code == ErrorCode::kConnectionLost ? *said : answer.error();
    }
    // A merge may have taken rows of equal keys since they were counted, but no more than are gone now.
    const auto left = setup_.replacing
                          ? connection_.number("SELECT count() FROM " + table(container), call, operation)
                          : rows;
    if (!left) return left.error();
    return reader.finish(std::min(*left, *rows), *rows);
  }

  /// Of what payload_sql selects.
  Result<ReadPayload> payload_of(std::string_view value, const char* operation) const {
    if (setup_.schema != nullptr) return native_payload(*setup_.schema, value, operation);
    return ReadPayload(as_bytes(value));
  }

  /// Errors: kNotFound naming an id that is not in the table.
  Status check_there(const CallContext& call, std::uint32_t container, std::span<const ObjectKey> keys,
                     const char* operation) {
    const auto rows = connection_.rows(
        fmt::format("SELECT DISTINCT hex(id) FROM {} WHERE {}", table(container), id_condition(keys)), call,
        operation);
    if (!rows) return rows.error();
    std::set<std::string> there;
    for (const auto& row : *rows) there.insert(row[0]);
    for (const ObjectKey& key : keys) {
      std::string name = to_hex(key.id);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char digit) { return static_cast<char>(std::toupper(digit)); });
      if (!there.contains(name)) return Error{ErrorCode::kNotFound, operation, format_uuid(key.id)};
    }
    return ok();
  }

  Status delete_where(const CallContext& call, std::uint32_t container, const std::string& condition,
                      const char* operation) {
    Status done = connection_.execute(delete_sql(setup_, home_.database(container), condition), call,
                                      operation, delete_settings(server_));
    // An old server has only queued it.
    if (done) done = wait_for_mutations(call, container, operation);
    if (!done && !allowed(call, operation) && server_.has_kill_mutation()) kill_mutations(container);
    return done;
  }

  Status wait_for_mutations(const CallContext& call, std::uint32_t container, const char* operation) {
    return poll_until(call, kMutationPoll, operation, [&]() -> Result<bool> {
      const auto left = connection_.number(
          fmt::format(
              "SELECT count() FROM system.mutations WHERE database = {} AND table = {} AND NOT is_done",
              literal(home_.database(container)), literal(kTable)),
          call, operation);
      if (!left) return left.error();
      return *left == 0;
    });
  }

  /// The call is over: a mutation that goes on would take rows from what comes next.
  void kill_mutations(std::uint32_t container) {
    constexpr Millis kLimit{500};
    ignore(connection_.execute(
               fmt::format("KILL MUTATION WHERE database = {} AND table = {} AND NOT is_done ASYNC",
                           literal(home_.database(container)), literal(kTable)),
               {Clock::now() + kLimit, {}}, "clickhouse.kill"),
           "the call has its error already");
  }

  Result<std::set<std::string>> part_names(const CallContext& call, const char* operation) {
    const auto rows =
        connection_.rows(fmt::format("SELECT concat(database, '/', name) FROM system.parts WHERE {}", ours()),
                         call, operation);
    if (!rows) return rows.error();
    std::set<std::string> names;
    for (const auto& row : *rows) names.insert(row[0]);
    return names;
  }

  /// Parts that are in a merge already cannot be merged: the server then does nothing, and says so only when
  /// it is asked to throw.
  Status optimize(const CallContext& call, std::uint32_t container, const char* operation) {
    return poll_until(call, kMergePoll, operation, [&]() -> Result<bool> {
      const auto active = connection_.number(
          fmt::format("SELECT count() FROM system.parts WHERE database = {} AND table = {} AND active",
                      literal(home_.database(container)), literal(kTable)),
          call, operation);
      if (!active) return active.error();
      if (*active == 0) return true;
      const Status done = connection_.execute(optimize_sql(setup_, home_.database(container)), call,
                                              operation, {{"optimize_throw_if_noop", "1"}});
      if (done) return true;
      if (exception_code(done.error().detail) == kCannotAssign) return false;
      return done.error();
    });
  }

  const Shared& shared_;
  const Home& home_;
  const Setup& setup_;
  const Server& server_;
  Connection connection_;
  DriverInfo info_;
};

}  // namespace

std::unique_ptr<Driver> make_driver(const Shared& shared) {
  return std::make_unique<ClickhouseDriver>(shared);
}

}  // namespace lab::clickhouse
