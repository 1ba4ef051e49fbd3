// Names and statements of what the lab keeps in the server: one database a container, in each the table
// `files` and the marker. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "driver/driver.hpp"
#include "driver/native_schema.hpp"
#include "driver/observer.hpp"
#include "driver/server_namespace.hpp"

namespace lab::mariadb {

inline constexpr const char* kDefaultNamespace = "dedup_lab";
inline constexpr const char* kTable = "files";
inline constexpr const char* kMarker = "deduplab_marker";

/// What a variant decides.
struct Setup {
  std::string variant{};
  ServerNamespace space{};
  std::uint32_t containers = 1;
  bool one_per_content = false;          // Unique sha256; a second one is not inserted.
  std::string table_options{};           // "ROW_FORMAT=DYNAMIC"
  const NativeSchema* schema = nullptr;  // Of mode "native"; null: a row is a payload.
  bool has_holes = false;                // Page compression: allocated blocks tell, lengths do not.
  /// By which files grow: four extents, each of 64 pages; with page compression holes are as small as a page.
  Bytes growth{4LL << 20};
};

const std::vector<VariantInfo>& variants();
Setup setup_of(const std::string& variant, ServerNamespace space, std::uint32_t containers);

/// `name`, a backtick in it doubled.
std::string quoted_name(std::string_view name);
std::string table_name(const std::string& database, std::string_view table);
std::string create_table_sql(const Setup& setup, std::uint32_t container);

/// A second row of an id replaces the first; in one_per_content an equal content is left out, and an id that
/// is there with another content is refused (the NULL is not allowed, error 1048).
std::string insert_sql(const Setup& setup, std::uint32_t container);

/// A UUID whose 16 bytes may be any: such a one the type UUID refuses at times, by its version and variant.
bool is_plain_bytes(const NativeColumn& column);

/// The id, then the payload or the columns of the schema.
std::string select_sql(const Setup& setup, std::uint32_t container);

/// The comment of a database and of its marker table: whose it is. The marker's goes on with a random word.
std::string marker_comment(const ServerNamespace& space, std::uint32_t container);

/// The container's number of a database that bears the name of one; nothing for other names.
std::optional<std::uint32_t> container_of(const ServerNamespace& space, std::string_view database);

/// A database or table as it is written in file names: what is not A-Z a-z 0-9 _ becomes @ and four digits.
std::string file_name(std::string_view name);

/// Whether a folder of the data directory is a database of the lab's.
bool is_our_folder(std::string_view folder, const ServerNamespace& space);

/// Where the log files lie that bear names of the administrator's choice.
struct LogNames {
  std::string binlog{};  // Last part of log_bin_basename; empty: none, or not below the data directory.
};

/// Part of a file by its path below the data directory.
FilePart part_of_file(std::string_view relative, const ServerNamespace& space, const LogNames& names);

}  // namespace lab::mariadb
