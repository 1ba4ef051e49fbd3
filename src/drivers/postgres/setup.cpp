// SPDX-License-Identifier: Apache-2.0
#include "drivers/postgres/setup.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "drivers/pgwire/row_shape.hpp"

namespace lab::postgres {

using pgwire::identifier;

namespace {

constexpr const char* kNoPayloadColumn = "it is the storage of a payload column, which is not there";

}  // namespace

const std::vector<VariantInfo>& variants() {
  static const std::vector<VariantInfo> kVariants{
      {"toast_extended", "large values out of line, compressed by pglz (the default of bytea); VACUUM"},
      {"toast_external", "large values out of line, never compressed (STORAGE EXTERNAL); VACUUM",
       std::nullopt, kNoPayloadColumn},
      {"lz4", "as toast_extended, compressed by LZ4 (PostgreSQL 14 and later); VACUUM"},
      {"toast_extended+vacuum_full", "as toast_extended; maintenance is VACUUM FULL"},
      {"toast_external+vacuum_full", "as toast_external; maintenance is VACUUM FULL", std::nullopt,
       kNoPayloadColumn},
      {"lz4+vacuum_full", "as lz4; maintenance is VACUUM FULL"},
      {"deduplicate_items_off",
       "as toast_extended; B-tree indexes keep equal keys one by one (deduplicate_items = off); VACUUM"},
      {"deduplicate_items_off+vacuum_full", "as deduplicate_items_off; maintenance is VACUUM FULL"},
      {"insert_if_absent",
       "as toast_extended; sha256 is unique and a second one is not inserted (ON CONFLICT DO NOTHING)",
       std::nullopt, "its columns are not unique"},
  };
  return kVariants;
}

Result<Setup> make_setup(const std::string& variant, const SystemConfig& config) {
  Setup setup{.variant = variant,
              .external = variant.starts_with("toast_external"),
              .lz4 = variant.starts_with("lz4"),
              .vacuum_full = variant.ends_with("+vacuum_full"),
              .one_per_content = variant == "insert_if_absent",
              .each_key = variant.starts_with("deduplicate_items_off"),
              .schema = schema_of(config)};
  const auto autovacuum = config.options.find("autovacuum");
  if (autovacuum == config.options.end()) return setup;
  const std::vector<std::string> words{"off", "server"};
  if (autovacuum->second != "off" && autovacuum->second != "server")
    return bad_option("autovacuum", autovacuum->second, suggestion(autovacuum->second, words));
  setup.autovacuum = autovacuum->second == "server";
  return setup;
}

std::string PostgresDialect::prefix(const std::string& container) const {
  return identifier(container) + ".";
}

Result<std::vector<pgwire::FoundContainer>> PostgresDialect::find(pgwire::Connection& connection,
                                                                  const CallContext& call,
                                                                  const char* operation,
                                                                  const std::string& name) const {
  pgwire::Parameters parameters;
  parameters.text(name).text(pgwire::kMarkerTable).text(pgwire::kTable);
  const auto rows = connection.query(
      call, operation,
      "SELECT n.nspname, count(c.oid) FILTER (WHERE c.relname = $2 AND c.relkind = 'r'), "
      "count(c.oid) FILTER (WHERE c.relname = $3 AND c.relkind = 'r'), "
      "count(c.oid) FILTER (WHERE c.relname NOT IN ($2, $3) AND c.relkind NOT IN ('i', 't')) "
      "FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid "
      "WHERE n.nspname = $1 OR starts_with(n.nspname::text, $1 || '_') GROUP BY n.nspname",
      parameters);
  if (!rows) return rows.error();
  std::vector<pgwire::FoundContainer> all;
  for (int row = 0; row < rows->count(); ++row) {
    const std::string schema(rows->text(row, 0));
    const auto number = pgwire::container_number(name, schema);
    if (number)
      all.push_back({.name = schema,
                     .number = *number,
                     .marked = rows->number(row, 1) > 0,
                     .has_table = rows->number(row, 2) > 0,
                     .others = rows->number(row, 3)});
  }
  return all;
}

std::string PostgresDialect::create_container(const std::string& container) const {
  return "CREATE SCHEMA " + identifier(container);
}

std::string PostgresDialect::drop_container(const std::string& container) const {
  return "DROP SCHEMA " + identifier(container) + " RESTRICT";
}

std::vector<std::string> PostgresDialect::create_native_table(const std::string& container) const {
  const NativeSchema& schema = *setup_.schema;
  std::string columns;
  for (const NativeColumn& column : schema.columns) {
    const bool long_values = column.type == NativeType::kJson || column.type == NativeType::kBinary ||
                             column.type == NativeType::kReals ||
                             (column.type == NativeType::kText && column.digits == 0);
    columns += fmt::format(", {} {}{}{}", column.name, pgwire::type_sql(column),
                           long_values ? compression() : "", column.optional ? "" : " NOT NULL");
  }
  std::vector<std::string> statements{
      fmt::format("CREATE TABLE {} (id uuid NOT NULL{}, CONSTRAINT files_pkey PRIMARY KEY (id){}){}",
                  table(container), columns, btree(), storage())};
  if (!schema.index.empty())
    statements.push_back(
        fmt::format("CREATE INDEX files_index ON {} ({}){}", table(container), schema.index, btree()));
  if (schema.columns[0].type == NativeType::kJson)
    statements.push_back(fmt::format("CREATE INDEX files_index ON {} USING gin ({})", table(container),
                                     schema.columns[0].name));
  return statements;
}

const char* PostgresDialect::compression() const {
  if (version_ < kVersionCompressionClause) return "";
  return setup_.lz4 ? " COMPRESSION lz4" : " COMPRESSION pglz";
}

const char* PostgresDialect::btree() const {
  return setup_.each_key ? " WITH (deduplicate_items = off)" : "";
}

const char* PostgresDialect::storage() const {
  return setup_.autovacuum ? "" : " WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off)";
}

std::vector<std::string> PostgresDialect::create_table(const std::string& container) const {
  if (setup_.schema != nullptr) return create_native_table(container);
  return {
      fmt::format(
          "CREATE TABLE {} (id uuid NOT NULL, mime text NOT NULL, size_bytes bigint NOT NULL, "
          "sha256 bytea NOT NULL, payload bytea{} NOT NULL, CONSTRAINT files_pkey PRIMARY KEY (id){}{}){}",
          table(container), compression(), btree(),
          setup_.one_per_content ? ", CONSTRAINT files_sha256_key UNIQUE (sha256)" : "", storage()),
      fmt::format("ALTER TABLE {} ALTER COLUMN payload SET STORAGE {}", table(container),
                  setup_.external ? "EXTERNAL" : "EXTENDED")};
}

}  // namespace lab::postgres
