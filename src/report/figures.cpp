// Each figure is a difference of two readings: it exists when both do and when it stands above the noise.
// SPDX-License-Identifier: Apache-2.0
#include "report/figures.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "report/statistics.hpp"

namespace lab::report {
namespace {

std::optional<std::int64_t> find_figure(const ByteMap& figures, std::string_view probe) {
  const auto found = figures.find(std::string(probe));
  if (found == figures.end()) return std::nullopt;
  return found->second;
}

/// A difference of two sizes is a number from three noise floors on. Without drift every difference is one.
bool below_resolution(const StageRecord& record, std::string_view probe, std::int64_t difference) {
  const double noise = static_cast<double>(part_or_whole(record.noise_bytes, probe).value_or(0));
  return std::abs(static_cast<double>(difference)) < kNoiseMultiple * noise;
}

std::string below_resolution_reason(const StageRecord& record, std::string_view probe,
                                    std::int64_t difference) {
  return fmt::format("below resolution: {} bytes, noise floor {} bytes", difference,
                     part_or_whole(record.noise_bytes, probe).value_or(0));
}

std::set<std::string> probes_of(const StageRecord& record) {
  std::set<std::string> probes;
  for (const auto& [probe, bytes] : record.after_bytes) probes.insert(probe);
  for (const auto& [probe, bytes] : record.empty_bytes) probes.insert(probe);
  return probes;
}

void add_stored(const StageRecord& record, const std::string& probe, StageFigures& figures) {
  if (figures.missing.contains(probe)) return;
  const auto after = find_figure(record.after_bytes, probe);
  const auto empty = find_figure(record.empty_bytes, probe);
  if (!after || !empty) {
    figures.missing[probe] = after ? "no reading of the empty system" : "no reading after the stage";
    return;
  }
  const std::int64_t stored = *after - *empty;
  if (below_resolution(record, probe, stored)) {
    figures.missing[probe] = below_resolution_reason(record, probe, stored);
    return;
  }
  figures.stored_bytes[probe] = stored;
}

/// With L = 0 there is no ratio to miss, so nothing is said.
void add_ratios(const StageRecord& record, const std::string& probe, StageFigures& figures) {
  const auto stored = figures.stored_bytes.find(probe);
  if (record.logical_bytes == 0 || stored == figures.stored_bytes.end()) return;
  const auto all_copies = counts_all_copies(record, probe);
  if (!all_copies) {
    figures.missing[probe] = "no EDR: not recorded whether the probe counts one copy or all";
    return;
  }
  const StoredSize size{record.logical_bytes, stored->second, record.copies, *all_copies,
                        record.storage_copies.value_or(1)};
  const auto edr = effective_dedup_ratio(size);
  const auto cluster = cluster_dedup_ratio(size);
  if (!edr || !cluster) {
    figures.missing[probe] = "no EDR: " + (edr ? cluster : edr).error().detail;
    return;
  }
  figures.edr[probe] = *edr;
  if (record.copies_unknown.empty())
    figures.edr_cluster[probe] = *cluster;
  else
    figures.missing[std::string(kClusterRatio)] =
        "the copies of the storage are not known: " + record.copies_unknown;
}

/// A share of one difference in another, both on `files`.
struct Share {
  std::optional<double> value{};
  std::string why{};  // Of the absence.
};

/// (before - after) / (before - empty). Below zero when the stage grew the files: that is a finding.
Share freed_share(const StageRecord& record) {
  const auto before = find_figure(record.before_bytes, kHeadlineProbe);
  const auto after = find_figure(record.after_bytes, kHeadlineProbe);
  const auto empty = find_figure(record.empty_bytes, kHeadlineProbe);
  if (!before || !after || !empty) return {{}, "no reading of files before, after or empty"};
  const std::int64_t stored_before = *before - *empty;
  const std::int64_t freed = *before - *after;
  if (stored_before <= 0 || below_resolution(record, kHeadlineProbe, stored_before))
    return {{}, "nothing above resolution was stored before it"};
  if (below_resolution(record, kHeadlineProbe, freed))
    return {{}, below_resolution_reason(record, kHeadlineProbe, freed)};
  return {static_cast<double>(freed) / static_cast<double>(stored_before), {}};
}

/// 1 - (growth / n) / L. Growth within the noise is not taken for zero: full reuse must be seen, not assumed.
Share reuse_share(const StageRecord& record) {
  const auto before = find_figure(record.before_bytes, kHeadlineProbe);
  const auto after = find_figure(record.after_bytes, kHeadlineProbe);
  const auto all_copies = counts_all_copies(record, kHeadlineProbe);
  if (!before || !after) return {{}, "no reading of files before or after"};
  if (record.logical_bytes <= 0) return {{}, "no logical bytes"};
  if (!all_copies || !std::isfinite(record.copies) || record.copies < 1)
    return {{}, "the number of copies is not known"};
  const std::int64_t growth = *after - *before;
  if (below_resolution(record, kHeadlineProbe, growth))
    return {{}, below_resolution_reason(record, kHeadlineProbe, growth)};
  const double copies = *all_copies ? record.copies : 1;
  return {1 - static_cast<double>(growth) / copies / static_cast<double>(record.logical_bytes), {}};
}

/// A share is also missing where the record itself says that `files` has no figure.
void set_share(const StageRecord& record, std::string_view name, const Share& share,
               std::optional<double>& figure, StageFigures& figures) {
  const auto reason = record.missing.find(std::string(kHeadlineProbe));
  if (reason == record.missing.end()) figure = share.value;
  if (!figure)
    figures.missing[std::string(name)] = reason == record.missing.end() ? share.why : reason->second;
}

/// Space was freed, and no sample before the end of the stage shows 95 % of it: the time is censored.
void mark_censored(const StageRecord& record, StageFigures& figures) {
  if (!figures.eta_free || *figures.eta_free <= 0 || record.seconds_to_95) return;
  figures.missing[std::string(kSecondsTo95)] =
      "censored: 95 % of what became free was free only after the last sample";
}

}  // namespace

bool counts(const StageRecord& record) { return record.valid && !record.unsupported && !record.superseded; }

std::int64_t distinct_bytes(const StageRecord& record) {
  return record.unique_bytes - record.near_duplicate_bytes;
}

std::optional<double> largest_ratio(const StageRecord& record) {
  if (record.logical_bytes <= 0 || distinct_bytes(record) <= 0) return std::nullopt;
  return static_cast<double>(record.logical_bytes) / static_cast<double>(distinct_bytes(record));
}

std::string_view whole_of(std::string_view probe) { return probe.substr(0, probe.find(':')); }

std::optional<std::int64_t> part_or_whole(const ByteMap& figures, std::string_view probe) {
  if (const auto own = find_figure(figures, probe)) return own;
  return find_figure(figures, whole_of(probe));
}

std::optional<double> stored_uncertainty(const StageRecord& record, std::string_view probe) {
  if (!part_or_whole(record.noise_bytes, probe)) return std::nullopt;
  const auto bytes = [&](const ByteMap& figures) {
    return std::abs(static_cast<double>(part_or_whole(figures, probe).value_or(0)));
  };
  return systematic_uncertainty({.quantum = bytes(record.quantum_bytes),
                                 .noise = bytes(record.noise_bytes),
                                 .residue = bytes(record.residue_bytes)});
}

std::optional<double> relative_uncertainty(const StageRecord& record, std::string_view probe,
                                           std::int64_t stored) {
  const auto uncertainty = stored_uncertainty(record, probe);
  if (!uncertainty || stored == 0) return std::nullopt;
  return *uncertainty / std::abs(static_cast<double>(stored));
}

std::optional<bool> counts_all_copies(const StageRecord& record, std::string_view probe) {
  for (const std::string_view name : {probe, whole_of(probe)}) {
    const auto found = record.scope.find(std::string(name));
    if (found != record.scope.end()) return found->second == "all copies";
  }
  // One copy is all copies: then the scope decides nothing.
  if (record.copies == 1) return true;
  return std::nullopt;
}

StageFigures compute_figures(const StageRecord& record) {
  StageFigures figures;
  if (!record.valid || record.unsupported) return figures;
  figures.missing = record.missing;
  for (const std::string& probe : probes_of(record)) {
    add_stored(record, probe, figures);
    add_ratios(record, probe, figures);
  }
  const auto kind = parse_stage_kind(record.stage);
  if (!kind) return figures;
  if (is_delete(*kind) || *kind == StageKind::kMaintenance) {
    set_share(record, kFreedShare, freed_share(record), figures.eta_free, figures);
    mark_censored(record, figures);
  }
  if (*kind == StageKind::kRefill)
    set_share(record, kReuseShare, reuse_share(record), figures.reuse_share, figures);
  return figures;
}

}  // namespace lab::report
