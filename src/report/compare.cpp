// Two runs point by point: what each figure was, what it became, and whether a threshold was broken.
// SPDX-License-Identifier: Apache-2.0
#include "report/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "core/text.hpp"
#include "report/figures.hpp"
#include "report/pairs.hpp"
#include "report/statistics.hpp"

namespace lab::report {
namespace {

/// Longer operators first, since "<=" starts with "<".
constexpr std::array<std::string_view, 4> kOperators{"<=", ">=", "<", ">"};

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names{"eta", "edr", "stored_bytes", "duration_seconds"};
  return names;
}

Error bad_threshold(std::string_view text, std::string why) {
  return {ErrorCode::kInvalidArgument, "compare", fmt::format("threshold '{}': {}", text, why)};
}

Result<Threshold> parse_threshold(std::string_view text) {
  Threshold threshold;
  std::size_t at = std::string_view::npos;
  for (const std::string_view op : kOperators) {
    at = text.find(op);
    threshold.op = op;
    if (at != std::string_view::npos) break;
  }
  if (at == std::string_view::npos)
    return bad_threshold(text, "write metric, one of < <= > >=, and a number");
  std::string_view metric = trim(text.substr(0, at));
  constexpr std::string_view kChange = "change.";
  threshold.of_change = metric.starts_with(kChange);
  if (threshold.of_change) metric.remove_prefix(kChange.size());
  threshold.metric = metric;
  const auto& names = metric_names();
  if (std::find(names.begin(), names.end(), threshold.metric) == names.end())
    return bad_threshold(text, fmt::format("'{}' is not a metric{}", metric, suggestion(metric, names)));
  const std::string_view number = trim(text.substr(at + threshold.op.size()));
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), threshold.value);
  if (code != std::errc{} || end != number.data() + number.size() || !std::isfinite(threshold.value))
    return bad_threshold(text, fmt::format("'{}' is not a number", number));
  return threshold;
}

/// One figure of one group: its repetitions and what they share.
struct Sampled {
  std::vector<double> values{};
  SharedUncertainty uncertainty{};  // Of a ratio: relative.
  bool is_ratio = false;            // The change is after / before - 1, its interval on the log scale.
};

using FigureKey = std::pair<std::string, std::string>;  // Metric, probe.
using Figures = std::map<FigureKey, Sampled>;

void add_sizes(const StageRecord& record, const StageFigures& figures, Figures& out) {
  for (const auto& [probe, stored] : figures.stored_bytes) {
    Sampled& sampled = out[{"stored_bytes", probe}];
    sampled.is_ratio = true;
    sampled.values.push_back(static_cast<double>(stored));
    sampled.uncertainty.add(relative_uncertainty(record, probe, stored));
  }
  for (const auto& [probe, edr] : figures.edr) {
    Sampled& sampled = out[{"edr", probe}];
    sampled.is_ratio = true;
    sampled.values.push_back(edr);
    sampled.uncertainty.add(relative_uncertainty(record, probe, figures.stored_bytes.at(probe)));
  }
  Sampled& duration = out[{"duration_seconds", ""}];
  duration.is_ratio = true;
  duration.values.push_back(record.duration_seconds);
  duration.uncertainty.add(0);
}

Figures figures_of(const RunData& run, const Analysis& analysis, const Group& group) {
  Figures out;
  for (const std::size_t row : group.rows)
    if (counts(run.stages[row].record)) add_sizes(run.stages[row].record, analysis.figures[row], out);
  for (const auto& [probe, etas] : group.etas) {
    Sampled& sampled = out[{"eta", probe}];
    sampled.values = etas;
    sampled.uncertainty.add(group.eta_uncertainty.at(probe));
  }
  return out;
}

bool all_positive(const Sampled& sampled) {
  return std::all_of(sampled.values.begin(), sampled.values.end(), [](double value) { return value > 0; });
}

/// The figure as one number: of ratios that are positive the geometric mean, as in the answer table.
std::optional<double> mean_of(const Sampled& sampled) {
  const auto mean = sampled.is_ratio && all_positive(sampled) ? estimate_ratio(sampled.values, 0)
                                                              : estimate(sampled.values, 0);
  if (!mean) return std::nullopt;
  return mean->mean;
}

std::vector<double> logs_of(const std::vector<double>& values) {
  std::vector<double> logs;
  for (const double value : values) logs.push_back(std::log(value));
  return logs;
}

/// Change and interval. A ratio with a value that is not positive has no change: there is no logarithm of it.
void set_change(const Sampled& first, const Sampled& second, Difference& difference) {
  if (first.is_ratio && (!all_positive(first) || !all_positive(second))) return;
  const auto scale = [&](const Sampled& sampled) {
    return sampled.is_ratio ? logs_of(sampled.values) : sampled.values;
  };
  const std::vector<double> before = scale(first);
  const std::vector<double> after = scale(second);
  const auto change =
      welch_difference({before, first.uncertainty.mean()}, {after, second.uncertainty.mean()});
  if (!change) return;
  const auto unscale = [&](double value) { return first.is_ratio ? std::expm1(value) : value; };
  difference.change = unscale(change->mean);
  difference.no_interval = change->no_interval;
  if (change->low) difference.low = unscale(*change->low);
  if (change->high) difference.high = unscale(*change->high);
}

