// Factors come from the sizes, the whole from the ratios: two ways to one number, so that a slip in either
// shows. SPDX-License-Identifier: Apache-2.0
#include "report/ladder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.hpp"
#include "report/analysis.hpp"
#include "report/figures.hpp"
#include "report/statistics.hpp"

namespace lab::report {
namespace {

constexpr double kRounding = 1e-9;
constexpr const char* kNoReading = "no reading";

/// Bytes of one copy as the probe saw them. Precondition: the record has stored bytes and a ratio there.
double bytes_of_one_copy(const StageRecord& record, const StageFigures& figures, const std::string& rung) {
  const auto stored = static_cast<double>(figures.stored_bytes.at(rung));
  return *counts_all_copies(record, rung) ? stored / record.copies : stored;
}

bool has_rung(const StageFigures& figures, const std::string& rung) {
  return figures.edr.contains(rung) && figures.stored_bytes.contains(rung);
}

std::string why_left_out(const StageFigures& figures, const std::string& rung) {
  const auto reason = figures.missing.find(rung);
  return reason == figures.missing.end() ? kNoReading : reason->second;
}

/// Valid rows of the group that hold data.
std::vector<std::size_t> rows_with_data(const RunData& run, const Group& group) {
  std::vector<std::size_t> rows;
  for (const std::size_t row : group.rows)
    if (counts(run.stages[row].record) && run.stages[row].record.logical_bytes > 0) rows.push_back(row);
  return rows;
}

/// The figures of a row without the rungs that another repetition lacks: all repetitions have equal steps.
StageFigures only(const StageFigures& figures, const std::vector<std::string>& rungs) {
  StageFigures kept;
  for (const std::string& rung : rungs) {
    kept.stored_bytes[rung] = figures.stored_bytes.at(rung);
    kept.edr[rung] = figures.edr.at(rung);
  }
  return kept;
}

void add_scopes(const StageRecord& record, LadderSummary& ladder) {
  for (const auto& [probe, scope] : record.scope) ladder.scope.try_emplace(probe, scope);
}

/// Rungs that each row has. What some lack is noted with the first reason and how many lack it.
std::vector<std::string> common_rungs(std::span<const StageFigures> figures,
                                      const std::vector<std::size_t>& rows, LadderSummary& ladder) {
  std::vector<std::string> rungs;
  for (const std::string_view name : kRungs) {
    const std::string rung(name);
    std::size_t without = 0;
    std::string why;
    for (const std::size_t row : rows) {
      if (has_rung(figures[row], rung)) continue;
      if (without++ == 0) why = why_left_out(figures[row], rung);
    }
    const bool usual = rung == "engine" || rung == "apparent" || rung == "files";
    if (without == 0)
      rungs.push_back(rung);
    else if (usual || without < rows.size() || why != kNoReading)  // Most storage is of few kinds.
      ladder.left_out[rung] =
          without == rows.size() ? why : fmt::format("{} of {} repetitions: {}", without, rows.size(), why);
  }
  return rungs;
}

void add_steps(const std::vector<Ladder>& ladders, LadderSummary& summary) {
  for (std::size_t step = 0; step < ladders.front().steps.size(); ++step) {
    std::vector<double> factors;
    SharedUncertainty uncertainty;
    for (const Ladder& ladder : ladders) {
      factors.push_back(ladder.steps[step].factor);
      uncertainty.add(ladder.steps[step].uncertainty);
    }
    const auto mean = estimate_ratio(factors, uncertainty.mean());
    LAB_CHECK(mean.has_value(), "factors of positive sizes are positive");
    summary.steps.push_back({ladders.front().steps[step].above, ladders.front().steps[step].rung, mean->mean,
                             mean->low, mean->high, mean->no_interval});
    summary.product *= mean->mean;
  }
}

/// The geometric mean of the repetitions' wholes is the whole of the means.
void close_ladder(const std::vector<Ladder>& ladders, LadderSummary& summary) {
  std::vector<double> wholes;
  for (const Ladder& ladder : ladders) {
    wholes.push_back(ladder.whole);
    if (const Status status = check_product(ladder.steps, ladder.whole); !status && summary.broken.empty())
      summary.broken = status.error().detail;
  }
  const auto whole = estimate_ratio(wholes, 0);
  LAB_CHECK(whole.has_value(), "a ratio is positive");
  summary.whole = whole->mean;
  std::vector<LadderStep> means;
  for (const MeanStep& step : summary.steps) means.push_back({step.above, step.rung, step.factor, 0});
  if (const Status status = check_product(means, summary.whole); !status && summary.broken.empty())
    summary.broken = status.error().detail;
}

/// A probe that a plan brings, as a whole.
bool is_own_probe(const std::string& probe) {
  return (probe.starts_with("command:") || probe.starts_with("metrics:")) &&
         std::count(probe.begin(), probe.end(), ':') == 1;
}

std::vector<RungVerdict> rung_verdicts(const Group& group) {
  std::vector<std::string> names(kRungs.begin(), kRungs.end());
  for (const auto& [probe, verdict] : group.verdicts)
    if (is_own_probe(probe)) names.push_back(probe);
  std::vector<RungVerdict> rungs;
  for (const std::string& rung : names) {
    const auto verdict = group.verdicts.find(rung);
    if (verdict == group.verdicts.end()) continue;
    // A probe without a pair says nothing, as if it were not there; the headline's silence is an answer.
    if (rung != kHeadlineProbe && !verdict->second.eta && verdict->second.word != VerdictWord::kSemantic &&
        verdict->second.word != VerdictWord::kWithheld)
      continue;
    rungs.push_back({rung, verdict->second.word});
  }
  return rungs;
}

bool removes(VerdictWord word) { return word == VerdictWord::kPartial || word == VerdictWord::kFull; }

std::string factor_text(double factor) {
  if (factor >= 9.995) return fmt::format("{:.1f}", factor);
  return fmt::format("{:.{}f}", factor, factor >= 0.9995 ? 2 : 3);
}

}  // namespace

std::string_view to_string(VanishWord word) noexcept {
  switch (word) {
    case VanishWord::kAt:
      return "at";
    case VanishWord::kNowhere:
      return "nowhere";
    case VanishWord::kNotTold:
      return "not_told";
    case VanishWord::kSemantic:
      return "semantic";
  }
  return "not_told";
}

std::optional<Ladder> compute_ladder(const StageRecord& record, const StageFigures& figures) {
  if (record.logical_bytes <= 0) return std::nullopt;
  Ladder ladder;
  std::string above(kLogicalRung);
  auto bytes_above = static_cast<double>(record.logical_bytes);
  std::optional<double> relative_above = 0;
  for (const std::string_view name : kRungs) {
    const std::string rung(name);
    if (!has_rung(figures, rung)) continue;
    const double bytes = bytes_of_one_copy(record, figures, rung);
    const auto relative = relative_uncertainty(record, rung, figures.stored_bytes.at(rung));
    LadderStep step{above, rung, bytes_above / bytes, std::nullopt};
    if (relative_above && relative) step.uncertainty = std::hypot(*relative_above, *relative);
    ladder.steps.push_back(std::move(step));
    ladder.whole = figures.edr.at(rung);
    above = rung;
    bytes_above = bytes;
    relative_above = relative;
  }
  if (ladder.steps.empty()) return std::nullopt;
  return ladder;
}

Status check_product(std::span<const LadderStep> steps, double whole) {
  double product = 1;
  for (const LadderStep& step : steps) product *= step.factor;
  if (std::abs(product - whole) <= kRounding * std::abs(whole)) return ok();
  return Error{ErrorCode::kInternal, "ladder",
               fmt::format("the factors multiply to {:.9g}, but L / {} is {:.9g}", product,
                           steps.empty() ? std::string(kLogicalRung) : steps.back().rung, whole)};
}

Vanishing find_vanishing(std::span<const RungVerdict> rungs) {
  if (rungs.empty()) return {VanishWord::kNotTold, {}, "no rung has a complete valid pair"};
  std::string above(kLogicalRung);
  for (std::size_t place = 0; place < rungs.size(); ++place) {
    const RungVerdict& rung = rungs[place];
    if (rung.word == VerdictWord::kSemantic)
      return {VanishWord::kSemantic, {}, "the variant keeps one object per key, as it declares"};
    if (removes(rung.word)) {
      const std::string others = above == kLogicalRung ? "the logical bytes" : above + " none";
      std::string reason = fmt::format("{} at {}, ", to_string(rung.word), rung.rung);
      reason += is_own_probe(rung.rung) ? "whose place in the ladder is not known; " + others
                                        : others + " above it";
      for (const RungVerdict& lower : rungs.subspan(place + 1)) {
        if (lower.word == rung.word) continue;
        reason += fmt::format("; {} at {} below it", to_string(lower.word), lower.rung);
        break;
      }
      return {VanishWord::kAt, rung.rung, std::move(reason)};
    }
    if (rung.word != VerdictWord::kNone)
      return {
          VanishWord::kNotTold, {}, fmt::format("the verdict at {} is {}", rung.rung, to_string(rung.word))};
    above = rung.rung;
  }
  return {VanishWord::kNowhere, {}, fmt::format("none at every rung down to {}", above)};
}

std::optional<LadderSummary> summarize_ladder(const RunData& run, std::span<const StageFigures> figures,
                                              const Group& group) {
  const std::vector<std::size_t> rows = rows_with_data(run, group);
  if (rows.empty()) return std::nullopt;
  LadderSummary summary{.n = rows.size()};
  const std::vector<std::string> rungs = common_rungs(figures, rows, summary);
  std::vector<Ladder> ladders;
  for (const std::size_t row : rows) {
    add_scopes(run.stages[row].record, summary);
    if (auto ladder = compute_ladder(run.stages[row].record, only(figures[row], rungs)))
      ladders.push_back(std::move(*ladder));
  }
  if (ladders.empty()) return std::nullopt;
  add_steps(ladders, summary);
  close_ladder(ladders, summary);
  if (!group.verdicts.empty()) summary.vanishing = find_vanishing(rung_verdicts(group));
  return summary;
}

std::string describe(const LadderSummary& ladder) {
  std::vector<std::string> factors;
  for (const MeanStep& step : ladder.steps)
    factors.push_back(fmt::format("{}/{} {}", step.above, step.rung, factor_text(step.factor)));
  std::string text = fmt::format("{} = {}", join(factors, " x "), factor_text(ladder.whole));
  if (!ladder.broken.empty()) text += "; BROKEN: " + ladder.broken;
  if (!ladder.vanishing) return text;
  const Vanishing& vanishing = *ladder.vanishing;
  if (vanishing.word == VanishWord::kAt)
    return fmt::format("{}; duplicates vanish at {}{}", text, vanishing.rung,
                       is_own_probe(vanishing.rung) ? ", which is no rung of the ladder" : "");
  if (vanishing.word == VanishWord::kNowhere) return text + "; duplicates vanish nowhere";
  return fmt::format("{}; where duplicates vanish is not told: {}", text, vanishing.reason);
}

}  // namespace lab::report
