// SPDX-License-Identifier: Apache-2.0
#include "runner/check_probes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/process.hpp"
#include "core/text.hpp"
#include "probe/mount.hpp"
#include "probe/probe_set.hpp"
#include "probe/vdo_probe.hpp"
#include "probe/volume_probe.hpp"
#include "runner/password.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr Millis kReadLimit{15'000};  // For one reading of all of them.

/// Read where the system's files are, and nowhere else.
constexpr std::array<std::string_view, 8> kOfFiles{"apparent", "files", "extents", "filesystem",
                                                   "btrfs",    "zfs",   "zpool",   "vdo"};

bool requires_probe(const SystemPlan& system, const std::string& probe) {
  return std::find(system.probes.begin(), system.probes.end(), probe) != system.probes.end();
}

/// No server tells a client where its files are on the local machine: the plan has to.
void check_directory(const SystemPlan& system, const SystemEntry& entry, std::vector<Check>& checks) {
  if (entry.embedded || !entry.has_files || system.directory) return;
  std::vector<std::string> needing;
  for (const std::string& probe : system.probes)
    if (std::find(kOfFiles.begin(), kOfFiles.end(), probe) != kOfFiles.end())
      needing.push_back("'" + probe + "'");
  if (needing.empty()) return;
  checks.push_back({system.name + " directory", false,
                    fmt::format("probes requires {}, and where the server's files are is not known: give "
                                "'directory', or require other probes, as probes = [\"engine\"]",
                                join(needing, ", "))});
}

/// A system without a figure of its own never gets one.
void check_engine(const SystemPlan& system, const SystemEntry& entry, std::vector<Check>& checks) {
  if (entry.has_engine || !requires_probe(system, "engine")) return;
  checks.push_back({system.name + " engine", false,
                    fmt::format("{} has no figure of its own, and probes requires 'engine': leave it out of "
                                "probes",
                                entry.name)});
}

/// Of those whose kernel code has no FIEMAP.
bool tells_extents(const std::string& type) {
  return type != "tmpfs" && type != "ramfs" && type != "zfs" && !type.starts_with("nfs");
}

void check_extents(const SystemPlan& system, const fs::path& files, std::vector<Check>& checks) {
  if (!requires_probe(system, "extents")) return;
  const fs::path place = existing_above(files);
  const auto mount = find_mount(place);
  if (mount && tells_extents(mount->type)) return;
  checks.push_back(
      {system.name + " extents", false,
       mount ? fmt::format("{} lies on {}, which does not tell where its extents lie; put the files on "
                           "another file system, or leave 'extents' out of probes",
                           place.string(), mount->type)
             : mount.error().text()});
}

void check_commands(const SystemPlan& system, std::vector<Check>& checks) {
  for (const CommandProbePlan& command : system.commands) {
    const std::string probe = "command:" + command.name;
    const bool needed = requires_probe(system, probe);
    const auto program = find_program(command.argv.front());
    checks.push_back(
        {fmt::format("{} {}", system.name, probe), program.has_value() || !needed,
         program
             ? "by " + to_text(Command{.argv = command.argv})
             : fmt::format("[systems.{}.commands.{}] argv: {}; install it, or write its path{}", system.name,
                           command.name, program.error().detail, needed ? ", or leave it out of probes" : ""),
         !program.has_value() && !needed});
  }
}

/// A VDO volume may lie below any file system, so it is asked.
Status find_vdo(const fs::path& place) {
  VdoProbe probe([&](const CallContext&) { return Result<std::vector<fs::path>>(std::vector{place}); });
  const auto figure = probe.read({Clock::now() + kReadLimit, {}});
  return figure ? ok() : Status(figure.error());
}

/// What is below the file system is there as the plan requires it.
void check_place(const SystemPlan& system, const fs::path& files, std::vector<Check>& checks) {
  const fs::path place = existing_above(files);
  for (const std::string& probe : system.probes) {
    if (probe != "btrfs" && probe != "zfs" && probe != "zpool" && probe != "vdo") continue;
    const std::string name = fmt::format("{} {}", system.name, probe);
    const auto mount = find_mount(place);
    if (!mount) {
      checks.push_back({name, false, mount.error().text()});
      continue;
    }
    const std::string where = fmt::format("{} lies on {} ({})", place.string(), mount->type, mount->source);
    const Status vdo = probe == "vdo" ? find_vdo(place) : ok();
    const std::string wanted = probe == "zpool" ? "zfs" : probe;
    const bool fits = probe == "vdo" ? vdo.has_value() : mount->type == wanted;
    checks.push_back(
        {name, fits,
         fits ? where
              : fmt::format("{}, and '{}' needs {}{}; put the files there, or leave it out of probes", where,
                            probe, probe == "vdo" ? "a VDO volume below it" : wanted,
                            vdo ? "" : " (" + vdo.error().text() + ")")});
  }
}