/// Figures of both runs under one name; a point or figure that only one has is kept.
void add_point(const std::string& point, const Figures& first, const Figures& second,
               std::vector<Difference>& differences) {
  std::set<FigureKey> keys;
  for (const Figures* figures : {&first, &second})
    for (const auto& [key, sampled] : *figures) keys.insert(key);
  for (const FigureKey& key : keys) {
    const auto in_first = first.find(key);
    const auto in_second = second.find(key);
    Difference difference{.point = point, .metric = key.first, .probe = key.second};
    difference.only_in_first = in_second == second.end();
    difference.only_in_second = in_first == first.end();
    if (in_first != first.end()) difference.before = mean_of(in_first->second);
    if (in_second != second.end()) difference.after = mean_of(in_second->second);
    if (in_first != first.end() && in_second != second.end())
      set_change(in_first->second, in_second->second, difference);
    differences.push_back(std::move(difference));
  }
}

bool holds(double figure, const Threshold& threshold) {
  if (threshold.op == "<") return figure < threshold.value;
  if (threshold.op == "<=") return figure <= threshold.value;
  if (threshold.op == ">") return figure > threshold.value;
  return figure >= threshold.value;
}

std::string threshold_text(const Threshold& threshold) {
  return fmt::format("{}{}{}{}", threshold.of_change ? "change." : "", threshold.metric, threshold.op,
                     threshold.value);
}

/// A figure that a point of the second run lost breaks the threshold too, and so does one that no point could
/// answer: a run that measured nothing must not pass. A point that the second run's plan has not is no loss.
void check_threshold(const Threshold& threshold, const std::set<std::string>& second_points,
                     Comparison& comparison) {
  bool answered = false;
  for (const Difference& difference : comparison.differences) {
    const bool headline = difference.probe == kHeadlineProbe || difference.probe.empty();
    if (difference.metric != threshold.metric || !headline) continue;
    const auto& figure = threshold.of_change ? difference.change : difference.after;
    if (!figure) {
      if (difference.only_in_first && second_points.contains(difference.point))
        comparison.broken.push_back(fmt::format("{}: {} has no figure in the second run, the first one had",
                                                threshold_text(threshold), difference.point));
      continue;
    }
    answered = true;
    if (holds(*figure, threshold))
      comparison.broken.push_back(fmt::format("{}: {} of {} is {}", threshold_text(threshold),
                                              threshold.of_change ? "the change" : "the figure",
                                              difference.point, *figure));
  }
  if (!answered)
    comparison.broken.push_back(
        fmt::format("{}: no matrix point of the second run has that figure", threshold_text(threshold)));
}

std::vector<const Group*> matrix_groups(const Analysis& analysis) {
  std::vector<const Group*> groups;
  for (const Group& group : analysis.groups)
    if (!group.control) groups.push_back(&group);
  return groups;
}

}  // namespace

Result<std::vector<Threshold>> parse_thresholds(std::string_view text) {
  std::vector<Threshold> thresholds;
  if (trim(text).empty()) return bad_threshold(text, "it is empty");
  for (const std::string& part : split(text, ',')) {
    auto threshold = parse_threshold(trim(part));
    if (!threshold) return std::move(threshold).error();
    thresholds.push_back(std::move(*threshold));
  }
  return thresholds;
}

Comparison compare(const RunData& first, const Analysis& first_analysis, const RunData& second,
                   const Analysis& second_analysis, const std::vector<Threshold>& thresholds) {
  const auto first_groups = matrix_groups(first_analysis);
  const auto second_groups = matrix_groups(second_analysis);
  auto all = first_groups;
  all.insert(all.end(), second_groups.begin(), second_groups.end());
  // Names of both runs are spelled with the same dimensions, so that equal points meet.
  const auto dimensions = varying_dimensions(all);
  std::map<std::string, const Group*> in_second;
  std::set<std::string> second_points;
  for (const Group* group : second_groups) {
    in_second[point_name(*group, dimensions)] = group;
    second_points.insert(point_name(*group, dimensions));
  }
  Comparison comparison;
  for (const Group* group : first_groups) {
    const std::string point = point_name(*group, dimensions);
    const auto same = in_second.find(point);
    const Figures later =
        same == in_second.end() ? Figures{} : figures_of(second, second_analysis, *same->second);
    add_point(point, figures_of(first, first_analysis, *group), later, comparison.differences);
    if (same != in_second.end()) in_second.erase(same);
  }
  for (const Group* group : second_groups)
    if (in_second.contains(point_name(*group, dimensions)))
      add_point(point_name(*group, dimensions), {}, figures_of(second, second_analysis, *group),
                comparison.differences);
  for (const Threshold& threshold : thresholds) check_threshold(threshold, second_points, comparison);
  return comparison;
}

}  // namespace lab::report
