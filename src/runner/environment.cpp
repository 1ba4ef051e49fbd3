// SPDX-License-Identifier: Apache-2.0
#include "runner/environment.hpp"

#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "core/text.hpp"
#include "core/time.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The value after "key" and a colon on its own line of a /proc text; empty when it is not there.
std::string proc_value(const fs::path& file, std::string_view key) {
  const auto text = read_file(file);
  if (!text) return "";
  for (const std::string& line : split(*text, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos && trim(std::string_view(line).substr(0, colon)) == key)
      return std::string(trim(std::string_view(line).substr(colon + 1)));
  }
  return "";
}

void set_if_known(Json& object, const char* key, const std::string& value) {
  if (!value.empty()) object[key] = to_valid_utf8(value);
}

std::string first_line(const fs::path& file) {
  const auto text = read_file(file);
  return text ? std::string(trim(split(*text, '\n').front())) : "";
}

/// Mount point, type, source and options of the file system that holds `path`: the longest matching mount
/// point.
Json mount_of(const fs::path& path) {
  Json found = Json::object();
  std::error_code failure;
  const std::string wanted = fs::weakly_canonical(path, failure).string();
  const auto mounts = read_file("/proc/self/mounts");
  if (failure || !mounts) return found;
  std::size_t best = 0;
  for (const std::string& line : split(*mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 4) continue;
    const std::string& point = fields[1];
    const bool holds = point == "/" || wanted == point || wanted.starts_with(point + "/");
    if (!holds || point.size() < best) continue;
    best = point.size();
    found = {{"mount_point", to_valid_utf8(point)},
             {"type", fields[2]},
             {"source", to_valid_utf8(fields[0])},
             {"options", to_valid_utf8(fields[3])}};
  }
  return found;
}

Json describe_folder(const fs::path& path) {
  Json folder{{"path", to_valid_utf8(path.string())}};
  fs::path existing = path;
  while (!existing.empty() && existing != existing.root_path() && !fs::exists(existing))
    existing = existing.parent_path();
  folder.update(mount_of(existing.empty() ? fs::path(".") : existing));
  struct statfs info{};
  if (::statfs(existing.empty() ? "." : existing.c_str(), &info) == 0) {
    folder["block_bytes"] = info.f_bsize;
    folder["total_bytes"] =
        static_cast<std::uint64_t>(info.f_blocks) * static_cast<std::uint64_t>(info.f_bsize);
    folder["available_bytes"] =
        static_cast<std::uint64_t>(info.f_bavail) * static_cast<std::uint64_t>(info.f_bsize);
  }
  return folder;
}

}  // namespace

std::string describe_environment(const std::map<std::string, fs::path>& folders, const std::string& tool,
                                 const std::vector<std::string>& libraries,
                                 const std::map<std::string, std::vector<Mechanism>>& mechanisms) {
  Json all{{"recorded", format_utc(wall_time_ms())}, {"program", tool}, {"libraries", libraries}};
  utsname name{};
  if (::uname(&name) == 0)
    all["kernel"] = Json{{"system", name.sysname},
                         {"release", name.release},
                         {"version", name.version},
                         {"machine", name.machine},
                         {"host", to_valid_utf8(name.nodename)}};
  set_if_known(all, "cpu", proc_value("/proc/cpuinfo", "model name"));
  all["cores_online"] = ::sysconf(_SC_NPROCESSORS_ONLN);
  set_if_known(all, "cpu_governor", first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
  set_if_known(all, "memory_total", proc_value("/proc/meminfo", "MemTotal"));
  set_if_known(all, "swap_total", proc_value("/proc/meminfo", "SwapTotal"));
  set_if_known(all, "memory_limit", first_line("/sys/fs/cgroup/memory.max"));
  set_if_known(all, "cpu_limit", first_line("/sys/fs/cgroup/cpu.max"));
  set_if_known(all, "boot_id", first_line("/proc/sys/kernel/random/boot_id"));
  set_if_known(all, "transparent_hugepage", first_line("/sys/kernel/mm/transparent_hugepage/enabled"));
  all["page_bytes"] = ::sysconf(_SC_PAGESIZE);
  for (const auto& [key, path] : folders) all["folders"][key] = describe_folder(path);
  for (const auto& [system, list] : mechanisms)
    for (const Mechanism& documented : list)
      all["mechanisms"][system].push_back(
          {{"level", documented.level}, {"support", documented.support}, {"source", documented.source}});
  return all.dump(2) + "\n";
}

}  // namespace lab
