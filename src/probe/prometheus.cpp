// SPDX-License-Identifier: Apache-2.0
#include "probe/prometheus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/text.hpp"
#include "model/endpoint.hpp"
#include "probe/exposition.hpp"

namespace lab {
namespace {

using Json = nlohmann::json;

constexpr const char* kOperation = "prometheus.query";
constexpr std::size_t kWordsMax = 300;          // Of the server's warnings in an error.
constexpr const char* kPart = "deduplab_part";  // A label of ours: which half of the answer an element is.

/// Both halves in one evaluation: the value, and when it was scraped. timestamp() alone gives the latter, and
/// only right around a plain selector.
std::string expression(const std::string& selector) {
  return fmt::format(
      R"(label_replace({0},"{1}","value","","") or label_replace(timestamp({0}),"{1}","time","",""))",
      selector, kPart);
}

Error odd(std::string why) { return {ErrorCode::kCorruption, kOperation, std::move(why)}; }

/// An element of the answer's vector.
struct Element {
  std::map<std::string, std::string> labels{};
  std::string part{};
  double evaluated = 0;  // Seconds since 1970, the server's clock.
  double value = 0;
};

Result<Element> read_element(const Json& json) {
  if (!json.is_object() || !json.contains("metric") || !json.contains("value")) return odd("an odd element");
  const Json& metric = json["metric"];
  const Json& pair = json["value"];
  if (!metric.is_object() || !pair.is_array() || pair.size() != 2 || !pair[0].is_number() ||
      !pair[1].is_string())
    return odd("an odd element");
  Element element{.evaluated = pair[0].get<double>()};
  for (const auto& [name, value] : metric.items()) {
    if (!value.is_string()) return odd("a label that is no text");
    if (name == kPart)
      element.part = value.get<std::string>();
    else if (name != "__name__")
      element.labels[name] = value.get<std::string>();
  }
  const auto& text = pair[1].get_ref<const std::string&>();
  const auto value = parse_metric_value(text);
  if (!value) return odd("a value that is no number");
  if (!std::isfinite(*value)) return odd(fmt::format("{} is {}", labels_text(element.labels), text));
  element.value = *value;
  return element;
}

/// The vector of an answer that is complete. Errors: as query().
Result<Json> read_vector(const std::string& body) {
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("status") || !json["status"].is_string())
    return odd("the answer is not JSON of the HTTP API");
  if (json["status"] != "success") return odd("the answer's status is " + json["status"].dump());
  if (json.contains("warnings") && !json["warnings"].empty())
    return Error{ErrorCode::kRefused, kOperation,
                 "the answer is not complete: " + to_valid_utf8(json["warnings"].dump().substr(0, kWordsMax)),
                 true};
  if (!json.contains("data") || !json["data"].is_object()) return odd("the answer has no data");
  Json& data = json["data"];
  if (!data.contains("resultType") || data["resultType"] != "vector" || !data.contains("result") ||
      !data["result"].is_array())
    return odd("the answer is no vector");
  return std::move(data["result"]);
}

/// The two halves of one series.
struct Halves {
  std::optional<double> value{};
  std::optional<double> scraped{};
  double evaluated = 0;
};

}  // namespace

Result<std::string> to_promql(const SeriesSelector& selector) {
  const auto bad = [](std::string_view name) {
    return Error{ErrorCode::kInvalidArgument, kOperation,
                 fmt::format("'{}' is no name", to_valid_utf8(name))};
  };
  if (!is_metric_name(selector.metric)) return bad(selector.metric);
  std::string text = selector.metric + "{";
  for (const LabelMatcher& matcher : selector.matchers) {
    if (!is_label_name(matcher.label)) return bad(matcher.label);
    if (!text.ends_with('{')) text += ',';
    text += matcher.label + (matcher.match == LabelMatch::kEquals ? "=\"" : "=~\"");
    for (const char letter : matcher.value) {
      if (letter == '\\' || letter == '"') text += '\\';
      text += letter == '\n' ? std::string("\\n") : std::string(1, letter);
    }
    text += '"';
  }
  return text + "}";
}

std::string regex_literal(std::string_view text) {
  std::string regex;
  for (const char letter : text) {
    if (std::string_view(R"(\.+*?()|[]{}^$)").find(letter) != std::string_view::npos) regex += '\\';
    regex += letter;
  }
  return regex;
}

std::string regex_any_of(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  parts.reserve(texts.size());
  for (const std::string& text : texts) parts.push_back(regex_literal(text));
  return join(parts, "|");
}

std::string SeriesSample::label(const std::string& name) const {
  const auto found = labels.find(name);
  return found == labels.end() ? "" : found->second;
}

Prometheus::Prometheus(PrometheusConfig config, TimeSource& time)
    : config_(std::move(config)), client_(config_.endpoint, time) {}

Result<std::vector<SeriesSample>> Prometheus::query(const SeriesSelector& selector, const CallContext& call) {
  const auto series = to_promql(selector);
  if (!series) return series.error();
  const auto answer =
      client_.post_form("/api/v1/query", "query=" + percent_encode(expression(*series)), call, kOperation);
  if (!answer) return answer.error();
  return parse_series(answer->body, selector.metric, config_.age_max);
}

Result<std::vector<SeriesSample>> parse_series(const std::string& body, const std::string& metric,
                                               Millis age_max) {
  const auto vector = read_vector(body);
  if (!vector) return vector.error();
  std::map<std::map<std::string, std::string>, Halves> found;
  for (const Json& json : *vector) {
    const auto element = read_element(json);
    if (!element) return element.error();
    Halves& halves = found[element->labels];
    auto& half = element->part == "time" ? halves.scraped : halves.value;
    if ((element->part != "time" && element->part != "value") || half) return odd("an odd element");
    half = element->value;
    halves.evaluated = element->evaluated;
  }
  std::vector<SeriesSample> samples;
  for (const auto& [labels, halves] : found) {
    const std::string name = metric + labels_text(labels);
    if (!halves.value || !halves.scraped) return odd(name + " has no value or no time");
    const Millis age{std::llround(std::clamp(halves.evaluated - *halves.scraped, -1e9, 1e9) * 1'000)};
    if (age > age_max || age < -age_max)
      return Error{
          ErrorCode::kNotFound, kOperation,
          fmt::format("stale: the newest sample of {} is {:.1f} s old, {:.1f} s are allowed", name,
                      static_cast<double>(age.count()) / 1'000, static_cast<double>(age_max.count()) / 1'000),
          true};
    samples.push_back({labels, *halves.value, age});
  }
  return samples;
}

Result<std::map<std::string, double>> values_by_label(const std::vector<SeriesSample>& samples,
                                                      const std::string& label, const std::string& metric) {
  std::map<std::string, double> values;
  for (const SeriesSample& sample : samples) {
    const auto key = sample.labels.find(label);
    if (key == sample.labels.end())
      return odd(fmt::format("{}{} has no {}", metric, labels_text(sample.labels), label));
    const auto [old, fresh] = values.emplace(key->second, sample.value);
    if (!fresh && old->second != sample.value)
      return odd(fmt::format("{} of {} {} is both {} and {}", metric, label, key->second, old->second,
                             sample.value));
  }
  return values;
}

}  // namespace lab
