// What ClickHouse says about itself, from its system tables, on a connection of the observer's.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>

#include "core/text.hpp"
#include "drivers/clickhouse/session.hpp"

namespace lab::clickhouse {
namespace {

double real(const std::string& text) { return std::strtod(text.c_str(), nullptr); }
Bytes bytes_of(const std::string& text) { return Bytes{std::strtoll(text.c_str(), nullptr, 10)}; }

class ClickhouseObserver final : public Observer {
 public:
  explicit ClickhouseObserver(const Shared& shared)
      : shared_(shared), home_(shared.home), server_(home_.server()), connection_(shared.connect()) {}

  Result<ServerIdentity> identity(const CallContext& call) override {
    LAB_TRY(allowed(call, "clickhouse.identity"));
    const auto version = connection_.text("SELECT version()", call, "clickhouse.identity");
    if (!version) return version.error();
    LAB_TRY(connection_.check_lifetime(call, "clickhouse.identity"));
    return ServerIdentity{
        .name = "ClickHouse",
        .version = *version,
        .identity = server_.uuid.empty() ? server_.host + ":" + server_.data_path : server_.uuid,
        .started_at = connection_.lifetime().started_at()};
  }

  Result<std::map<std::string, std::string>> settings(const CallContext& call) override {
    const char* const operation = "clickhouse.settings";
    LAB_TRY(allowed(call, operation));
    std::map<std::string, std::string> differing;
    const auto changed =
        connection_.rows("SELECT name, value FROM system.settings WHERE changed", call, operation);
    if (!changed) return changed.error();
    for (const auto& row : *changed) differing[row[0]] = row[1];
    const auto tables =
        connection_.rows("SELECT name, value FROM system.merge_tree_settings WHERE changed", call, operation);
    if (!tables) return tables.error();
    for (const auto& row : *tables) differing["merge_tree/" + row[0]] = row[1];
    const auto engine = connection_.rows(
        fmt::format(
            "SELECT engine_full, create_table_query FROM system.tables WHERE database = {} AND name = {}",
            literal(home_.database(0)), literal(kTable)),
        call, operation);
    if (!engine) return engine.error();
    for (const auto& row : *engine) differing["table/engine"] = row[0];
    for (const auto& [name, value] : insert_settings(server_, 1))
      if (!name.ends_with("_rows") && name != "max_insert_block_size") differing["insert/" + name] = value;
    for (const auto& [name, value] : create_table_settings(home_.setup(), server_))
      differing["create/" + name] = value;
    return differing;
  }

  Result<std::map<std::string, double>> busy(const CallContext& call) override {
    std::vector<std::string> questions{
        "SELECT 'merges' AS name, toFloat64(count()) AS value FROM system.merges WHERE " + ours(),
        "SELECT 'mutations' AS name, toFloat64(count()) AS value FROM system.mutations WHERE " + ours() +
            " AND NOT is_done",
        "SELECT 'inactive_parts' AS name, toFloat64(count()) AS value FROM system.parts WHERE " + ours() +
            " AND NOT active"};
    if (server_.has_table("moves"))
      questions.push_back(
          "SELECT 'part_moves' AS name, toFloat64(count()) AS value FROM system.moves WHERE " + ours());
    if (server_.has_table("dropped_tables"))
      questions.push_back(
          "SELECT 'dropped_tables' AS name, toFloat64(count()) AS value FROM system.dropped_tables WHERE " +
          ours());
    return pairs(call, join(questions, " UNION ALL "), "clickhouse.busy");
  }

  Result<std::vector<Counter>> activity(const CallContext& call) override {
    // Merges that find no room are only counted, for all tables together.
    const std::string failed = server_.has_table("errors")
                                   ? "UNION ALL SELECT 'failed_' || name AS name, toFloat64(value) AS value "
                                     "FROM system.errors WHERE name = 'NOT_ENOUGH_SPACE'"
                                   : "";
    const auto values = pairs(
        call,
        fmt::format(
            "SELECT metric AS name, toFloat64(value) AS value FROM system.metrics WHERE metric IN "
            "('Query', 'Merge', 'PartMutation', 'MemoryTracking', 'MergesMutationsMemoryTracking') "
            "UNION ALL SELECT event AS name, toFloat64(value) AS value FROM system.events WHERE event "
            "IN ('InsertedRows', 'InsertedBytes', 'MergedRows', 'MergedUncompressedBytes', "
            "'ReadCompressedBytes', 'WriteBufferFromFileDescriptorWriteBytes') UNION ALL SELECT "
            "'active_parts' AS name, toFloat64(count()) AS value FROM system.parts WHERE {0} AND active "
            "UNION ALL SELECT 'active_bytes' AS name, toFloat64(sum(bytes_on_disk)) AS value FROM "
            "system.parts WHERE {0} AND active {1}",
            ours(), failed),
        "clickhouse.activity");
    if (!values) return values.error();
    std::vector<Counter> counters;
    for (const auto& [name, value] : *values) {
      const bool in_bytes =
          name.ends_with("Bytes") || name.ends_with("_bytes") || name.ends_with("MemoryTracking");
      const char* const count = name.starts_with("failed_") ? "failures" : "1";
      counters.push_back({name, value, in_bytes ? "bytes" : count});
    }
    return counters;
  }

