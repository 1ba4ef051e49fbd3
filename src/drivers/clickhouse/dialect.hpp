// What a variant decides, and the statements that differ between servers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "driver/driver.hpp"
#include "driver/system.hpp"
#include "drivers/clickhouse/connection.hpp"
#include "drivers/clickhouse/server.hpp"

namespace lab::clickhouse {

inline constexpr const char* kTable = "files";

/// What a variant decides.
struct Setup {
  std::string variant = "default";
  std::string codec = "LZ4";  // Of all columns, where the server has codecs.
  bool by_hash = false;       // ORDER BY sha256, else by id.
  bool low_cardinality = false;
  bool replacing = false;                // ReplacingMergeTree.
  bool deduplicate = false;              // OPTIMIZE ... DEDUPLICATE BY sha256.
  bool lightweight_delete = false;       // DELETE FROM in place of ALTER TABLE ... DELETE.
  const NativeSchema* schema = nullptr;  // Of mode "native"; null: a row is a payload.

  bool one_per_key() const { return replacing || deduplicate; }
};

const std::vector<VariantInfo>& variants();
Setup setup_of(const std::string& variant);

/// Errors: kUnsupported with what the server lacks.
Status check_supported(const Setup& setup, const Server& server);

DriverInfo info_of(const Setup& setup, const Server& server);

/// `database`.`files`
std::string table_of(const std::string& database);

std::string create_table_sql(const Setup& setup, const Server& server, const std::string& database);
/// For CREATE TABLE: what an old server keeps behind a switch.
QuerySettings create_table_settings(const Setup& setup, const Server& server);

/// An INSERT of `rows` rows that becomes one part, and so is there as a whole or not at all.
QuerySettings insert_settings(const Server& server, std::size_t rows);
std::string insert_sql(const Setup& setup, const std::string& database);

/// What is read of a row, as one String.
std::string payload_sql(const Setup& setup);

std::string delete_sql(const Setup& setup, const std::string& database, const std::string& condition);
/// For deletions: the answer comes when they are done, where the server can wait.
QuerySettings delete_settings(const Server& server);

std::string optimize_sql(const Setup& setup, const std::string& database);

/// DROP of a table or a database whose files are gone when it returns.
std::string drop_sql(const Server& server, const std::string& what);

}  // namespace lab::clickhouse
