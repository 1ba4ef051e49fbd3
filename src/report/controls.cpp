// Controls are judged a run at a time: what one directory's controls proved says nothing about another's.
// SPDX-License-Identifier: Apache-2.0
#include "report/controls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string_view>

#include "report/figures.hpp"

namespace lab::report {
namespace {

constexpr std::string_view kControlVariant = "default";

/// Everything of one payload that its controls depend on.
struct PayloadRows {
  int highest_grade = 0;
  bool sizes_vary = false;
  std::set<std::size_t> sources{};  // Runs that measured it.
  std::vector<std::size_t> rows{};  // Its records that count in some run.
};

/// Payloads in the order of first appearance.
std::vector<std::pair<std::string, PayloadRows>> rows_by_payload(const RunData& run) {
  std::vector<std::pair<std::string, PayloadRows>> payloads;
  for (std::size_t row = 0; row < run.stages.size(); ++row) {
    const StageRow& stage = run.stages[row];
    if (stage.record.superseded && !stage.counted_elsewhere) continue;
    const DatasetSpec& dataset = stage.record.cell.dataset;
    auto place = std::find_if(payloads.begin(), payloads.end(),
                              [&](const auto& entry) { return entry.first == dataset.payload; });
    if (place == payloads.end()) place = payloads.insert(place, {dataset.payload, {}});
    PayloadRows& found = place->second;
    found.highest_grade = std::max(found.highest_grade, dataset.grade);
    found.sizes_vary = found.sizes_vary || sizes_vary(dataset);
    found.sources.insert(stage.source);
    found.rows.push_back(row);
  }
  return payloads;
}

/// Block without its repetition, and chain: the pairs that share a mean.
std::string mean_key(const StageRecord& record) {
  Cell cell = record.cell;
  cell.repetition = 1;
  return block_id(cell) + " " + record.chain;
}

/// How one control system did in one run.
struct SystemOutcome {
  std::vector<double> means{};
  std::uint64_t pairs = 0;  // Of the mean that has the fewest.
  std::map<std::string, std::uint64_t> refused{};
};

/// Of a control that a plan names and whose chains have no bulk_insert, the other insert.
std::string control_stage(const RunData& run, const PayloadRows& payload, std::string_view system,
                          std::size_t source) {
  const bool bulk = std::any_of(payload.rows.begin(), payload.rows.end(), [&](std::size_t row) {
    const StageRow& stage = run.stages[row];
    return stage.source == source && stage.record.cell.system == system &&
           stage.record.cell.dataset.unit == DuplicateUnit{} &&
           stage.record.stage == to_string(StageKind::kBulkInsert);
  });
  return std::string(to_string(bulk ? StageKind::kBulkInsert : StageKind::kPerfileInsert));
}

SystemOutcome measure(const RunData& run, std::span<const StageFigures> figures, const TwinIndex& twins,
                      const PayloadRows& payload, std::string_view system, std::size_t source,
                      const std::string& probe) {
  std::map<std::string, std::vector<std::size_t>> by_mean;
  const std::string insert = control_stage(run, payload, system, source);
  for (const std::size_t row : payload.rows) {
    const StageRow& stage = run.stages[row];
    const Cell& cell = stage.record.cell;
    if (stage.source == source && cell.system == system && cell.variant == kControlVariant &&
        cell.dataset.unit == DuplicateUnit{} && cell.dataset.grade == payload.highest_grade &&
        stage.record.stage == insert)
      by_mean[mean_key(stage.record)].push_back(row);
  }
  SystemOutcome outcome;
  for (auto& [key, rows] : by_mean) {
    std::sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
      return run.stages[a].record.cell.repetition < run.stages[b].record.cell.repetition;
    });
    const EtaSample sample = etas_of(run, figures, pair_rows(run, twins, rows), probe);
    for (const auto& [why, count] : sample.refused) outcome.refused[why] += count;
    const auto mean = estimate(sample.etas, sample.uncertainty);
    if (!mean) continue;
    outcome.pairs = outcome.means.empty() ? mean->n : std::min(outcome.pairs, mean->n);
    outcome.means.push_back(mean->mean);
  }
  return outcome;
}

/// Folds one run's outcome into the worst one so far; says what is missing.
void fold(const SystemOutcome& outcome, std::string_view system, bool (*worse)(double, double),
          std::optional<double>& worst, std::vector<std::string>& reasons) {
  for (const double mean : outcome.means)
    if (!worst || worse(mean, *worst)) worst = mean;
  if (!outcome.means.empty()) return;
  const std::string refused = describe_refused(outcome.refused);
  reasons.push_back(fmt::format("the control '{}' has no complete valid pair{}{}", system,
                                refused.empty() ? "" : ": ", refused));
}

bool farther_from_zero(double a, double b) { return std::abs(a) > std::abs(b); }
bool smaller(double a, double b) { return a < b; }

ControlOutcome judge_payload(const RunData& run, std::span<const StageFigures> figures,
                             const TwinIndex& twins, const std::string& name, const PayloadRows& payload) {
  ControlOutcome outcome;
  outcome.payload = name;
  outcome.grade = grade_name(payload.highest_grade);
  // Blocks round sizes that vary up by different amounts; file lengths do not.
  outcome.probe = payload.sizes_vary ? "apparent" : kHeadlineProbe;
  std::vector<std::string> reasons;
  std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max();
  for (const std::size_t source : payload.sources) {
    const auto control = [&](std::string_view system) {
      return measure(run, figures, twins, payload, system, source, outcome.probe);
    };
    const SystemOutcome files = control("files");
    const SystemOutcome cas = control("cas");
    fold(files, "files", &farther_from_zero, outcome.eta_files, reasons);
    fold(cas, "cas", &smaller, outcome.eta_cas, reasons);
    fewest = std::min({fewest, files.pairs, cas.pairs});
  }
  outcome.pairs = fewest;
  if (outcome.eta_files && std::abs(*outcome.eta_files) > kFilesEtaMax)
    reasons.push_back(
        fmt::format("eta of 'files' is {:.4f}, not within +-{}", *outcome.eta_files, kFilesEtaMax));
  if (outcome.eta_cas && *outcome.eta_cas < kCasEtaMin)
    reasons.push_back(fmt::format("eta of 'cas' is {:.4f}, below {}", *outcome.eta_cas, kCasEtaMin));
  outcome.passed = reasons.empty();
  outcome.reason = outcome.passed ? fmt::format("eta of 'files' within +-{}, of 'cas' at least {}",
                                                kFilesEtaMax, kCasEtaMin)
                                  : fmt::format("{}", fmt::join(reasons, "; "));
  return outcome;
}

}  // namespace

std::vector<ControlOutcome> judge_controls(const RunData& run, std::span<const StageFigures> figures,
                                           const TwinIndex& twins) {
  std::vector<ControlOutcome> outcomes;
  for (const auto& [name, payload] : rows_by_payload(run))
    if (payload.highest_grade > 0) outcomes.push_back(judge_payload(run, figures, twins, name, payload));
  return outcomes;
}

}  // namespace lab::report
