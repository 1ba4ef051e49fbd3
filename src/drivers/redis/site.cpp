// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/site.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/text.hpp"
#include "driver/server_namespace.hpp"
#include "driver/server_url.hpp"

namespace lab::redis {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t kDefaultPort = 6379;
constexpr std::int64_t kBulkMax = 512LL << 20;      // proto-max-bulk-len by default.
constexpr std::int64_t kRowHeaderMax = 66LL << 10;  // A MIME type of 64 KiB, sizes and digest.

Result<int> database_of(const std::string& path) {
  if (path.empty()) return 0;
  int number = 0;
  const auto read = std::from_chars(path.data(), path.data() + path.size(), number);
  if (read.ec == std::errc{} && read.ptr == path.data() + path.size() && number >= 0) return number;
  return Error{
      ErrorCode::kInvalidArgument, "url",
      fmt::format("'{}' is no number of a database; write redis://user@host:port/0", to_valid_utf8(path))};
}

Judged passed(std::string what, std::string detail, bool warning = false) {
  return {{std::move(what), true, std::move(detail), warning}};
}
Judged failed(std::string what, std::string detail, ErrorCode code = ErrorCode::kRefused) {
  return {{std::move(what), false, std::move(detail)}, code};
}

Judged judge_version(const Info& server, Site& site) {
  const bool valkey = server.contains("valkey_version");
  const std::string version = word_of(server, valkey ? "valkey_version" : "redis_version");
  const auto number = version_number(version);
  if (!number) return failed("version", "'" + version + "' is no version of Redis", ErrorCode::kUnsupported);
  site.version = *number;
  const std::string name = fmt::format("{} {}", valkey ? "Valkey" : "Redis", version);
  if (*number < kOldestVersion)
    return failed("version", name + " is too old: 6.0 or later is needed", ErrorCode::kUnsupported);
  const std::string mode = word_of(server, "redis_mode");
  if (mode != "standalone")
    return failed(
        "version",
        fmt::format("it runs as {}: only a single server is supported, whose files hold all keys", mode),
        ErrorCode::kUnsupported);
  return passed("version", name);
}

Judged judge_role(const Info& replication) {
  if (word_of(replication, "role") != "master")
    return failed("replication", "this server is a replica: give the address of its primary");
  const double replicas = number_of(replication, "connected_slaves");
  if (replicas == 0) return passed("replication", "no replicas");
  return passed("replication",
                fmt::format("{} replicas hold copies elsewhere: the files here are one copy, so there is no "
                            "figure 'files'",
                            replicas),
                true);
}

Judged judge_memory(const Info& config) {
  const std::string policy = word_of(config, "maxmemory-policy");
  const double limit = number_of(config, "maxmemory");
  if (limit > 0 && policy != "noeviction")
    return failed("memory", fmt::format("maxmemory-policy is {}: above its maxmemory the server would throw "
                                        "objects away in silence; set it to noeviction",
                                        policy));
  if (limit == 0) return passed("memory", "no maxmemory");
  return passed("memory", fmt::format("maxmemory {}, noeviction",
                                      format_bytes(Bytes{static_cast<std::int64_t>(limit)})));
}

Judged judge_files(const Site& site) {
  const std::string dir = word_of(site.files, "dir");
  if (site.directory.empty())
    return passed("files",
                  fmt::format("the server writes to {}; without 'directory' there is no figure "
                              "'files'",
                              dir),
                  true);
  std::error_code failure;
  const fs::path ours = fs::canonical(site.directory, failure);
  if (failure)
    return failed("files", fmt::format("directory {}: {}", site.directory.string(), failure.message()));
  const fs::path theirs = fs::weakly_canonical(dir, failure);
  if (failure || ours != theirs)
    return failed("files", fmt::format("directory is {}, but the server writes to {}", ours.string(), dir));
  const fs::directory_iterator entries(ours, failure);
  if (failure) return failed("files", fmt::format("directory {}: {}", ours.string(), failure.message()));
  return passed("files", "the server writes to " + ours.string());
}

struct FileStamp {
  ino_t inode = 0;
  timespec modified{};
  bool operator==(const FileStamp& other) const {
    return inode == other.inode && modified.tv_sec == other.modified.tv_sec &&
           modified.tv_nsec == other.modified.tv_nsec;
  }
};

std::optional<FileStamp> stamp_of(const std::optional<fs::path>& file) {
  struct stat info{};
  if (!file || ::stat(file->c_str(), &info) != 0) return std::nullopt;
  return FileStamp{info.st_ino, info.st_mtim};
}

}  // namespace

namespace {

constexpr const char* kKindDecides = "there the kind decides: a hash for a row, a string for one value";

}  // namespace

const std::vector<VariantInfo>& variants() {
  static const std::vector<VariantInfo> kVariants{
      {"aof", "append-only file, fsync before each answer; one string an object"},
      {"aof+uncompressed", "as aof; a rewritten file is not compressed (rdbcompression no)"},
      {"aof+hash", "as aof; one hash an object", std::nullopt, kKindDecides},
      {"aof+stream", "as aof; one entry of a stream an object", std::nullopt, kKindDecides},
      {"rdb", "snapshots alone, LZF inside each value; one string an object"},
      {"rdb+uncompressed", "as rdb, without compression (rdbcompression no)"},
      {"rdb+hash", "as rdb; one hash an object", std::nullopt, kKindDecides},
      {"rdb+stream", "as rdb; one entry of a stream an object", std::nullopt, kKindDecides},
  };
  return kVariants;
}

