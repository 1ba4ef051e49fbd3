// Reads questions from standard input, one JSON object a line, and answers each with what the report's own
// functions say: the other half of compare_with_scipy.py.
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/histogram.hpp"
#include "report/regression.hpp"
#include "report/resampling.hpp"
#include "report/statistics.hpp"

namespace lab::report {
namespace {

using nlohmann::json;

std::vector<double> values_in(const json& question, const char* key) {
  return question.at(key).get<std::vector<double>>();
}

json answer_of(const Result<Estimate>& estimate) {
  if (!estimate) return {{"error", estimate.error().detail}};
  json out = {{"mean", estimate->mean}, {"statistical", estimate->statistical}, {"n", estimate->n}};
  if (estimate->low) out["low"] = *estimate->low;
  if (estimate->high) out["high"] = *estimate->high;
  return out;
}

json answer_of(const Result<FitValue>& fit) {
  if (!fit) return {{"error", fit.error().detail}};
  return {{"value", fit->value}, {"uncertainty", fit->uncertainty.value()}};
}

json line_answer(const json& question) {
  std::vector<FitPoint> points;
  const auto x = values_in(question, "x"), y = values_in(question, "y"), u = values_in(question, "u");
  for (std::size_t i = 0; i < x.size(); ++i) points.push_back({x[i], y.at(i), u.at(i)});
  return {{"slope", answer_of(fit_slope(points))},
          {"at", answer_of(fit_value(points, question.at("x0").get<double>()))}};
}

json eta_answer(const json& question) {
  const auto side = [&](const char* key) {
    const json& in = question.at(key);
    return PairSide{in.at("L").get<std::int64_t>(), in.at("U").get<std::int64_t>(),
                    in.at("B").get<std::int64_t>(), in.at("u").get<double>()};
  };
  const auto eta = duplicate_removal_efficiency(side("original"), side("graded"));
  if (!eta) return {{"error", eta.error().detail}};
  return {{"eta", eta->eta}, {"uncertainty", eta->uncertainty}};
}

json bootstrap_answer(const json& question) {
  const auto interval =
      bootstrap_median(values_in(question, "values"), question.at("seed").get<std::uint64_t>());
  if (!interval) return {{"error", interval.error().detail}};
  return {{"median", interval->median},
          {"low", interval->low},
          {"high", interval->high},
          {"resamples", kResamples}};
}

json answer(const json& question) {
  const auto what = question.at("what").get<std::string>();
  if (what == "t") return student_t_quantile_975(question.at("degrees").get<double>());
  if (what == "estimate")
    return answer_of(estimate(values_in(question, "values"), question.at("u").get<double>()));
  if (what == "ratio")
    return answer_of(estimate_ratio(values_in(question, "values"), question.at("u").get<double>()));
  if (what == "welch")
    return answer_of(welch_difference({values_in(question, "first"), question.at("u1").get<double>()},
                                      {values_in(question, "second"), question.at("u2").get<double>()}));
  if (what == "line") return line_answer(question);
  if (what == "eta") return eta_answer(question);
  if (what == "bootstrap") return bootstrap_answer(question);
  if (what == "cliff") {
    const auto delta = cliffs_delta(values_in(question, "first"), values_in(question, "second"));
    return delta ? json(*delta) : json{{"error", "an empty sample"}};
  }
  if (what == "needed") return observations_needed(question.at("q").get<double>());
  return {{"error", "unknown question " + what}};
}

}  // namespace
}  // namespace lab::report

int main() try {
  std::string line;
  while (std::getline(std::cin, line))
    std::cout << lab::report::answer(nlohmann::json::parse(line)).dump() << '\n';
  return std::cout.flush() ? 0 : 1;
} catch (const std::exception& bad) {
  std::fprintf(stderr, "statistics_lines: %s\n", bad.what());
  return 1;
}
