// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/observer.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

namespace lab::redis {
namespace {

struct Default {
  const char* name;
  const char* value;
};
// What shapes the bytes on disk or in memory, and Redis's own value; a server that lacks one skips it.
constexpr std::array kDefaults{
    Default{"activedefrag", "no"},
    Default{"activerehashing", "yes"},
    Default{"aof-load-truncated", "yes"},
    Default{"aof-rewrite-incremental-fsync", "yes"},
    Default{"aof-timestamp-enabled", "no"},
    Default{"aof-use-rdb-preamble", "yes"},
    Default{"appendfsync", "everysec"},
    Default{"appendonly", "no"},
    Default{"auto-aof-rewrite-min-size", "67108864"},
    Default{"auto-aof-rewrite-percentage", "100"},
    Default{"databases", "16"},
    Default{"dynamic-hz", "yes"},
    Default{"hash-max-listpack-entries", "512"},
    Default{"hash-max-listpack-value", "64"},
    Default{"hash-max-ziplist-entries", "512"},
    Default{"hash-max-ziplist-value", "64"},
    Default{"hz", "10"},
    Default{"io-threads", "1"},
    Default{"jemalloc-bg-thread", "yes"},
    Default{"lazyfree-lazy-user-del", "no"},
    Default{"maxmemory", "0"},
    Default{"maxmemory-policy", "noeviction"},
    Default{"no-appendfsync-on-rewrite", "no"},
    Default{"proto-max-bulk-len", "536870912"},
    Default{"rdb-save-incremental-fsync", "yes"},
    Default{"rdbchecksum", "yes"},
    Default{"rdbcompression", "yes"},
    Default{"sanitize-dump-payload", "no"},
    Default{"save", "3600 1 300 100 60 10000"},
    Default{"stop-writes-on-bgsave-error", "yes"},
    Default{"stream-node-max-bytes", "4096"},
    Default{"stream-node-max-entries", "100"},
};

constexpr std::array kBusy{
    "loading",
    "async_loading",
    "aof_rewrite_in_progress",
    "aof_rewrite_scheduled",
    "rdb_bgsave_in_progress",
    "aof_pending_bio_fsync",
    "module_fork_in_progress",
};

struct Activity {
  const char* name;
  const char* unit;
};
constexpr std::array kActivity{
    Activity{"used_memory", "bytes"},
    Activity{"used_memory_dataset", "bytes"},
    Activity{"used_memory_rss", "bytes"},
    Activity{"total_commands_processed", "1"},
    Activity{"total_net_input_bytes", "bytes"},
    Activity{"total_net_output_bytes", "bytes"},
    Activity{"rdb_changes_since_last_save", "1"},
    Activity{"aof_current_size", "bytes"},
    Activity{"aof_buffer_length", "bytes"},
};

/// Several sections of INFO in one; before 7.0 INFO takes one at a time.
Result<Info> ask_sections(Link& link, const CallContext& call, const char* operation,
                          std::initializer_list<std::string_view> sections) {
  for (const std::string_view section : sections) LAB_TRY(link.send(call, operation, {"INFO", section}));
  Info all;
  std::optional<Error> bad;
  while (link.awaited() > 0) {
    const auto told = link.receive(call, operation);
    if (!told && !link.whole()) return told.error();
    if (told)
      all.merge(parse_info(told->text()));
    else if (!bad)
      bad = told.error();
  }
  if (bad) return *bad;
  return all;
}

Result<Bytes> length_of(const std::filesystem::path& file) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return errno_error("redis.footprint", file.string(), errno);
  return Bytes{info.st_size};
}

}  // namespace

Result<ServerIdentity> RedisObserver::identity(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.identity"));
  const auto server = ask_info(*link_, call, "redis.identity", "server");
  if (!server) return server.error();
  const auto config = config_get(*link_, call, "redis.identity", {"dir"});
  if (!config) return config.error();
  const bool valkey = server->contains("valkey_version");
  // A run id is new after each restart: it says since when, and not who.
  return ServerIdentity{
      .name = valkey ? "Valkey" : "Redis",
      .version = word_of(*server, valkey ? "valkey_version" : "redis_version"),
      .identity = fmt::format("{}:{}", word_of(*config, "dir"), word_of(*server, "tcp_port")),
      .started_at = "run " + word_of(*server, "run_id")};
}

