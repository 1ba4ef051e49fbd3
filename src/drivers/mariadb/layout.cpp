// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace lab::mariadb {
namespace {

std::string type_sql(const NativeColumn& column) {
  switch (column.type) {
    case NativeType::kUuid:
      return is_plain_bytes(column) ? "BINARY(16)" : "UUID";
    case NativeType::kInteger:
      return column.digits <= 4 ? "SMALLINT" : "BIGINT";
    case NativeType::kDecimal:
      return fmt::format("DECIMAL({}, {})", column.digits, column.scale);
    case NativeType::kTimestamp:
      return "DATETIME(3)";
    case NativeType::kJson:
      return "JSON";
    case NativeType::kDate:
      return "DATE";
    case NativeType::kReals:
    case NativeType::kBinary:
      return "LONGBLOB";
    case NativeType::kText:
      break;
  }
  const std::string type = column.digits == 0 ? "LONGTEXT" : fmt::format("VARCHAR({})", column.digits);
  return type + " CHARACTER SET utf8mb4";
}

/// JSON has no index of its own: one is made of a field that is computed from it, and not stored.
std::string index_sql(const NativeSchema& schema) {
  if (schema.columns[0].type == NativeType::kJson)
    return fmt::format(
        ", document_id VARCHAR(16) AS (JSON_VALUE({}, '$.id')) VIRTUAL, KEY files_index (document_id)",
        schema.columns[0].name);
  return schema.index.empty() ? "" : fmt::format(", KEY files_index ({})", schema.index);
}

/// As text that native_value reads.
std::string selected(const NativeColumn& column) {
  return is_plain_bytes(column) ? fmt::format("LOWER(HEX({}))", column.name) : std::string(column.name);
}

std::string native_columns_sql(const NativeSchema& schema) {
  std::string columns;
  for (const NativeColumn& column : schema.columns)
    columns += fmt::format(", {} {} {}NULL", column.name, type_sql(column), column.optional ? "" : "NOT ");
  return columns + index_sql(schema);
}

}  // namespace

bool is_plain_bytes(const NativeColumn& column) {
  return column.type == NativeType::kUuid && column.spelling == Spelling::kCompact;
}

const std::vector<VariantInfo>& variants() {
  static const std::vector<VariantInfo> kVariants{
      {"default", "InnoDB, ROW_FORMAT=DYNAMIC"},
      {"page_compressed", "InnoDB, PAGE_COMPRESSED=1: each page compressed, the rest of it a hole", 16_KiB},
      {"row_compressed", "InnoDB, ROW_FORMAT=COMPRESSED: pages of 8 KiB", 2_MiB},
      {"insert_if_absent",
       "as default; sha256 is unique and a second one is not inserted (ON DUPLICATE KEY UPDATE id = id)",
       std::nullopt, "its columns are not unique"},
  };
  return kVariants;
}

Setup setup_of(const std::string& variant, ServerNamespace space, std::uint32_t containers) {
  Setup setup{.variant = variant, .space = std::move(space), .containers = containers};
  setup.one_per_content = variant == "insert_if_absent";
  setup.has_holes = variant == "page_compressed";
  setup.table_options = "ROW_FORMAT=DYNAMIC";
  if (setup.has_holes) setup.table_options += " PAGE_COMPRESSED=1";
  // Pages of half the size, and so extents.
  if (variant == "row_compressed") setup.table_options = "ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8";
  for (const VariantInfo& known : variants())
    if (known.name == variant && known.quantum) setup.growth = *known.quantum;
  return setup;
}

std::string quoted_name(std::string_view name) {
  std::string text = "`";
  for (const char letter : name) {
    text += letter;
    if (letter == '`') text += letter;
  }
  return text + "`";
}

std::string table_name(const std::string& database, std::string_view table) {
  return quoted_name(database) + "." + quoted_name(table);
}

std::string create_table_sql(const Setup& setup, std::uint32_t container) {
  const std::string table = table_name(setup.space.container(container), kTable);
  if (setup.schema != nullptr)
    return fmt::format("CREATE TABLE {}(id BINARY(16) NOT NULL PRIMARY KEY{}) ENGINE=InnoDB {}", table,
                       native_columns_sql(*setup.schema), setup.table_options);
  return fmt::format(
      "CREATE TABLE {}(id BINARY(16) NOT NULL PRIMARY KEY, mime VARCHAR(255) CHARACTER SET utf8mb4 COLLATE "
      "utf8mb4_bin NOT NULL, size_bytes BIGINT NOT NULL, sha256 BINARY(32) NOT NULL, payload LONGBLOB NOT "
      "NULL{}) ENGINE=InnoDB {}",
      table, setup.one_per_content ? ", UNIQUE KEY sha256 (sha256)" : "", setup.table_options);
}

