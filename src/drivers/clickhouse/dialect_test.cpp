// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/dialect.hpp"

#include <gtest/gtest.h>

namespace lab::clickhouse {
namespace {

Server old_server() {
  return {.version = {18, 16, 1},
          .version_text = "18.16.1",
          .settings = {"insert_deduplicate", "allow_experimental_low_cardinality_type"},
          .table_settings = {"old_parts_lifetime", "cleanup_delay_period"}};
}

Server new_server() {
  return {.version = {24, 8, 4},
          .version_text = "24.8.4.13",
          .settings = {"insert_deduplicate", "async_insert", "mutations_sync", "lightweight_deletes_sync"},
          .table_settings = {"old_parts_lifetime", "fsync_after_insert", "fsync_part_directory"}};
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(Dialect, VersionsAreReadAsServersTellThem) {
  EXPECT_EQ(*parse_version("18.16.1"), (Version{18, 16, 1}));
  EXPECT_EQ(*parse_version("24.8.4.13"), (Version{24, 8, 4}));
  EXPECT_EQ(*parse_version("25.3.1-testing\n"), (Version{25, 3, 1}));
  EXPECT_FALSE(parse_version("10"));
  EXPECT_FALSE(parse_version("nginx"));
  EXPECT_LT((Version{18, 16, 1}), (Version{24, 8, 4}));
}

TEST(Dialect, AnOldServersVariantsAreUnsupportedWithWhatItLacks) {
  for (const VariantInfo& variant : variants()) {
    const auto setup = setup_of(variant.name);
    EXPECT_TRUE(check_supported(setup, new_server())) << variant.name;
    const bool needs_codec = has(variant.name, "zstd") || has(variant.name, "none");
    const bool lacking = needs_codec || variant.name == "deduplicate" || variant.name == "lightweight_delete";
    const Status fit = check_supported(setup, old_server());
    EXPECT_EQ(fit.has_value(), !lacking) << variant.name;
    if (fit) continue;
    EXPECT_EQ(fit.error().code, ErrorCode::kUnsupported);
    EXPECT_TRUE(has(fit.error().detail, "18.16.1")) << fit.error().detail;
  }
}

TEST(Dialect, TablesUseWhatTheServerHas) {
  const std::string old_sql = create_table_sql(setup_of("default"), old_server(), "dedup-lab");
  EXPECT_EQ(
      old_sql,
      "CREATE TABLE `dedup-lab`.`files` (id FixedString(16), mime String, size_bytes UInt64, sha256 "
      "FixedString(32), payload String) ENGINE = MergeTree() ORDER BY id SETTINGS old_parts_lifetime = 1");
  const std::string new_sql = create_table_sql(setup_of("zstd+order_by_hash"), new_server(), "dedup_lab");
  EXPECT_TRUE(has(new_sql, "payload String CODEC(ZSTD(1))")) << new_sql;
  EXPECT_TRUE(has(new_sql, "ORDER BY sha256"));
  EXPECT_TRUE(has(new_sql, "fsync_after_insert = 1"));
  EXPECT_FALSE(has(new_sql, "min_rows_to_fsync_after_merge")) << "this server has no such setting";
  const std::string replacing = create_table_sql(setup_of("replacing"), old_server(), "dedup_lab");
  EXPECT_TRUE(has(replacing, "ENGINE = ReplacingMergeTree(version) ORDER BY sha256"));
  EXPECT_TRUE(has(replacing, "version UInt64"));
  EXPECT_TRUE(has(create_table_sql(setup_of("low_cardinality+none"), new_server(), "d"),
                  "payload LowCardinality(String) CODEC(NONE)"));
}

TEST(Dialect, SettingsThatAServerDoesNotKnowAreNotSent) {
  EXPECT_FALSE(insert_settings(old_server(), 5).contains("async_insert"));
  EXPECT_EQ(insert_settings(new_server(), 5).at("async_insert"), "0");
  EXPECT_EQ(insert_settings(old_server(), 5).at("min_insert_block_size_rows"), "5");
  EXPECT_TRUE(delete_settings(old_server()).empty());
  EXPECT_EQ(delete_settings(new_server()).at("mutations_sync"), "1");
  EXPECT_EQ(create_table_settings(setup_of("low_cardinality"), old_server()).size(), 1U);
  EXPECT_TRUE(create_table_settings(setup_of("default"), old_server()).empty());
  EXPECT_EQ(drop_sql(old_server(), "TABLE t"), "DROP TABLE t");
  EXPECT_EQ(drop_sql(new_server(), "TABLE t"), "DROP TABLE t SYNC");
}

TEST(Dialect, DurabilityIsWhatTheServerDoes) {
  EXPECT_TRUE(has(info_of(setup_of("default"), old_server()).durability, "page cache"));
  EXPECT_TRUE(has(info_of(setup_of("default"), new_server()).durability, "fsync of the new part"));
  EXPECT_EQ(info_of(setup_of("replacing"), old_server()).keeps, Keeps::kOnePerKeyAfterMaintenance);
  EXPECT_EQ(info_of(setup_of("order_by_hash"), old_server()).keeps, Keeps::kAll);
}

}  // namespace
}  // namespace lab::clickhouse