Result<std::map<std::string, std::string>> RedisObserver::settings(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.settings"));
  std::vector<std::string> names;
  for (const Default& setting : kDefaults) names.emplace_back(setting.name);
  const auto config = config_get(*link_, call, "redis.settings", names);
  if (!config) return config.error();
  const auto memory = ask_info(*link_, call, "redis.settings", "memory");
  if (!memory) return memory.error();
  std::map<std::string, std::string> differing{{"mem_allocator", word_of(*memory, "mem_allocator")}};
  for (const Default& setting : kDefaults) {
    const auto now = config->find(setting.name);
    if (now != config->end() && now->second != setting.value) differing[setting.name] = now->second;
  }
  for (const auto& [name, value] : settings_of(site_.setup))
    if (const auto now = config->find(name); now != config->end()) differing[name] = now->second;
  return differing;
}

Result<std::map<std::string, double>> RedisObserver::busy(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.busy"));
  const auto info = ask_sections(*link_, call, "redis.busy", {"persistence", "memory"});
  if (!info) return info.error();
  std::map<std::string, double> work;
  for (const char* name : kBusy) work[name] = number_of(*info, name);
  work["lazyfree_pending_objects"] = number_of(*info, "lazyfree_pending_objects");
  return work;
}

Result<std::vector<Counter>> RedisObserver::activity(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.activity"));
  const auto info = ask_sections(*link_, call, "redis.activity", {"memory", "stats", "persistence"});
  if (!info) return info.error();
  std::vector<Counter> counters;
  for (const Activity& counter : kActivity)
    if (info->contains(counter.name))
      counters.push_back({counter.name, number_of(*info, counter.name), counter.unit});
  return counters;
}

Result<Footprint> RedisObserver::footprint(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.footprint"));
  const auto info = ask_sections(*link_, call, "redis.footprint", {"persistence", "replication"});
  if (!info) return info.error();
  Footprint figure;
  figure.scope = replicas_of(*info) == 0 ? CopyScope::kAllCopies : CopyScope::kOneCopy;
  if (site_.setup.aof) {
    if (number_of(*info, "aof_enabled") != 1)
      return Error{ErrorCode::kRefused, "redis.footprint", "the append-only file was switched off"};
    figure.total = Bytes{static_cast<std::int64_t>(number_of(*info, "aof_current_size"))};
  } else {
    const auto file = site_.persistent_file();
    if (!file)
      return Error{ErrorCode::kUnsupported, "redis.footprint",
                   "Redis does not tell the size of its snapshot: give its directory"};
    const auto length = length_of(*file);
    if (!length) return length.error();
    figure.total = *length;
  }
  figure.parts["payload"] = figure.total;
  return figure;
}

Result<std::vector<std::filesystem::path>> RedisObserver::directories(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.directories"));
  std::vector<std::filesystem::path> folders;
  if (site_.directory.empty()) return folders;
  const auto copies_now = ask_info(*link_, call, "redis.directories", "replication");
  if (!copies_now) return copies_now.error();
  if (const int replicas = replicas_of(*copies_now); replicas > 0)
    return Error{ErrorCode::kUnsupported, "redis.directories",
                 fmt::format("{} replicas hold copies elsewhere: the files here are one of {} copies",
                             replicas, replicas + 1)};
  folders.push_back(site_.directory);
  return folders;
}

/// Append-only files and snapshots hold nothing but the data; while they are written they have other names.
std::optional<FilePart> RedisObserver::part_of(const std::filesystem::path& relative) const {
  const auto extension = relative.extension();
  const std::string name = relative.filename().string();
  if (extension == ".rdb" || extension == ".aof" || name == word_of(site_.files, "dbfilename"))
    return FilePart::kPayload;
  const std::string log = word_of(site_.files, "appendfilename");
  if (!log.empty() && name.starts_with(log) && extension != ".manifest") return FilePart::kPayload;
  return FilePart::kMeta;
}

Result<double> RedisObserver::copies(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.copies"));
  const auto info = ask_info(*link_, call, "redis.copies", "replication");
  if (!info) return info.error();
  return 1.0 + replicas_of(*info);
}

Result<std::map<std::string, double>> RedisObserver::statement_seconds(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.statement_seconds"));
  const auto info = ask_info(*link_, call, "redis.statement_seconds", "commandstats");
  if (!info) return info.error();
  constexpr std::string_view kPrefix = "cmdstat_";
  std::map<std::string, double> seconds;
  for (const auto& [name, text] : *info)
    if (name.starts_with(kPrefix))
      seconds[name.substr(kPrefix.size())] = number_of(parse_info(text, ',', '='), "usec") / 1e6;
  return seconds;
}

int replicas_of(const Info& replication) {
  int online = 0;
  for (const auto& [name, text] : replication)
    if (name.starts_with("slave") && word_of(parse_info(text, ',', '='), "state") == "online") ++online;
  return online;
}

}  // namespace lab::redis