std::string insert_sql(const Setup& setup, std::uint32_t container) {
  const std::string table = table_name(setup.space.container(container), kTable);
  if (setup.schema != nullptr) {
    std::string values = "?";
    for (const NativeColumn& column : setup.schema->columns)
      values += column.optional ? ", NULLIF(?, '')" : ", ?";  // A value of an array has no other nothing.
    return fmt::format("INSERT INTO {}(id, {}) VALUES({}) ON DUPLICATE KEY UPDATE {}", table,
                       each_column(*setup.schema), values, each_column(*setup.schema, "{0} = VALUES({0})"));
  }
  return fmt::format(
      "INSERT INTO {}(id, mime, size_bytes, sha256, payload) VALUES(?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE "
      "{}",
      table,
      setup.one_per_content ? "id = IF(sha256 = VALUES(sha256), id, NULL)"
                            : "mime = VALUES(mime), size_bytes = VALUES(size_bytes), sha256 = "
                              "VALUES(sha256), payload = VALUES(payload)");
}

std::string select_sql(const Setup& setup, std::uint32_t container) {
  std::string columns = setup.schema == nullptr ? ", payload" : "";
  if (setup.schema != nullptr)
    for (const NativeColumn& column : setup.schema->columns) columns += ", " + selected(column);
  return fmt::format("SELECT id{} FROM {}", columns, table_name(setup.space.container(container), kTable));
}

std::string marker_comment(const ServerNamespace& space, std::uint32_t container) {
  return fmt::format("deduplab namespace {} container {}", space.name, container);
}

std::optional<std::uint32_t> container_of(const ServerNamespace& space, std::string_view database) {
  if (database == space.name) return 0;
  const std::string prefix = space.name + "_";
  if (!database.starts_with(prefix)) return std::nullopt;
  const std::string_view digits = database.substr(prefix.size());
  std::uint32_t number = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failure != std::errc() || end != digits.data() + digits.size() || digits.front() == '0')
    return std::nullopt;
  return number;
}

std::string file_name(std::string_view name) {
  std::string text;
  for (const char letter : name) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) != 0 || letter == '_')
      text += letter;
    else
      text += fmt::format("@{:04x}", byte);
  }
  return text;
}

namespace {

constexpr std::array<std::string_view, 3> kSystemFolders{"mysql", "performance_schema", "sys"};

bool is_log(std::string_view name, const LogNames& names) {
  if (is_numbered(name, "ib_logfile") || is_numbered(name, "undo") || is_numbered(name, "aria_log."))
    return true;
  return !names.binlog.empty() && (is_numbered(name, names.binlog + ".") || name == names.binlog + ".index");
}

}  // namespace

bool is_our_folder(std::string_view folder, const ServerNamespace& space) {
  const std::string base = file_name(space.name);
  return folder == base || is_numbered(folder, base + "_");
}

FilePart part_of_file(std::string_view relative, const ServerNamespace& space, const LogNames& names) {
  const std::size_t slash = relative.find('/');
  if (slash == std::string_view::npos) return is_log(relative, names) ? FilePart::kLog : FilePart::kMeta;
  const std::string_view folder = relative.substr(0, slash);
  const std::string_view file = relative.substr(slash + 1);
  const bool ours = is_our_folder(folder, space);
  const bool system = std::ranges::find(kSystemFolders, folder) != kSystemFolders.end();
  if (!ours && is_log(file, names))
    return FilePart::kLog;  // log_bin or innodb_undo_directory in a folder of its own.
  if (!ours && !system) return FilePart::kOthers;
  // A table that is being rebuilt lies under a temporary name, "#sql-ib123.ibd".
  const bool data = file.ends_with(".ibd") && (file == "files.ibd" || file.starts_with("#sql"));
  return ours && data ? FilePart::kPayload : FilePart::kMeta;
}

}  // namespace lab::mariadb