Setup setup_of(const std::string& variant, const NativeSchema* schema) {
  Setup setup{.variant = variant};
  setup.aof = variant.starts_with("aof");
  setup.compressed = !variant.ends_with("+uncompressed");
  if (variant.ends_with("+hash")) setup.layout = LayoutKind::kHash;
  if (variant.ends_with("+stream")) setup.layout = LayoutKind::kStream;
  if (schema != nullptr) setup.layout = LayoutKind::kNative;
  setup.schema = schema;
  return setup;
}

Settings settings_of(const Setup& setup) {
  Settings settings{{"save", ""}, {"rdbcompression", setup.compressed ? "yes" : "no"}};
  if (setup.aof) {
    settings.emplace_back("auto-aof-rewrite-percentage", "0");
    settings.emplace_back("aof-use-rdb-preamble", "yes");
    settings.emplace_back("aof-timestamp-enabled", "no");
    settings.emplace_back("no-appendfsync-on-rewrite", "no");
    settings.emplace_back("appendfsync", "always");
  }
  settings.emplace_back("appendonly", setup.aof ? "yes" : "no");
  return settings;
}

std::optional<fs::path> Site::persistent_file() const {
  if (directory.empty()) return std::nullopt;
  if (!setup.aof) return directory / word_of(files, "dbfilename");
  const std::string name = word_of(files, "appendfilename");
  const std::string folder = word_of(files, "appenddirname");
  if (folder.empty()) return directory / name;  // Before 7.0: one file.
  return directory / folder / (name + ".manifest");
}

Result<Site> site_of(const SystemEntry& entry, const SystemConfig& config) {
  const auto variant = resolve_config(entry, config);
  if (!variant) return variant.error();
  const auto space = server_namespace(config, kDefaultNamespace);
  if (!space) return space.error();
  const std::vector<std::string> schemes{"redis", "rediss"};
  const std::vector<std::string> parameters{"tls_ca"};
  const auto url = parse_server_url(config.url, schemes, kDefaultPort, parameters);
  if (!url) return url.error();
  const auto database = database_of(url->path);
  if (!database) return database.error();
  const bool tls = url->scheme == "rediss";
  const auto ca = url->parameters.find("tls_ca");
  if (ca != url->parameters.end() && !tls)
    return Error{ErrorCode::kInvalidArgument, "url", "tls_ca needs rediss://"};
  return Site{.address = {.tls = tls,
                          .host = url->host,
                          .port = url->port,
                          .tls_ca = ca == url->parameters.end() ? "" : ca->second,
                          .user = url->user,
                          .password = config.password,
                          .database = *database},
              .space = {space->name},
              .setup = setup_of(*variant, schema_of(config)),
              .containers = config.containers,
              .run_id = config.run_id,
              .directory = config.directory};
}

Result<std::vector<Judged>> judge(Link& link, const CallContext& call, const char* operation, Site& site) {
  const auto server = ask_info(link, call, operation, "server");
  if (!server) return server.error();
  const auto replication = ask_info(link, call, operation, "replication");
  if (!replication) return replication.error();
  site.server_run = link.server_run();
  std::vector<Judged> all{judge_version(*server, site), judge_role(*replication)};
  const auto config = config_get(link, call, operation,
                                 {"dir", "dbfilename", "appendfilename", "appenddirname", "maxmemory",
                                  "maxmemory-policy", "proto-max-bulk-len"});
  if (!config && config.error().code != ErrorCode::kRefused) return config.error();
  if (!config) {
    all.push_back(failed(
        "rights", "the settings must be read and, for the time of a session, set: " + config.error().detail));
    return all;
  }
  site.files = *config;
  const auto limit = static_cast<std::int64_t>(number_of(*config, "proto-max-bulk-len"));
  site.object_size_max = (limit > 0 ? limit : kBulkMax) - kRowHeaderMax;
  all.push_back(judge_memory(*config));
  all.push_back(judge_files(site));
  return all;
}

Result<bool> persist(Link& link, const CallContext& call, const char* operation, const Site& site) {
  const auto file = site.persistent_file();
  const auto before = stamp_of(file);
  auto written = site.setup.aof ? rewrite_aof(link, call, operation) : save_rdb(link, call, operation);
  if (!written || !file) return written;
  const auto after = stamp_of(file);
  if (after && after != before) return written;
  return Error{ErrorCode::kRefused, operation,
               fmt::format("the server wrote its data, but {} is {}: directory is another server's",
                           file->string(), after ? "as it was before" : "not there")};
}

Status check_settings(Link& link, const CallContext& call, const char* operation, const Site& site) {
  const Settings wanted = settings_of(site.setup);
  std::vector<std::string> names;
  for (const auto& [name, value] : wanted) names.push_back(name);
  const auto present = config_get(link, call, operation, names);
  if (!present) return present.error();
  for (const auto& [name, value] : wanted) {
    const auto now = present->find(name);
    if (now == present->end() || now->second == value) continue;
    return Error{ErrorCode::kRefused, operation,
                 fmt::format("somebody set {} to '{}'; variant {} has it at '{}'", name, now->second,
                             site.setup.variant, value)};
  }
  return ok();
}

}  // namespace lab::redis
