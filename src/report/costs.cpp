// One line a block, so that what differs between repetitions does not tilt it; then an interval over the
// blocks. SPDX-License-Identifier: Apache-2.0
#include "report/costs.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "report/analysis.hpp"
#include "report/figures.hpp"
#include "report/pairs.hpp"
#include "report/regression.hpp"

namespace lab::report {
namespace {

struct Quantity {
  std::string name{};
  std::string unit{};
  std::string probe{};  // Empty where it is not a size.
  double StageRecord::* figure = nullptr;
};

const std::vector<Quantity>& quantities() {
  static const std::vector<Quantity> all{
      {"stored_bytes:files", "bytes", "files", nullptr},
      {"stored_bytes:files:log", "bytes", "files:log", nullptr},
      {"duration_seconds", "s", "", &StageRecord::duration_seconds},
      {"client_cpu_seconds", "s", "", &StageRecord::client_cpu_seconds},
  };
  return all;
}

/// The groups of one matrix point.
struct Point {
  std::optional<std::size_t> original{};
  std::vector<std::size_t> graded{};  // By grade.
};

/// Rows of one block that may be compared.
struct CostBlock {
  std::size_t original = 0;
  std::vector<std::size_t> graded{};
};

struct Blocks {
  std::vector<CostBlock> complete{};
  std::map<std::string, std::uint64_t> refused{};
};

bool is_costed(const Group& group) {
  const auto kind = parse_stage_kind(group.stage);
  return kind && (*kind == StageKind::kBulkInsert || *kind == StageKind::kPerfileInsert);
}

std::map<std::string, Point> points_of(std::span<const Group> groups) {
  std::map<std::string, Point> points;
  for (std::size_t index = 0; index < groups.size(); ++index) {
    if (!is_costed(groups[index])) continue;
    // Controls of the program and a system of the plan of that name are not one point.
    Point& point = points[point_without_grade(groups[index]) + (groups[index].control ? " control" : "")];
    if (grade_of(groups[index]) == 0)
      point.original = index;
    else
      point.graded.push_back(index);
  }
  for (auto& [name, point] : points)
    std::sort(point.graded.begin(), point.graded.end(),
              [&](std::size_t a, std::size_t b) { return grade_of(groups[a]) < grade_of(groups[b]); });
  return points;
}

/// Pairs of each grade joined by their U0. A block that lacks a grade would give another line than the rest.
Blocks complete_blocks(const RunData& run, const TwinIndex& twins, std::span<const Group> groups,
                       const Point& point) {
  Blocks blocks;
  std::map<std::size_t, std::vector<std::size_t>> joined;
  for (const std::size_t row : groups[*point.original].rows)
    if (counts(run.stages[row].record)) joined[row];
  for (const std::size_t group : point.graded) {
    const PairSet pairs = pair_rows(run, twins, groups[group].rows);
    for (const Pair& pair : pairs.pairs) joined[pair.original].push_back(pair.graded);
  }
  const std::string& unit = groups[*point.original].duplicate_unit;
  for (auto& [original, graded] : joined) {
    if (unit != to_string(DuplicateUnit{}))  // No object is a copy, whatever the grade.
      blocks.refused["no object is a whole copy: duplicate_unit is " + unit] += 1;
    else if (graded.size() == point.graded.size())
      blocks.complete.push_back({original, std::move(graded)});
    else
      blocks.refused["not every grade is a valid pair"] += 1;
  }
  return blocks;
}

double duplicates_of(const StageRecord& record) {
  const DatasetSpec& dataset = record.cell.dataset;
  return static_cast<double>(dataset.objects - distinct_objects(dataset.objects, dataset.grade));
}

/// Nothing where the record has no such figure.
std::optional<FitPoint> point_of(const RunData& run, std::span<const StageFigures> figures, std::size_t row,
                                 const Quantity& quantity) {
  const StageRecord& record = run.stages[row].record;
  FitPoint point{.x = duplicates_of(record)};
  if (quantity.figure != nullptr) {
    point.y = record.*quantity.figure;
    return point;
  }
  const auto stored = figures[row].stored_bytes.find(quantity.probe);
  if (stored == figures[row].stored_bytes.end()) return std::nullopt;
  point.y = static_cast<double>(stored->second);
  point.uncertainty = stored_uncertainty(record, quantity.probe);
  return point;
}

std::string why_missing(const StageFigures& figures, const Quantity& quantity) {
  const auto reason = figures.missing.find(quantity.probe);
  if (reason == figures.missing.end()) return "no figure";
  // Its numbers differ by repetition and would split one cause into many.
  return reason->second.starts_with("below resolution") ? "below resolution" : reason->second;
}

/// Values of one figure over the blocks, with the mean of their systematic parts.
struct Collected {
  std::vector<double> values{};
  SharedUncertainty uncertainty{};