bool monitored(const std::string& volume) {
  return volume.starts_with("longhorn:") || volume.starts_with("minio:");
}

Check check_device(const SystemPlan& system, const std::optional<fs::path>& files) {
  const Volume volume(*system.volume);
  const auto size = volume.allocation({Clock::now() + kReadLimit, {}});
  if (size && files) {
    const bool needed = requires_probe(system, "volume") || requires_probe(system, "volume:trimmed");
    if (const Status below = volume.check_below({existing_above(*files)}); !below)
      return {system.name + " volume", !needed, below.error().text(), !needed};
  }
  return {system.name + " volume", size.has_value(),
          size ? fmt::format("{} has {} allocated", *system.volume, format_bytes(size->bytes))
               : size.error().text()};
}

/// What one reading before the run says. What need not answer yet is a warning.
Check check_reading(const std::string& name, const std::string& probe, const std::string& where, bool needed,
                    const Reading& reading) {
  if (const auto figure = reading.bytes.find(probe); figure != reading.bytes.end())
    return {name, true, fmt::format("{} says {}", where, format_bytes(Bytes{figure->second}))};
  const auto why = reading.missing.find(probe);
  return {name, !needed, why == reading.missing.end() ? "no reading" : why->second, !needed};
}

/// The probes that the plan names and that are not read where the files are; without their secrets.
SystemPlan named_alone(const SystemPlan& system) {
  SystemPlan named{.name = system.name,
                   .probes = {},
                   .volume = system.volume,
                   .commands = system.commands,
                   .metrics = system.metrics};
  if (named.volume && !monitored(*named.volume)) named.volume.reset();
  return named;
}

std::vector<ProbeInfo> named_infos(const Plan& plan, const SystemPlan& system) {
  const SystemPlan named = named_alone(system);
  return make_probes({.plan = plan, .system = named, .roots = {}, .place = {}, .secrets = {}}).infos();
}

void check_lags(const Plan& plan, const SystemPlan& system, std::vector<Check>& checks) {
  for (const ProbeInfo& info : named_infos(plan, system)) {
    if (info.lag < plan.settle.limit) continue;
    const bool needed = requires_probe(system, info.name);
    checks.push_back(
        {fmt::format("{} {} lag", system.name, info.name), !needed,
         fmt::format("its figures are up to {} old and must rest for longer; [settle] limit is {}, so it can "
                     "never answer: raise the limit",
                     format_duration(info.lag), format_duration(plan.settle.limit)),
         !needed});
  }
}

/// Reads once what monitoring tells of the volume, which is there before the run, and what the plan requires
/// of commands and exporters, which may need what the run has not made yet.
void check_readings(const Plan& plan, const SystemPlan& system, ProbeSecrets secrets,
                    std::vector<Check>& checks) {
  SystemPlan asked = named_alone(system);
  std::erase_if(asked.commands, [&](const CommandProbePlan& command) {
    return !requires_probe(system, "command:" + command.name) || !find_program(command.argv.front());
  });
  std::erase_if(asked.metrics, [&](const MetricsProbePlan& metrics) {
    return !requires_probe(system, "metrics:" + metrics.name);
  });
  const ProbeSet probes =
      make_probes({.plan = plan, .system = asked, .roots = {}, .place = {}, .secrets = std::move(secrets)});
  Reading reading;
  probes.read({Clock::now() + kReadLimit, {}}, reading);
  for (const ProbeInfo& info : probes.infos()) {
    const std::string name = fmt::format("{} {}", system.name, info.name);
    if (info.name.starts_with("command:") || info.name.starts_with("metrics:"))
      checks.push_back(check_reading(name + " figure", info.name, "before the run it", false, reading));
    else
      checks.push_back(check_reading(name, info.name, *system.volume,
                                     requires_probe(system, info.name) || info.name != "kubelet", reading));
  }
}

}  // namespace

Millis longest_lag(const Plan& plan, const SystemPlan& system) {
  Millis longest{0};
  for (const ProbeInfo& info : named_infos(plan, system))
    if (info.lag < plan.settle.limit) longest = std::max(longest, info.lag);
  return longest;
}

void check_probes(const Plan& plan, const SystemPlan& system, const SystemEntry& entry,
                  const std::optional<fs::path>& files, std::vector<Check>& checks) {
  check_directory(system, entry, checks);
  check_engine(system, entry, checks);
  check_commands(system, checks);
  if (files) {
    check_extents(system, *files, checks);
    check_place(system, *files, checks);
  }
  check_lags(plan, system, checks);
  auto secrets = resolve_probe_secrets(plan, system);
  if (!secrets) {
    checks.push_back({system.name + " secrets", false, secrets.error().text()});
    return;
  }
  if (system.volume && !monitored(*system.volume)) checks.push_back(check_device(system, files));
  check_readings(plan, system, std::move(*secrets), checks);
}

}  // namespace lab
