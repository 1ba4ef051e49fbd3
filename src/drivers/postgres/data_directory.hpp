// A data directory on the local machine: whether it is the server's that we are connected to, and whose its
// files are. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "driver/observer.hpp"

namespace lab::postgres {

/// What the server says of itself, to be found again in its directory.
struct ServerMarks {
  std::string system_identifier{};
  int major_version = 0;
  int port = 0;  // Its own, not the one that we reached it by.
};

/// Errors: kRefused when it belongs to another server, or to one that does not run; errno's (kNotFound,
/// kRefused) when it cannot be read.
Status check_data_directory(const std::filesystem::path& directory, const ServerMarks& marks);

/// The directory, and where pg_wal and tablespaces lie outside of it, those too. Errors: errno's.
Result<std::vector<std::filesystem::path>> roots_of(const std::filesystem::path& directory);

/// "base/16384/16401" or "pg_tblspc/16390/PG_15_202209061/16384/16401" -> "16384/16401", which is also how it
/// ends below a tablespace's own folder; empty for a path without two parts. Segments and forks ("16401.1",
/// "16401_fsm") are their relation's.
std::string relation_key(const std::filesystem::path& path);

/// What the server says is ours.
struct OurFiles {
  std::string database{};                       // Its oid: the name of its folders.
  std::map<std::string, FilePart> relations{};  // By relation_key.
};

/// Files of our relations by relation_key; the log by its folder or its name; folders of other databases are
/// others', the rest is meta.
FilePart part_of_file(const std::filesystem::path& relative, const OurFiles& ours);

}  // namespace lab::postgres
