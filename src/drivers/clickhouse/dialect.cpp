// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/dialect.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "drivers/clickhouse/native_rows.hpp"

namespace lab::clickhouse {
namespace {

constexpr std::int64_t kValueMax = 1LL << 30;  // A server's limit for a String in a binary format.

/// Settings of the table, of which a server takes those that it has.
constexpr std::pair<const char*, const char*> kTableSettings[] = {
    // By default parts that were merged stay for 8 minutes, and each size would be read after that time only.
    {"old_parts_lifetime", "1"},
    // New servers remove them by a thread that looks every 30 to 300 seconds.
    {"max_cleanup_delay_period", "1"},
    {"cleanup_delay_period", "1"},
    {"cleanup_delay_period_random_add", "0"},
    // By default a part is acknowledged while it is in the page cache alone.
    {"fsync_after_insert", "1"},
    {"fsync_part_directory", "1"},
    {"min_rows_to_fsync_after_merge", "1"},
};

bool syncs_parts(const Server& server) { return server.has_table_setting("fsync_after_insert"); }

constexpr const char* kNoHash = "there is no column sha256, and no column is unique";
constexpr const char* kNoPayload = "it is the type of a payload column, which is not there";

}  // namespace

const std::vector<VariantInfo>& variants() {
  static const std::vector<VariantInfo> kVariants{
      {"default", "MergeTree, ORDER BY id, codec LZ4"},
      {"zstd", "as default, codec ZSTD(1); not before 19.1, where the server's configuration decides"},
      {"none", "as default, no compression; not before 19.1"},
      {"order_by_hash", "as default, ORDER BY sha256: equal objects become neighbours", std::nullopt,
       kNoHash},
      {"zstd+order_by_hash", "ZSTD(1) and ORDER BY sha256; not before 19.1", std::nullopt, kNoHash},
      {"low_cardinality", "as default, payload LowCardinality(String): a dictionary in each part",
       std::nullopt, kNoPayload},
      {"low_cardinality+none", "LowCardinality(String) without compression; not before 19.1", std::nullopt,
       kNoPayload},
      {"replacing", "ReplacingMergeTree, ORDER BY sha256: merges keep one row of equal ones", std::nullopt,
       kNoHash},
      {"deduplicate",
       "ORDER BY sha256, maintenance is OPTIMIZE ... FINAL DEDUPLICATE BY sha256; not before 21.1",
       std::nullopt, kNoHash},
      {"lightweight_delete", "as default, deletions by DELETE FROM, which marks rows; not before 23.3"},
  };
  return kVariants;
}

Setup setup_of(const std::string& variant) {
  Setup setup{.variant = variant};
  for (const std::string& word : split(variant, '+')) {
    if (word == "zstd") setup.codec = "ZSTD(1)";
    if (word == "none") setup.codec = "NONE";
    if (word == "order_by_hash") setup.by_hash = true;
    if (word == "low_cardinality") setup.low_cardinality = true;
    if (word == "replacing") setup.by_hash = setup.replacing = true;
    if (word == "deduplicate") setup.by_hash = setup.deduplicate = true;
    if (word == "lightweight_delete") setup.lightweight_delete = true;
  }
  return setup;
}

Status check_supported(const Setup& setup, const Server& server) {
  const auto lacks = [&](std::string_view what) {
    return Error{ErrorCode::kUnsupported, "clickhouse.open",
                 fmt::format("variant {}: ClickHouse {} {}", setup.variant, server.version_text, what)};
  };
  if (setup.codec != "LZ4" && !server.has_codecs())
    return lacks("has no codecs of columns: only its configuration file decides, for all tables alike");
  if (setup.deduplicate && !server.has_deduplicate_by())
    return lacks("has no DEDUPLICATE BY, only of whole rows, and ours differ by their id: nothing would go");
  if (setup.lightweight_delete && server.version < Version{23, 3, 0})
    return lacks("has no DELETE FROM, only mutations");
  return ok();
}

DriverInfo info_of(const Setup& setup, const Server& server) {
  DriverInfo info{
      .system = "clickhouse",
      .variant = setup.variant,
      .bulk_path = "INSERT, RowBinary streamed over HTTP, one part for at most 256 MiB",
      .durability =
          syncs_parts(server)
              ? "fsync of the new part and its folder (fsync_after_insert)"
              : "in the page cache: this server does not fsync a new part; syncfs before sizes are read",
      .capabilities = {Capability::kBatch, Capability::kStream, Capability::kGet, Capability::kEraseEach,
                       Capability::kDeleteLogical, Capability::kDeleteTruncate, Capability::kDeleteDrop,
                       Capability::kMaintenance},
      .second_put = SecondPut::kAppend,
      .keeps = setup.one_per_key() ? Keeps::kOnePerKeyAfterMaintenance : Keeps::kAll,
      .background_work = true,
      .object_size_max = kValueMax};
  return info;
}

std::string table_of(const std::string& database) {
  return fmt::format("{}.{}", identifier(database), identifier(kTable));
}

std::string create_table_sql(const Setup& setup, const Server& server, const std::string& database) {
  const std::string codec = server.has_codecs() ? fmt::format(" CODEC({})", setup.codec) : "";
  std::string columns = fmt::format("id FixedString(16){}", codec);
  if (setup.schema != nullptr) {
    columns += native_definitions(*setup.schema, server, codec);
  } else {
    columns += fmt::format(", mime String{0}, size_bytes UInt64{0}, sha256 FixedString(32){0}", codec);
    if (setup.replacing) columns += fmt::format(", version UInt64{}", codec);
    columns +=
        fmt::format(", payload {}{}", setup.low_cardinality ? "LowCardinality(String)" : "String", codec);
  }
  std::vector<std::string> settings;
  // Without the maximum it is an old server, on which the thread is for replicated tables alone.
  const bool cleanup_thread = server.has_table_setting("max_cleanup_delay_period");
  for (const auto& [name, value] : kTableSettings) {
    if (!cleanup_thread && std::string_view(name).starts_with("cleanup_delay_period")) continue;
    if (server.has_table_setting(name)) settings.push_back(fmt::format("{} = {}", name, value));
  }
  return fmt::format("CREATE TABLE {} ({}) ENGINE = {} ORDER BY {} SETTINGS {}", table_of(database), columns,
                     setup.replacing ? "ReplacingMergeTree(version)" : "MergeTree()",
                     setup.schema != nullptr ? native_order(*setup.schema)
                     : setup.by_hash         ? "sha256"
                                             : "id",
                     join(settings, ", "));
}

QuerySettings create_table_settings(const Setup& setup, const Server& server) {
  QuerySettings settings;
  const std::pair<const char*, bool> switches[] = {
      {"allow_experimental_low_cardinality_type", setup.low_cardinality},
      {"allow_experimental_decimal_type", setup.schema != nullptr}};
  for (const auto& [name, wanted] : switches)
    if (wanted && server.has_setting(name)) settings[name] = "1";
  return settings;
}

QuerySettings insert_settings(const Server& server, std::size_t rows) {
  const std::string all = std::to_string(std::max<std::size_t>(rows, 1));
  // The reader of the format cuts blocks of max_insert_block_size rows, and smaller ones by bytes on some
  // servers; behind it rows are gathered until either minimum is met. With the bytes' one off, all rows come
  // together in one block, a block becomes one part, and a part appears by a rename: all or nothing. The
  // price is that the server holds the block in memory.
  QuerySettings settings{{"max_insert_block_size", all},
                         {"min_insert_block_size_rows", all},
                         {"min_insert_block_size_bytes", "0"}};
  const std::pair<const char*, const char*> others[] = {
      {"insert_deduplicate", "0"},  // Else a block that was inserted before may be dropped in silence.
      {"async_insert", "0"},        // The default of new servers: answers for a buffer, not for a part.
      {"optimize_on_insert", "0"},  // ReplacingMergeTree would already drop rows here; merges shall do it.
  };
  for (const auto& [name, value] : others)
    if (server.has_setting(name)) settings[name] = value;
  return settings;
}

std::string insert_sql(const Setup& setup, const std::string& database) {
  if (setup.schema != nullptr)
    return fmt::format("INSERT INTO {} (id, {}) FORMAT RowBinary", table_of(database),
                       each_column(*setup.schema));
  return fmt::format("INSERT INTO {} (id, mime, size_bytes, sha256{}, payload) FORMAT RowBinary",
                     table_of(database), setup.replacing ? ", version" : "");
}

std::string payload_sql(const Setup& setup) {
  return setup.schema != nullptr ? native_selection(*setup.schema) : "payload";
}

std::string delete_sql(const Setup& setup, const std::string& database, const std::string& condition) {
  if (setup.lightweight_delete) return fmt::format("DELETE FROM {} WHERE {}", table_of(database), condition);
  return fmt::format("ALTER TABLE {} DELETE WHERE {}", table_of(database), condition);
}

QuerySettings delete_settings(const Server& server) {
  QuerySettings settings;
  for (const char* name : {"mutations_sync", "lightweight_deletes_sync"})
    if (server.has_setting(name)) settings[name] = "1";
  return settings;
}

std::string optimize_sql(const Setup& setup, const std::string& database) {
  return fmt::format("OPTIMIZE TABLE {} FINAL{}", table_of(database),
                     setup.deduplicate ? " DEDUPLICATE BY sha256" : "");
}

std::string drop_sql(const Server& server, const std::string& what) {
  // Without SYNC a new server keeps the files for 8 minutes; an old one removes them at once.
  return fmt::format("DROP {}{}", what, server.has_sync_drop() ? " SYNC" : "");
}

}  // namespace lab::clickhouse