  void add(const FitValue& fit, double divisor) {
    values.push_back(fit.value / divisor);
    uncertainty.add(fit.uncertainty ? std::optional(*fit.uncertainty / divisor) : std::nullopt);
  }
  std::optional<Estimate> mean() const {
    if (values.empty()) return std::nullopt;
    auto result = estimate(values, uncertainty.mean());
    if (!result) return std::nullopt;
    return *result;
  }
};

/// A point a grade; empty, and the reason counted, where one has no such figure.
std::vector<FitPoint> line_of(const RunData& run, std::span<const StageFigures> figures,
                              const CostBlock& block, const Quantity& quantity,
                              std::map<std::string, std::uint64_t>& refused) {
  std::vector<std::size_t> rows{block.original};
  rows.insert(rows.end(), block.graded.begin(), block.graded.end());
  std::vector<FitPoint> line;
  for (const std::size_t row : rows) {
    const auto point = point_of(run, figures, row, quantity);
    if (!point) {
      refused[why_missing(figures[row], quantity)] += 1;
      return {};
    }
    line.push_back(*point);
  }
  return line;
}

CopyCost cost_of(const RunData& run, std::span<const StageFigures> figures, const Blocks& blocks,
                 const Quantity& quantity, CopyCost cost) {
  cost.quantity = quantity.name;
  cost.unit = quantity.unit;
  cost.refused = blocks.refused;
  const auto objects = static_cast<double>(cost.objects);
  Collected original, copy, difference;
  for (const CostBlock& block : blocks.complete) {
    const std::vector<FitPoint> line = line_of(run, figures, block, quantity, cost.refused);
    if (line.empty()) continue;
    const auto slope = fit_slope(line);
    const auto none = fit_value(line, 0);
    const auto all = fit_value(line, objects);
    if (!slope || !none || !all) {
      cost.refused[(slope ? none ? all : none : slope).error().detail] += 1;
      continue;
    }
    original.add(*none, objects);
    copy.add(*all, objects);
    difference.add(*slope, 1);
  }
  if (copy.values.empty()) return cost;
  cost.original = original.mean();
  cost.copy = copy.mean();
  cost.difference = difference.mean();
  cost.u_copy = copy.uncertainty.mean();
  cost.u_difference = difference.uncertainty.mean();
  return cost;
}

}  // namespace

std::map<std::size_t, std::vector<CopyCost>> compute_costs(const RunData& run,
                                                           std::span<const StageFigures> figures,
                                                           std::span<const Group> groups,
                                                           const TwinIndex& twins) {
  std::map<std::size_t, std::vector<CopyCost>> costs;
  for (const auto& [name, point] : points_of(groups)) {
    if (!point.original || point.graded.empty()) continue;
    const Group& original = groups[*point.original];
    if (original.valid_rows == 0 || original.objects == 0) continue;
    CopyCost blank{.grades = {original.grade}, .objects = original.objects};
    for (const std::size_t group : point.graded) blank.grades.push_back(groups[group].grade);
    const Blocks blocks = complete_blocks(run, twins, groups, point);
    for (const Quantity& quantity : quantities())
      costs[*point.original].push_back(cost_of(run, figures, blocks, quantity, blank));
  }
  return costs;
}

}  // namespace lab::report
