// What kind of server answers: its version and what it has, read once for a session.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <set>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace lab::clickhouse {

class Connection;

struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
};

/// "18.16.1", "24.8.4.13", "25.3.1-testing": the first three numbers. Errors: kUnsupported for anything else.
Result<Version> parse_version(std::string_view text);

/// Where statements of servers differ, this decides: by the version where the grammar differs, by name where
/// a setting or a column came or went.
struct Server {
  Version version{};
  std::string version_text{};
  std::string host{};
  std::string uuid{};       // Of the data directory; empty on servers that have none.
  std::string data_path{};  // As the server sees it, with '/' at its end.
  bool read_only = false;   // The user's profile forbids writing.
  std::set<std::string> settings{};
  std::set<std::string> table_settings{};  // Of MergeTree.
  std::set<std::string> part_columns{};    // Of system.parts.
  std::set<std::string> system_tables{};

  bool has_milliseconds() const { return version >= Version{20, 1, 0}; }  // DateTime64.
  bool has_codecs() const { return version >= Version{19, 1, 0}; }
  bool has_sync_drop() const { return version >= Version{21, 1, 0}; }
  bool has_deduplicate_by() const { return version >= Version{21, 1, 0}; }
  bool has_kill_mutation() const { return version >= Version{20, 1, 0}; }
  bool has_sql_users() const { return version >= Version{20, 5, 0}; }
  /// START MERGES wakes the background threads, which then remove old parts.
  bool wakes_on_start_merges() const { return version >= Version{21, 1, 0}; }
  bool has_setting(const std::string& name) const { return settings.contains(name); }
  bool has_table_setting(const std::string& name) const { return table_settings.contains(name); }
  bool has_table(const std::string& name) const { return system_tables.contains(name); }
};

/// Oldest version with all that a run needs; older ones are kUnsupported.
inline constexpr Version kOldest{18, 16, 0};

/// Errors: kUnsupported for a version that is too old; the connection's.
Result<Server> read_server(Connection& connection, const CallContext& call);

}  // namespace lab::clickhouse
