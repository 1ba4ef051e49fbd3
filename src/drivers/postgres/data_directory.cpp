// SPDX-License-Identifier: Apache-2.0
#include "drivers/postgres/data_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/files.hpp"
#include "core/text.hpp"
#include "driver/server_namespace.hpp"

namespace lab::postgres {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOperation = "postgresql.directory";
constexpr std::size_t kPortLine = 3;        // Of postmaster.pid, from 0.
constexpr std::size_t kLogNameLength = 24;  // "000000010000000000000001"
constexpr Bytes kControlFileMax{1LL << 20};

Error other_server(const fs::path& directory, std::string why) {
  return {ErrorCode::kRefused, kOperation,
          fmt::format("{} is not the data directory of the server at the url: {}", directory.string(), why)};
}

bool is_log_name(const std::string& name) {
  return name.size() >= kLogNameLength && name.find_first_not_of("0123456789ABCDEF") >=
                                              kLogNameLength;  // npos too; ".partial", ".backup" follow.
}

}  // namespace

Status check_data_directory(const fs::path& directory, const ServerMarks& marks) {
  const auto version = read_file(directory / "PG_VERSION");
  if (!version) return version.error();
  if (trim(*version) != std::to_string(marks.major_version))
    return other_server(
        directory, fmt::format("it is of version {}, the server is {}", trim(*version), marks.major_version));
  const auto control = read_file(directory / "global" / "pg_control", kControlFileMax);
  if (!control) return control.error();
  std::uint64_t identifier = 0;  // The first field, as the server's machine writes it.
  if (control->size() < sizeof identifier) return other_server(directory, "its pg_control is too short");
  std::memcpy(&identifier, control->data(), sizeof identifier);
  if (std::to_string(identifier) != marks.system_identifier)
    return other_server(directory, fmt::format("its system identifier is {}, the server's is {}", identifier,
                                               marks.system_identifier));
  // A standby or a copy has the same identifier; what runs here tells them apart.
  const auto running = read_file(directory / "postmaster.pid");
  if (!running && running.error().code == ErrorCode::kNotFound)
    return other_server(directory, "no server runs in it (it has no postmaster.pid)");
  if (!running) return running.error();
  const auto lines = split(*running, '\n');
  const std::string port = lines.size() > kPortLine ? std::string(trim(lines[kPortLine])) : "";
  if (port != std::to_string(marks.port))
    return other_server(directory,
                        fmt::format("the server in it has port '{}', ours says {}", port, marks.port));
  return ok();
}

Result<std::vector<fs::path>> roots_of(const fs::path& directory) {
  std::vector<fs::path> roots{directory};
  const auto add_target = [&](const fs::path& link) -> Status {
    std::error_code failure;
    if (!fs::is_symlink(link, failure)) return ok();
    const fs::path target = fs::canonical(link, failure);
    if (failure) return errno_error(kOperation, link.string(), failure.value());
    roots.push_back(target);
    return ok();
  };
  LAB_TRY(add_target(directory / "pg_wal"));
  std::error_code failure;
  for (fs::directory_iterator entry(directory / "pg_tblspc", failure), end; !failure && entry != end;
       entry.increment(failure))
    LAB_TRY(add_target(entry->path()));
  if (failure) return errno_error(kOperation, (directory / "pg_tblspc").string(), failure.value());
  return roots;
}

std::string relation_key(const fs::path& path) {
  const std::string folder = path.parent_path().filename().string();
  const std::string file = path.filename().string();
  if (folder.empty()) return "";
  return folder + "/" + file.substr(0, file.find_first_of("._"));
}

FilePart part_of_file(const fs::path& relative, const OurFiles& ours) {
  if (relative.begin() != relative.end() && *relative.begin() == "pg_wal") return FilePart::kLog;
  if (is_log_name(relative.filename().string())) return FilePart::kLog;
  const std::string key = relation_key(relative);
  if (const auto found = ours.relations.find(key); found != ours.relations.end()) return found->second;
  const std::string database = key.substr(0, key.find('/'));
  return !ours.database.empty() && is_numbered(database, "") && database != ours.database ? FilePart::kOthers
                                                                                          : FilePart::kMeta;
}

}  // namespace lab::postgres