  /// Parts that are not active (merged, mutated or dropped, but still on disk) are meta. Where a mutation
  /// hard-linked their files into the new part they stand in both: only at rest, when there are none, is the
  /// total what lies on disk.
  Result<Footprint> footprint(const CallContext& call) override {
    const char* const operation = "clickhouse.footprint";
    LAB_TRY(allowed(call, operation));
    std::string index = "sum(marks_bytes)";
    for (const char* column : {"primary_key_size", "secondary_indices_compressed_bytes"})
      if (server_.part_columns.contains(column)) index += fmt::format(" + sum({})", column);
    const auto rows = connection_.rows(
        fmt::format(
            "SELECT sum(bytes_on_disk), sum(data_compressed_bytes), {} FROM system.parts WHERE {} AND "
            "active UNION ALL SELECT sum(bytes_on_disk), toUInt64(0), toUInt64(0) FROM system.parts "
            "WHERE {} AND NOT active",
            index, ours(), ours()),
        call, operation);
    if (!rows) return rows.error();
    Footprint figure;
    Bytes payload;
    Bytes indexes;
    for (const auto& row : *rows) {
      figure.total += bytes_of(row[0]);
      payload += bytes_of(row[1]);
      indexes += bytes_of(row[2]);
    }
    figure.parts = {{"payload", payload}, {"index", indexes}, {"meta", figure.total - payload - indexes}};
    return figure;
  }

  /// The folders of the tables `files`; the marker with its heartbeats is the instrument's and not counted.
  Result<std::vector<std::filesystem::path>> directories(const CallContext& call) override {
    const char* const operation = "clickhouse.directories";
    LAB_TRY(allowed(call, operation));
    std::vector<std::filesystem::path> folders;
    if (shared_.directory.empty()) return folders;
    const bool old = server_.version < Version{19, 16, 0};
    const auto paths = connection_.rows(
        fmt::format("SELECT {} FROM system.tables WHERE database IN ({}) AND name = {}",
                    old ? "data_path" : "arrayJoin(data_paths)", home_.database_list(), literal(kTable)),
        call, operation);
    if (!paths) return paths.error();
    for (const auto& row : *paths) {
      const auto relative = std::filesystem::path(row[0]).lexically_relative(server_.data_path);
      if (relative.empty() || relative.begin()->string() == "..")
        return Error{ErrorCode::kUnsupported, operation,
                     "the table lies outside of the server's data path, at " + row[0]};
      folders.push_back((shared_.directory / relative).lexically_normal());
    }
    return folders;
  }

  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override {
    const std::string extension = relative.extension().string();
    if (extension == ".bin") return FilePart::kPayload;
    const bool index = extension == ".idx" || extension == ".cidx" || extension.starts_with(".mrk") ||
                       extension.starts_with(".cmrk");
    return index ? FilePart::kIndex : FilePart::kMeta;
  }

  Bytes quantum() const override { return 4_KiB; }

  /// Plain MergeTree tables are kept once. An engine that a server put in their place may keep more.
  Result<double> copies(const CallContext& call) override {
    const char* const operation = "clickhouse.copies";
    LAB_TRY(allowed(call, operation));
    const auto engines =
        connection_.rows(fmt::format("SELECT engine FROM system.tables WHERE database IN ({}) AND name = {}",
                                     home_.database_list(), literal(kTable)),
                         call, operation);
    if (!engines) return engines.error();
    for (const auto& row : *engines)
      if (row[0] != "MergeTree" && row[0] != "ReplacingMergeTree")
        return Error{
            ErrorCode::kUnsupported, operation,
            "the server made a table of engine " + row[0] + ", which keeps copies that it does not tell"};
    return 1.0;
  }

  Result<std::map<std::string, double>> statement_seconds(const CallContext& call) override {
    auto values =
        pairs(call,
              "SELECT event AS name, toFloat64(value) AS value FROM system.events WHERE event IN "
              "('SelectQueryTimeMicroseconds', 'InsertQueryTimeMicroseconds', 'OtherQueryTimeMicroseconds', "
              "'MergesTimeMilliseconds')",
              "clickhouse.statement_seconds");
    if (!values) return values.error();
    const std::pair<const char*, std::pair<const char*, double>> classes[] = {
        {"SelectQueryTimeMicroseconds", {"select", 1e6}},
        {"InsertQueryTimeMicroseconds", {"insert", 1e6}},
        {"OtherQueryTimeMicroseconds", {"other", 1e6}},
        {"MergesTimeMilliseconds", {"merge", 1e3}}};
    std::map<std::string, double> seconds;
    for (const auto& [event, named] : classes)
      if (const auto found = values->find(event); found != values->end())
        seconds[named.first] = found->second / named.second;
    return seconds;
  }

 private:
  std::string ours() const {
    return fmt::format("database IN ({}) AND table = {}", home_.database_list(), literal(kTable));
  }

  /// Rows of name and value.
  Result<std::map<std::string, double>> pairs(const CallContext& call, const std::string& sql,
                                              const char* operation) {
    LAB_TRY(allowed(call, operation));
    const auto rows = connection_.rows(sql, call, operation);
    if (!rows) return rows.error();
    std::map<std::string, double> values;
    for (const auto& row : *rows) values[row[0]] = real(row[1]);
    return values;
  }

  const Shared& shared_;
  const Home& home_;
  const Server& server_;
  Connection connection_;
};

}  // namespace

std::unique_ptr<Observer> make_observer(const Shared& shared) {
  return std::make_unique<ClickhouseObserver>(shared);
}

}  // namespace lab::clickhouse
