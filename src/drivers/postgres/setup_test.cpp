// SPDX-License-Identifier: Apache-2.0
#include "drivers/postgres/setup.hpp"

#include <gtest/gtest.h>

namespace lab::postgres {
namespace {

std::string schema_of(const std::string& variant, int version = 150000, const SystemConfig& config = {}) {
  const PostgresDialect dialect(*make_setup(variant, config), version);
  std::string all;
  for (const std::string& sql : dialect.create_table("dedup_lab_1")) all += sql + ";";
  return all;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST(PostgresSetup, EachVariantSaysHowValuesAreStored) {
  EXPECT_TRUE(has(schema_of("toast_extended"), "payload bytea COMPRESSION pglz NOT NULL"));
  EXPECT_TRUE(has(schema_of("toast_extended"), "SET STORAGE EXTENDED"));
  EXPECT_TRUE(has(schema_of("toast_external+vacuum_full"), "SET STORAGE EXTERNAL"));
  EXPECT_TRUE(has(schema_of("lz4"), "COMPRESSION lz4"));
  EXPECT_TRUE(has(schema_of("lz4+vacuum_full"), "COMPRESSION lz4"));
  EXPECT_FALSE(has(schema_of("toast_extended"), "UNIQUE"));
  EXPECT_TRUE(has(schema_of("insert_if_absent"), "UNIQUE (sha256)"));
}

TEST(PostgresSetup, EqualKeysOfAnIndexAreMergedUnlessTheVariantSaysNo) {
  SystemConfig config;
  for (const char* mode : {"blob", "native"}) {
    SCOPED_TRACE(mode);
    config.mode = mode;
    config.payload = "uuid_keys";
    EXPECT_FALSE(has(schema_of("toast_extended", 150000, config), "deduplicate_items"));
    for (const char* variant : {"deduplicate_items_off", "deduplicate_items_off+vacuum_full"})
      EXPECT_TRUE(has(schema_of(variant, 150000, config),
                      "CONSTRAINT files_pkey PRIMARY KEY (id) WITH (deduplicate_items = off)"));
  }
  EXPECT_TRUE(
      has(schema_of("deduplicate_items_off", 150000, config),
          "CREATE INDEX files_index ON \"dedup_lab_1\".files (entity) WITH (deduplicate_items = off)"));
}

TEST(PostgresSetup, AnOldServerGetsNoClauseThatItDoesNotKnow) {
  EXPECT_FALSE(has(schema_of("toast_extended", 130000), "COMPRESSION"));
}

TEST(PostgresSetup, MaintenanceIsTheOneThatTheVariantNames) {
  for (const VariantInfo& variant : variants())
    EXPECT_EQ(make_setup(variant.name, {})->vacuum_full, has(variant.what, "VACUUM FULL")) << variant.name;
}

TEST(PostgresSetup, AutovacuumIsOffForOurTablesUnlessTheServerShallDecide) {
  EXPECT_TRUE(has(schema_of("toast_extended"), "autovacuum_enabled = off, toast.autovacuum_enabled = off"));
  SystemConfig config;
  config.options["autovacuum"] = "server";
  EXPECT_FALSE(has(schema_of("toast_extended", 150000, config), "autovacuum"));
  config.options["autovacuum"] = "on";
  EXPECT_EQ(make_setup("toast_extended", config).error().code, ErrorCode::kInvalidArgument);
}

TEST(PostgresSetup, NamesAreQuoted) {
  EXPECT_TRUE(has(schema_of("toast_extended"), "CREATE TABLE \"dedup_lab_1\".files"));
  const PostgresDialect dialect(postgres::Setup{});
  EXPECT_EQ(dialect.create_container("a-b"), "CREATE SCHEMA \"a-b\"");
  EXPECT_EQ(dialect.drop_container("a-b"), "DROP SCHEMA \"a-b\" RESTRICT");
}

}  // namespace lab::postgres
