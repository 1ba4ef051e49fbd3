// SPDX-License-Identifier: Apache-2.0
#include "drill/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "journal/journal.hpp"
#include "report/figures.hpp"
#include "report/statistics.hpp"

namespace lab::drill {
namespace {

// How far beyond the sizes of a few undisturbed repetitions one more may lie: so many times their spread and
// both uncertainties, and the share of the data that is too little for a verdict, in which background work
// and catalogues differ from run to run. A size says little of losses; counts and read-back do.
constexpr double kCoverage = 3;
constexpr std::int64_t kEndMarginMs = 50;  // From a stage's last word with its server to its end.

constexpr std::string_view kHoldsData = "files:payload";

/// Others write on the file system, and of the parts of a figure only the one that holds the data is known to
/// stay: the rest move against each other.
bool compared(const std::string& probe) {
  return probe == kHoldsData || (probe.find(':') == std::string::npos && probe != "filesystem");
}

/// A noise floor that was not measured widens nothing: a judge errs by being strict.
double known_uncertainty(StageRecord record, const std::string& probe) {
  record.noise_bytes.try_emplace(probe, 0);
  return report::stored_uncertainty(record, probe).value();
}

void add_sizes(const StageRecord& record, Undisturbed& known) {
  for (const auto& [probe, bytes] : report::compute_figures(record).stored_bytes) {
    if (!compared(probe)) continue;
    known.sizes[probe].push_back(bytes);
    double& largest = known.uncertainty[probe];
    largest = std::max(largest, known_uncertainty(record, probe));
  }
}

/// A system that moves in one cell without a fault may do so in each: MergeTree's parts, a volume's garbage.
void share_spreads(Reference& reference) {
  for (auto& [key, known] : reference)
    for (const auto& [other_key, other] : reference) {
      if (other.record.cell.system != known.record.cell.system || other.record.stage != known.record.stage)
        continue;
      for (const auto& [probe, sizes] : other.sizes) {
        const auto [low, high] = std::minmax_element(sizes.begin(), sizes.end());
        known.spread[probe] = std::max(known.spread[probe], static_cast<double>(*high - *low));
      }
    }
}

std::string different_count(const char* what, std::uint64_t mine, std::uint64_t other) {
  return mine == other ? "" : fmt::format("{} {} in place of {}", mine, what, other);
}

/// The first size that lies too far from the undisturbed ones; empty where none does. Where the part that
/// holds the data is known on both sides and does not, none does: a server writes logs of its own by its
/// clock and whenever it starts, and a fault takes time.
std::string different_size(const StageRecord& record, const Undisturbed& known) {
  const double data =
      static_cast<double>(record.cell.total_bytes.value_or(Bytes{record.logical_bytes}).count);
  std::string first;
  bool holds_data = false;
  for (const auto& [probe, bytes] : report::compute_figures(record).stored_bytes) {
    const auto sizes = known.sizes.find(probe);
    if (!compared(probe) || sizes == known.sizes.end()) continue;
    const auto [low, high] = std::minmax_element(sizes->second.begin(), sizes->second.end());
    const double allowed = kCoverage * (known.spread.at(probe) + known.uncertainty.at(probe) +
                                        known_uncertainty(record, probe)) +
                           report::kEquivalenceMargin * data;
    const double off = bytes > *high ? static_cast<double>(bytes - *high) : static_cast<double>(*low - bytes);
    if (off <= allowed) {
      holds_data = holds_data || probe == kHoldsData;
    } else if (first.empty()) {
      first = fmt::format("{} of {} bytes, undisturbed {} to {}, allowed {:.0f} beyond", probe, bytes, *low,
                          *high, allowed);
    }
  }
  return holds_data ? "" : first;
}

/// How a valid record differs from the undisturbed one; empty where it does not.
std::string difference(const StageRecord& record, const Undisturbed& known) {
  const StageRecord& other = known.record;
  for (const std::string& text :
       {different_count("operations", record.objects, other.objects),
        different_count("objects", record.objects_live, other.objects_live),
        different_count("distinct objects", record.unique_objects, other.unique_objects),
        different_count("logical bytes", static_cast<std::uint64_t>(record.logical_bytes),
                        static_cast<std::uint64_t>(other.logical_bytes))})
    if (!text.empty()) return text;
  return different_size(record, known);
}

}  // namespace

std::string key_of(const StageRecord& record) {
  Cell cell = record.cell;
  cell.repetition = 1;
  return cell_id(cell) + " " + record.chain + " " + record.stage;
}

Result<Reference> load_reference(const std::filesystem::path& directory) {
  auto reader = JournalReader::open(directory);
  if (!reader) return reader.error();
  Reference reference;
  LAB_TRY((*reader)->each_stage([&](const StoredStage& stored) -> Status {
    const StageRecord& record = stored.record;
    if (record.superseded) return ok();
    if (!record.valid && !record.unsupported)
      return Error{ErrorCode::kRefused, "drill.reference",
                   fmt::format("without any fault {} is not valid: {}", key_of(record), record.reason)};
    Undisturbed& known = reference[key_of(record)];
    if (record.cell.repetition == 1) known.record = record;
    if (record.valid) add_sizes(record, known);
    return ok();
  }));
  share_spreads(reference);
  return reference;
}

Result<Judgement> judge(const std::filesystem::path& directory, const Reference& reference,
                        const std::optional<Moment>& ended, bool whole) {
  auto reader = JournalReader::open(directory);
  if (!reader) return reader.error();
  Judgement judgement;
  std::map<std::string, int> seen;
  const auto find = [&](const std::string& key, const std::string& what) {
    judgement.findings.push_back(key + ": " + what);
  };
  LAB_TRY((*reader)->each_stage([&](const StoredStage& stored) -> Status {
    const StageRecord& record = stored.record;
    if (record.superseded) return ok();
    const std::string key = key_of(record);
    if (++seen[key] == 2) find(key, "counts twice");
    const auto known = reference.find(key);
    if (known == reference.end()) {
      find(key, "is not of this plan");
    } else if (report::counts(record)) {
      ++judgement.valid;
      const std::string other = difference(record, known->second);
      if (!other.empty()) find(key, other);
      if (ended && record.cell.system == ended->system && record.started_ms <= ended->wall_ms &&
          record.ended_ms > ended->wall_ms + kEndMarginMs)
        find(key, "is valid although its server ended within it");
    } else if (!record.unsupported) {
      judgement.invalid[key] = record.reason;
      if (record.reason.empty()) find(key, "is invalid without a reason");
    } else if (!known->second.record.unsupported) {
      find(key, "is unsupported only after the fault: " + record.reason);
    }
    return ok();
  }));
  if (!whole) return judgement;
  for (const auto& [key, known] : reference)
    if (!seen.contains(key)) find(key, "has no record");
  return judgement;
}

}  // namespace lab::drill
