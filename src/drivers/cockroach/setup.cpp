// SPDX-License-Identifier: Apache-2.0
#include "drivers/cockroach/setup.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/text.hpp"

namespace lab::cockroach {
namespace {

using pgwire::identifier;

constexpr std::int64_t kDefaultGcTtl = 1;
constexpr std::int64_t kGcTtlMax = 86'400;

}  // namespace

const std::vector<VariantInfo>& variants() {
  static const std::vector<VariantInfo> kVariants{
      {"default", "gc.ttlseconds as the cluster has it (hours): deleted versions outlast a run"},
      {"gc_ttl", "gc.ttlseconds = 1 on our tables; maintenance is MVCC garbage collection and compaction"},
      {"row_ttl", "as default; each row carries an expiration of 30 days (ttl_expire_after)"},
  };
  return kVariants;
}

Result<Setup> make_setup(const std::string& variant, const SystemConfig& config) {
  Setup setup{.variant = variant, .row_ttl = variant == "row_ttl"};
  if (variant == "gc_ttl") setup.gc_ttl_seconds = kDefaultGcTtl;
  const auto option = config.options.find("gc_ttl_seconds");
  if (option == config.options.end()) return setup;
  const std::string& text = option->second;
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure != std::errc() || end != text.data() + text.size() || seconds < 1 || seconds > kGcTtlMax)
    return bad_option("gc_ttl_seconds", text, fmt::format(": an integer from 1 to {}", kGcTtlMax));
  if (variant == "gc_ttl") setup.gc_ttl_seconds = seconds;
  return setup;
}

std::optional<int> major_version(std::string_view words) {
  if (!words.starts_with("CockroachDB")) return std::nullopt;
  const std::size_t at = words.find(" v");
  if (at == std::string_view::npos) return std::nullopt;
  int major = 0;
  const char* const begin = words.data() + at + 2;
  const auto [end, failure] = std::from_chars(begin, words.data() + words.size(), major);
  if (failure != std::errc()) return std::nullopt;
  return major;
}

std::string CockroachDialect::prefix(const std::string& container) const {
  return identifier(container) + ".public.";
}

Result<std::vector<pgwire::FoundContainer>> CockroachDialect::find(pgwire::Connection& connection,
                                                                   const CallContext& call,
                                                                   const char* operation,
                                                                   const std::string& name) const {
  const auto databases = connection.query(call, operation, "SELECT datname FROM pg_catalog.pg_database");
  if (!databases) return databases.error();
  std::vector<pgwire::FoundContainer> all;
  for (int row = 0; row < databases->count(); ++row) {
    pgwire::FoundContainer one{.name = std::string(databases->text(row, 0))};
    const auto number = pgwire::container_number(name, one.name);
    if (!number) continue;
    one.number = *number;
    const auto tables = connection.query(
        call, operation,
        fmt::format(
            "SELECT table_name FROM {}.information_schema.tables WHERE table_schema NOT IN ('crdb_internal', "
            "'information_schema', 'pg_catalog', 'pg_extension')",
            identifier(one.name)));
    if (!tables) return tables.error();
    for (int table = 0; table < tables->count(); ++table) {
      const std::string_view found = tables->text(table, 0);
      if (found == pgwire::kMarkerTable)
        one.marked = true;
      else if (found == pgwire::kTable)
        one.has_table = true;
      else
        one.others += 1;
    }
    all.push_back(std::move(one));
  }
  return all;
}

std::string CockroachDialect::create_container(const std::string& container) const {
  return "CREATE DATABASE " + identifier(container);
}

std::string CockroachDialect::drop_container(const std::string& container) const {
  return "DROP DATABASE " + identifier(container) + " RESTRICT";
}

std::vector<std::string> CockroachDialect::create_table(const std::string& container) const {
  std::vector<std::string> statements{
      fmt::format("CREATE TABLE {} (id UUID NOT NULL, mime STRING NOT NULL, size_bytes INT8 NOT NULL, "
                  "sha256 BYTES NOT NULL, payload BYTES NOT NULL, CONSTRAINT files_pkey PRIMARY KEY (id)){}",
                  table(container), setup_.row_ttl ? " WITH (ttl_expire_after = '30 days')" : "")};
  if (setup_.gc_ttl_seconds > 0)
    statements.push_back(fmt::format("ALTER TABLE {} CONFIGURE ZONE USING gc.ttlseconds = {}",
                                     table(container), setup_.gc_ttl_seconds));
  return statements;
}

}  // namespace lab::cockroach
