// A comparison for a person and for a script.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "report/compare.hpp"

namespace lab::report {
namespace {

using nlohmann::ordered_json;

std::string figure_text(const std::optional<double>& figure) {
  return figure ? fmt::format("{:.6g}", *figure) : "-";
}

/// Eta changes by a difference, everything else by a share of what it was.
std::string change_text(const Difference& difference) {
  if (!difference.change) return "no change known";
  const bool share = difference.metric != "eta";
  const auto one = [share](double value) {
    return share ? fmt::format("{:+.2f} %", 100 * value) : fmt::format("{:+.4f}", value);
  };
  if (!difference.low || !difference.high)
    return fmt::format("{} (no interval: {})", one(*difference.change), difference.no_interval);
  return fmt::format("{} [{}, {}]", one(*difference.change), one(*difference.low), one(*difference.high));
}

std::string line_of(const Difference& difference) {
  const std::string metric =
      difference.probe.empty() ? difference.metric : difference.metric + ":" + difference.probe;
  if (difference.only_in_first)
    return fmt::format("  {}: {}, only in the first run\n", metric, figure_text(difference.before));
  if (difference.only_in_second)
    return fmt::format("  {}: {}, only in the second run\n", metric, figure_text(difference.after));
  return fmt::format("  {}: {} -> {}, {}\n", metric, figure_text(difference.before),
                     figure_text(difference.after), change_text(difference));
}

void set_number(ordered_json& out, const char* key, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) out[key] = *value;
}

}  // namespace

std::string comparison_text(const Comparison& comparison) {
  std::string text;
  std::string point;
  for (const Difference& difference : comparison.differences) {
    if (difference.point != point) text += to_valid_utf8(difference.point) + "\n";
    point = difference.point;
    text += to_valid_utf8(line_of(difference));
  }
  if (comparison.differences.empty()) text += "nothing to compare: no run has a valid record\n";
  for (const std::string& sentence : comparison.broken) text += "broken: " + to_valid_utf8(sentence) + "\n";
  return text;
}

std::string comparison_json(const Comparison& comparison) {
  ordered_json differences = ordered_json::array();
  for (const Difference& difference : comparison.differences) {
    ordered_json one = ordered_json::object();
    one["point"] = to_valid_utf8(difference.point);
    one["metric"] = difference.metric;
    if (!difference.probe.empty()) one["probe"] = to_valid_utf8(difference.probe);
    set_number(one, "before", difference.before);
    set_number(one, "after", difference.after);
    set_number(one, "change", difference.change);
    set_number(one, "low", difference.low);
    set_number(one, "high", difference.high);
    if (!difference.no_interval.empty()) one["no_interval"] = difference.no_interval;
    one["only_in_first"] = difference.only_in_first;
    one["only_in_second"] = difference.only_in_second;
    differences.push_back(std::move(one));
  }
  ordered_json broken = ordered_json::array();
  for (const std::string& sentence : comparison.broken) broken.push_back(to_valid_utf8(sentence));
  ordered_json out = ordered_json::object();
  out["differences"] = std::move(differences);
  out["broken"] = std::move(broken);
  return out.dump(1) + "\n";
}

}  // namespace lab::report
