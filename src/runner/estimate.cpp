// SPDX-License-Identifier: Apache-2.0
#include "runner/estimate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "payload/dataset.hpp"
#include "runner/check_probes.hpp"
#include "stage/stage_scan.hpp"

namespace lab {
namespace {

constexpr double kDiskFactor =
    2.5;  // Of the logical bytes of the largest cell: log, rewrite during maintenance.

std::uint64_t inserts_of(const Cell& cell) {
  std::uint64_t inserts = 0;
  for (const Chain& chain : cell.chains)
    inserts += static_cast<std::uint64_t>(std::count_if(chain.begin(), chain.end(), is_insert));
  return inserts;
}

/// Seconds that a system rests.
struct RestTimes {
  double quiet = 0;      // Until its sizes are taken to be at rest.
  double idle = 0;       // One idle control: drift of the probes, then the sampler.
  bool servers = false;  // An idle control for each chain; an embedded system's is once for all.
};

/// A server's sizes must be quiet for the window, an embedded system is at rest at once; figures that lag
/// must rest, and be watched in idleness, for as long as they lag, on each.
std::map<std::string, RestTimes> rest_times(const Plan& plan, const Registry& registry) {
  const auto seconds = [](Millis time) { return std::chrono::duration<double>(time).count(); };
  std::map<std::string, RestTimes> times;
  for (const SystemPlan& system : plan.systems) {
    const SystemEntry* const entry = find_system(registry, system.name);
    if (entry == nullptr) continue;
    const Millis lag = longest_lag(plan, system);
    const Millis window = entry->embedded ? Millis{0} : plan.settle.window;
    times[system.name] = {seconds(std::max(window, lag)),
                          seconds(std::max(plan.settle.idle, lag) + plan.settle.idle), !entry->embedded};
  }
  return times;
}

/// Before and after each stage.
double seconds_of_rest(const RestTimes& rest, const Cell& cell) {
  double seconds = 0;
  for (const Chain& chain : cell.chains)
    seconds += rest.quiet * static_cast<double>(chain.size() + 1) + (rest.servers ? rest.idle : 0);
  return seconds;
}

double seconds_of(const Cell& cell, Bytes logical) {
  const double pass = static_cast<double>(logical.count) / (kAssumedMegabytesPerSecond * 1e6);
  double seconds = 0;
  for (const Chain& chain : cell.chains)
    for (const StageKind kind : chain) {
      seconds += kAssumedStageSeconds + (is_insert(kind) || kind == StageKind::kUpdate ? 2 * pass : pass / 2);
      if (kind == StageKind::kPerfileInsert || kind == StageKind::kPerfileDelete)
        seconds += kAssumedObjectSeconds * static_cast<double>(cell.dataset.objects);
    }
  return seconds;
}

/// The files are taken to hold the logical bytes. A system without files has no scan.
double seconds_of_scans(const Plan& plan, const Registry& registry, const Cell& cell, Bytes logical) {
  const SystemEntry* const entry = find_system(registry, cell.system);
  if (entry == nullptr || !entry->has_files) return 0;
  std::int64_t scans = 0;
  for (const Chain& chain : cell.chains)
    scans += std::count_if(chain.begin(), chain.end(),
                           [&](StageKind kind) { return scans_after(plan.scan, kind); });
  const double a_gigabyte = kAssumedScanRead +
                            kAssumedScanChunker * static_cast<double>(plan.scan.chunkers.size()) +
                            (plan.scan.census ? kAssumedScanCensus : 0);
  return static_cast<double>(scans * logical.count) / 1e9 * a_gigabyte;
}

}  // namespace

bool sizes_are_found(const DatasetSpec& spec) {
  return spec.payload.starts_with("directory:") || !spec.object_size.sets_size();
}

Result<Bytes> logical_bytes(const Cell& cell, const DatasetInputs& inputs) {
  const DatasetSpec& spec = cell.dataset;
  if (!sizes_are_found(spec))
    return Bytes{spec.object_size.mean().count * static_cast<std::int64_t>(spec.objects)};
  const auto dataset = Dataset::make(spec, inputs);
  if (!dataset) return dataset.error();
  Bytes total;
  for (std::uint64_t number = 0; number < spec.objects; ++number) {
    const auto size = (*dataset)->source().size_of((*dataset)->facts(number).content);
    if (!size) return size.error();
    total += *size;
  }
  return total;
}

Estimate estimate(const Plan& plan, const std::vector<Block>& blocks, const Registry& registry) {
  Estimate all;
  const DatasetInputs inputs{.real_world_dir = plan.real_world_dir.value_or("")};
  all.stage_measurements = stage_measurements(blocks);
  std::map<std::string, RestTimes> rest = rest_times(plan, registry);
  std::map<std::string, Bytes> known;  // What is found is counted once a grade and size.
  for (const Block& block : blocks)
    for (const Cell& cell : block.cells) {
      (cell.control ? all.control_cells : all.cells) += 1;
      const std::string key = fmt::format("{}/{}/{}/{}", cell.dataset.payload, object_size_name(cell.dataset),
                                          cell.dataset.objects, cell.dataset.grade);
      if (!known.contains(key)) {
        const auto logical = logical_bytes(cell, inputs);
        known[key] = logical ? *logical : Bytes{0};  // check_payloads has named the error.
      }
      const Bytes logical = known[key];
      all.logical += Bytes{logical.count * static_cast<std::int64_t>(inserts_of(cell))};
      all.disk_peak = std::max(
          all.disk_peak, Bytes{static_cast<std::int64_t>(kDiskFactor * static_cast<double>(logical.count))});
      const double scans = seconds_of_scans(plan, registry, cell, logical);
      all.scan_seconds += scans;
      all.seconds += seconds_of(cell, logical) + seconds_of_rest(rest[cell.system], cell) + scans;
    }
  for (const auto& [system, times] : rest)
    if (!times.servers) all.seconds += times.idle;
  return all;
}

}  // namespace lab
