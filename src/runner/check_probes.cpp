// SPDX-License-Identifier: Apache-2.0
#include "runner/check_probes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "probe/probe_set.hpp"
#include "probe/volume_probe.hpp"
#include "runner/password.hpp"

namespace lab {
namespace {

constexpr Millis kReadLimit{15'000};  // For one reading of all of them.

bool requires_probe(const SystemPlan& system, const std::string& probe) {
  return std::find(system.probes.begin(), system.probes.end(), probe) != system.probes.end();
}

bool monitored(const std::string& volume) {
  return volume.starts_with("longhorn:") || volume.starts_with("minio:");
}

Check check_device(const SystemPlan& system) {
  const auto size = Volume(*system.volume).allocation({Clock::now() + kReadLimit, {}});
  return {system.name + " volume", size.has_value(),
          size ? fmt::format("{} has {} allocated", *system.volume, format_bytes(size->bytes))
               : size.error().text()};
}

Check check_reading(const SystemPlan& system, const std::string& probe, bool needed, const Reading& reading) {
  const std::string name = system.name + " " + probe;
  if (const auto figure = reading.bytes.find(probe); figure != reading.bytes.end())
    return {name, true, fmt::format("{} says {}", *system.volume, format_bytes(Bytes{figure->second}))};
  const auto why = reading.missing.find(probe);
  return {name, !needed, why == reading.missing.end() ? "no reading" : why->second, !needed};
}

Check check_lag(const Plan& plan, const SystemPlan& system, const ProbeInfo& info, bool needed) {
  return {
      fmt::format("{} {} lag", system.name, info.name), !needed,
      fmt::format("its figures are up to {} old and must rest for longer; [settle] limit is {}, so it can "
                  "never answer: raise the limit",
                  format_duration(info.lag), format_duration(plan.settle.limit)),
      !needed};
}

}  // namespace

void check_probes(const Plan& plan, const SystemPlan& system, std::vector<Check>& checks) {
  auto secrets = resolve_probe_secrets(plan, system);
  if (!secrets) {
    checks.push_back({system.name + " secrets", false, secrets.error().text()});
    return;
  }
  if (!system.volume) return;
  if (!monitored(*system.volume)) {
    checks.push_back(check_device(system));
    return;
  }
  // Of the monitored volume alone: commands and exporters may need what the run has not made yet.
  const SystemPlan bare{.name = system.name, .probes = {}, .volume = system.volume};
  const ProbeSet probes =
      make_probes({.plan = plan, .system = bare, .roots = {}, .place = {}, .secrets = std::move(*secrets)});
  Reading reading;
  probes.read({Clock::now() + kReadLimit, {}}, reading);
  for (const ProbeInfo& info : probes.infos()) {
    const bool required = requires_probe(system, info.name);
    checks.push_back(check_reading(system, info.name, required || info.name != "kubelet", reading));
    if (info.lag >= plan.settle.limit) checks.push_back(check_lag(plan, system, info, required));
  }
}

}  // namespace lab
