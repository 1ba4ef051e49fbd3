// The whole answer in one pass: figures, groups, controls, intervals, verdicts, and what weakens them.
// SPDX-License-Identifier: Apache-2.0
#include "report/analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "report/controls.hpp"
#include "report/figures.hpp"
#include "report/pairs.hpp"
#include "report/statistics.hpp"

namespace lab::report {
namespace {

constexpr double kResolutionShare =
    0.01;  // Quantum and noise should stay below this share of the unique bytes.

/// What a verdict needs beside its own group.
struct Context {
  const RunData& run;
  std::span<const StageFigures> figures;
  const TwinIndex& twins;
  const std::vector<ControlOutcome>& controls;
};

std::vector<StageFigures> all_figures(const RunData& run) {
  std::vector<StageFigures> figures;
  for (const StageRow& row : run.stages) {
    // A cell that another directory has too gives no result, but it is a twin and a control in its own run.
    const bool used = !row.record.superseded || row.counted_elsewhere;
    figures.push_back(used ? compute_figures(row.record) : StageFigures{});
  }
  return figures;
}

void count_records(const RunData& run, Analysis& analysis) {
  for (const StageRow& row : run.stages) {
    const StageRecord& record = row.record;
    if (record.cell.control) continue;
    if (record.superseded) {
      analysis.superseded += 1;
    } else if (record.unsupported) {
      analysis.unsupported += 1;
    } else if (record.valid) {
      analysis.valid += 1;
    } else {
      analysis.invalid += 1;
      analysis.invalid_reasons[record.reason.empty() ? "no reason recorded" : record.reason] += 1;
    }
  }
}

void add_edr(const Context& context, Group& group) {
  std::map<std::string, std::vector<double>> ratios;
  std::map<std::string, SharedUncertainty> uncertainties;
  for (const std::size_t row : group.rows) {
    const StageRecord& record = context.run.stages[row].record;
    for (const auto& [probe, edr] : context.figures[row].edr) {
      ratios[probe].push_back(edr);
      uncertainties[probe].add(
          relative_uncertainty(record, probe, context.figures[row].stored_bytes.at(probe)));
    }
  }
  for (const auto& [probe, values] : ratios) {
    const auto ratio = estimate_ratio(values, uncertainties[probe].mean());
    if (ratio) group.edr[probe] = *ratio;
  }
}

/// True where the stage leaves logical bytes in the system. Without a valid record its kind decides.
bool holds_data(const RunData& run, const Group& group) {
  if (group.valid_rows > 0)
    return std::any_of(group.rows.begin(), group.rows.end(), [&](std::size_t row) {
      const StageRecord& record = run.stages[row].record;
      return counts(record) && record.logical_bytes > 0;
    });
  const auto kind = parse_stage_kind(group.stage);
  return kind && (is_insert(*kind) || *kind == StageKind::kUpdate);
}

bool all_unsupported(const RunData& run, const Group& group) {
  return std::all_of(group.rows.begin(), group.rows.end(),
                     [&](std::size_t row) { return run.stages[row].record.unsupported; });
}

/// Every probe that answered in the group, and the headline's in any case.
std::set<std::string> probes_of(const RunData& run, const Group& group) {
  std::set<std::string> probes{std::string(kHeadlineProbe)};
  for (const std::size_t row : group.rows)
    for (const auto& [probe, bytes] : run.stages[row].record.after_bytes) probes.insert(probe);
  return probes;
}

Verdict blank_verdict(const Group& group, const std::string& probe) {
  Verdict verdict;
  verdict.system = group.system;
  verdict.variant = group.variant;
  verdict.payload = group.payload;
  verdict.object_size = group.object_size;
  verdict.duplicate_unit = group.duplicate_unit;
  verdict.total_bytes = group.total_bytes;
  verdict.grade = group.grade;
  verdict.order = group.order;
  verdict.placement = group.placement;
  verdict.mode = group.mode;
  verdict.cache = group.cache;
  verdict.chain = group.chain;
  verdict.stage = group.stage;
  verdict.probe = probe;
  return verdict;
}

/// The variant keeps one object per key as it declares: counted, not estimated. Nothing unless a valid record
/// says so.
std::optional<Verdict> semantic_verdict(const RunData& run, const Group& group, const std::string& probe) {
  std::uint64_t n = 0;
  std::optional<std::uint64_t> least, most;
  std::string keeps;
  for (const std::size_t row : group.rows) {
    const StageRecord& record = run.stages[row].record;
    if (!counts(record) || record.keeps.empty()) continue;
    n += 1;
    keeps = record.keeps;
    if (!record.removed) continue;
    least = std::min(least.value_or(*record.removed), *record.removed);
    most = std::max(most.value_or(*record.removed), *record.removed);
  }
  if (n == 0) return std::nullopt;
  Verdict verdict = blank_verdict(group, probe);
  verdict.word = VerdictWord::kSemantic;
  verdict.n = n;
  verdict.reason = fmt::format("the variant keeps {}", keeps);
  if (!least) return verdict;
  verdict.removed = least;
  verdict.of = group.objects;
  verdict.reason += fmt::format(": {} of {} objects removed", *least, group.objects);
  if (*most != *least) verdict.reason += fmt::format(" at least, {} at most", *most);
  return verdict;
}

const ControlOutcome* control_of(const Context& context, const Group& group) {
  for (const ControlOutcome& control : context.controls)
    if (control.payload == group.payload) return &control;
  return nullptr;
}

/// A failed control outranks everything that the numbers could say, too few of them included: more
/// repetitions would not heal it. A verdict needs as many pairs of its controls as of its own.
Judgement judge_group(const Context& context, const Group& group, const Estimate& eta,
                      const EtaSample& sample) {
  if (const ControlOutcome* control = control_of(context, group)) {
    if (!control->passed)
      return {VerdictWord::kWithheld,
              fmt::format("a control of {} failed: {}", group.payload, control->reason)};
    if (eta.n >= kPairsRequired && control->pairs < kPairsRequired)
      return {VerdictWord::kWithheld,
              fmt::format("a control of {} has {} complete valid pairs; a verdict needs {}", group.payload,
                          control->pairs, kPairsRequired)};
  }
  Judgement judgement = judge(eta);
  if (context.run.stages[group.rows.front()].record.cell.dataset.unit.is_changed())
    judgement.reason += "; d is 0, eta is of the bytes that changed copies share with their original";
  const std::string refused = describe_refused(sample.refused);
  if (!refused.empty()) judgement.reason += "; " + refused;
  return judgement;
}

void add_verdict(const Context& context, const PairSet& pairs, const std::string& probe, Group& group) {
  if (auto semantic = semantic_verdict(context.run, group, probe)) {
    group.verdicts[probe] = std::move(*semantic);
    return;
  }
  EtaSample sample = etas_of(context.run, context.figures, pairs, probe);
  const auto eta = estimate(sample.etas, sample.uncertainty);
  Verdict verdict = blank_verdict(group, probe);
  if (eta) {
    verdict.eta = eta->mean;
    verdict.low = eta->low;
    verdict.high = eta->high;
    verdict.n = eta->n;
    group.eta_uncertainty[probe] = sample.uncertainty;
  }
  Judgement judgement = judge_group(context, group, eta ? *eta : Estimate{}, sample);
  verdict.word = judgement.word;
  verdict.reason = std::move(judgement.reason);
  group.verdicts[probe] = std::move(verdict);
  if (!sample.etas.empty()) group.etas[probe] = std::move(sample.etas);
}

void add_verdicts(const Context& context, Group& group) {
  if (grade_of(group) == 0 || !holds_data(context.run, group) || all_unsupported(context.run, group)) return;
  std::vector<std::size_t> rows;
  for (const std::size_t row : group.rows)
    if (!context.run.stages[row].record.unsupported) rows.push_back(row);
  const PairSet pairs = pair_rows(context.run, context.twins, rows);
  for (const std::string& probe : probes_of(context.run, group)) add_verdict(context, pairs, probe, group);
}

std::int64_t step_and_noise(const StageRecord& record, std::string_view probe) {
  return part_or_whole(record.quantum_bytes, probe).value_or(0) +
         part_or_whole(record.noise_bytes, probe).value_or(0);
}

/// Probes that may be coarser than `files` is: what a plan's own probes say of their step, for one.
std::set<std::string> coarser_probes(const StageRecord& record) {
  std::set<std::string> probes;
  for (const auto& [probe, step] : record.quantum_bytes)
    if (step_and_noise(record, probe) > step_and_noise(record, kHeadlineProbe)) probes.insert(probe);
  return probes;
}

/// What is too coarse about a group by a probe, as a sentence; empty when its unique bytes are enough.
std::string coarseness(const RunData& run, const Group& group, std::string_view probe) {
  for (const std::size_t row : group.rows) {
    const StageRecord& record = run.stages[row].record;
    if (!counts(record) || distinct_bytes(record) <= 0) continue;
    const std::int64_t step = step_and_noise(record, probe);
    const auto unique = static_cast<double>(distinct_bytes(record));
    if (static_cast<double>(step) <= kResolutionShare * unique) continue;
    const double needed = static_cast<double>(step) / kResolutionShare;
    const double percent = 100 * static_cast<double>(step) / unique;
    const double in_total = needed * static_cast<double>(record.logical_bytes) / unique;
    // One sentence a group; its other repetitions would say the same.
    return fmt::format(
        "{}{}: allocation step and noise of {} are {} % of the unique bytes; for 1 % it takes {} unique, "
        "{} in all",
        point_name(group), probe == kHeadlineProbe ? "" : fmt::format(", {}", probe),
        format_bytes(Bytes{step}),
        percent < 100 ? fmt::format("{:.3g}", percent) : fmt::format("{:.0f}", percent),
        format_bytes(Bytes{static_cast<std::int64_t>(needed)}),
        format_bytes(Bytes{static_cast<std::int64_t>(in_total)}));
  }
  return {};
}

/// The allocation step and the noise must be small against the unique bytes, or no interval can decide. The
/// highest grade has the fewest of them, so it speaks for the others.
std::vector<std::string> resolution_warnings(const RunData& run, const std::vector<Group>& groups) {
  std::map<std::string, const Group*> highest;
  for (const Group& group : groups) {
    const auto kind = parse_stage_kind(group.stage);
    if (group.control || !kind || !is_insert(*kind)) continue;
    const Group*& known = highest[point_without_grade(group)];
    if (known == nullptr || grade_of(*known) < grade_of(group)) known = &group;
  }
  std::vector<std::string> warnings;
  for (const auto& [point, group] : highest) {
    std::set<std::string> probes{std::string(kHeadlineProbe)};
    for (const std::size_t row : group->rows)
      if (counts(run.stages[row].record)) probes.merge(coarser_probes(run.stages[row].record));
    for (const std::string& probe : probes)
      if (std::string warning = coarseness(run, *group, probe); !warning.empty())
        warnings.push_back(std::move(warning));
  }
  return warnings;
}

/// A ladder whose product is not its whole is a fault of the program or of a probe: said before all else.
std::vector<std::string> broken_ladders(const std::vector<Group>& groups) {
  std::vector<std::string> warnings;
  for (const Group& group : groups)
    if (group.ladder && !group.ladder->broken.empty())
      warnings.push_back(
          fmt::format("{}: the ladder is broken: {}", point_name(group), group.ladder->broken));
  return warnings;
}

/// Curves with holes: counted, and the longest one named.
std::vector<std::string> sampling_warnings(const RunData& run) {
  std::uint64_t count = 0;
  const StageRow* worst = nullptr;
  for (const StageRow& row : run.stages) {
    if (!row.sampling_gap || !counts(row.record)) continue;
    count += 1;
    if (worst == nullptr || *worst->sampling_gap < *row.sampling_gap) worst = &row;
  }
  if (worst == nullptr) return {};
  return {fmt::format("{} {} a gap of over three periods in {} samples; the longest is {}: {}, {}", count,
                      count == 1 ? "stage has" : "stages have", count == 1 ? "its" : "their",
                      format_duration(*worst->sampling_gap), worst->record.cell_id, worst->record.stage)};
}

/// What probes say besides their figures, once for each system and probe with the first of the texts: numbers
/// in them differ from stage to stage.
std::vector<std::string> remark_warnings(const RunData& run) {
  struct Said {
    std::uint64_t stages = 0;
    std::string first{};
  };
  std::map<std::pair<std::string, std::string>, Said> said;
  for (const StageRow& row : run.stages) {
    if (!counts(row.record)) continue;
    auto texts = row.record.remarks;
    if (!row.record.copies_unknown.empty())
      texts[std::string(kClusterRatio)] = "none: " + row.record.copies_unknown;
    for (const auto& [probe, text] : texts) {
      Said& all = said[{row.record.cell.system, probe}];
      if (all.stages++ == 0) all.first = text;
    }
  }
  std::vector<std::string> warnings;
  for (const auto& [where, all] : said)
    warnings.push_back(fmt::format("{}, {}, in {} {}: {}", where.first, where.second, all.stages,
                                   all.stages == 1 ? "stage" : "stages, the first", all.first));
  return warnings;
}

void add_ladders(const RunData& run, Analysis& analysis) {
  for (std::size_t row = 0; row < run.stages.size(); ++row) {
    const StageRecord& record = run.stages[row].record;
    analysis.ladders.push_back(counts(record) ? compute_ladder(record, analysis.figures[row]) : std::nullopt);
  }
  for (Group& group : analysis.groups) group.ladder = summarize_ladder(run, analysis.figures, group);
}

void add_latencies(const RunData& run, Analysis& analysis) {
  analysis.bootstrap_seed = bootstrap_seed(run);
  std::map<std::string, const Group*> originals;
  for (const Group& group : analysis.groups)
    if (grade_of(group) == 0) originals.try_emplace(point_without_grade(group), &group);
  for (Group& group : analysis.groups) {
    const auto original = originals.find(point_without_grade(group));
    const bool compared = original != originals.end() && original->second != &group;
    group.latencies =
        compute_latencies(run, group, compared ? original->second : nullptr, analysis.bootstrap_seed);
  }
}

}  // namespace

Analysis analyse(const RunData& run) {
  Analysis analysis;
  analysis.figures = all_figures(run);
  analysis.groups = build_groups(run);
  const TwinIndex twins(run);
  analysis.controls = judge_controls(run, analysis.figures, twins);
  const Context context{run, analysis.figures, twins, analysis.controls};
  for (Group& group : analysis.groups) {
    add_edr(context, group);
    add_verdicts(context, group);
  }
  add_ladders(run, analysis);
  add_latencies(run, analysis);
  for (auto& [group, costs] : compute_costs(run, analysis.figures, analysis.groups, twins))
    analysis.groups[group].costs = std::move(costs);
  analysis.warnings = broken_ladders(analysis.groups);
  for (std::string& warning : resolution_warnings(run, analysis.groups))
    analysis.warnings.push_back(std::move(warning));
  for (std::string& warning : sampling_warnings(run)) analysis.warnings.push_back(std::move(warning));
  for (std::string& warning : remark_warnings(run)) analysis.warnings.push_back(std::move(warning));
  count_records(run, analysis);
  // Groups took what they needed from the records that count elsewhere; no result may show them.
  for (std::size_t row = 0; row < run.stages.size(); ++row)
    if (run.stages[row].record.superseded) analysis.figures[row] = {};
  return analysis;
}

}  // namespace lab::report
