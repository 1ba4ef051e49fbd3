// What a variant of PostgreSQL decides, and its schema as SQL.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "driver/system.hpp"
#include "drivers/pgwire/dialect.hpp"

namespace lab::postgres {

inline constexpr int kVersionMin = 130000;
inline constexpr int kVersionCompressionClause = 140000;  // COMPRESSION of a column, lz4 among them.
inline constexpr int kVersionCheckpointRole = 150000;     // pg_checkpoint.

struct Setup {
  std::string variant = "toast_extended";
  bool external = false;                 // STORAGE EXTERNAL: large values out of line, never compressed.
  bool lz4 = false;                      // Else pglz.
  bool vacuum_full = false;              // What maintenance is.
  bool one_per_content = false;          // Unique sha256; a second one is not inserted.
  bool each_key = false;                 // B-trees keep equal keys one by one (deduplicate_items = off).
  bool autovacuum = false;               // Left to the server; else switched off for our tables.
  const NativeSchema* schema = nullptr;  // Of mode "native"; null: a row is a payload.
};

const std::vector<VariantInfo>& variants();

/// `variant` as resolve_config gives it. Errors: kInvalidArgument for option "autovacuum".
Result<Setup> make_setup(const std::string& variant, const SystemConfig& config);

/// A container is a schema with one table.
class PostgresDialect final : public pgwire::Dialect {
 public:
  explicit PostgresDialect(Setup setup, int version = kVersionCompressionClause)
      : setup_(std::move(setup)), version_(version) {}
  const char* system() const override { return "postgresql"; }
  const char* container() const override { return "schema"; }
  bool ddl_in_transaction() const override { return true; }
  std::string prefix(const std::string& container) const override;
  Result<std::vector<pgwire::FoundContainer>> find(pgwire::Connection& connection, const CallContext& call,
                                                   const char* operation,
                                                   const std::string& name) const override;
  std::string create_container(const std::string& container) const override;
  std::string drop_container(const std::string& container) const override;
  std::vector<std::string> create_table(const std::string& container) const override;

 private:
  std::vector<std::string> create_native_table(const std::string& container) const;
  const char* compression() const;
  const char* btree() const;
  const char* storage() const;

  Setup setup_;
  int version_;
};

}  // namespace lab::postgres
