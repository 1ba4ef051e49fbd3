// Questions to a Prometheus server. It answers for minutes with what a series last was; this client takes
// only what is fresh. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "probe/http_endpoint.hpp"

namespace lab {

struct PrometheusConfig {
  HttpEndpoint endpoint{};  // "http://prometheus:9090"; a path before /api/v1 belongs to it.
  Millis age_max{90'000};   // Of a sample: its scrape interval and a scrape that was late.
  Millis limit{30'000};     // Of one reading of a probe, with all its questions; a server may hang.
};

enum class LabelMatch : std::uint8_t { kEquals, kRegex };

struct LabelMatcher {
  std::string label{};
  LabelMatch match = LabelMatch::kEquals;
  std::string value{};  // As it is, or an RE2 expression that has to match the whole; quoted by us.
};

/// Series of one metric.
struct SeriesSelector {
  std::string metric{};
  std::vector<LabelMatcher> matchers{};
};

/// metric{label="value",other=~"regex"}, with quotes, backslashes and line feeds of values escaped. Errors:
/// kInvalidArgument for a name that PromQL does not take.
Result<std::string> to_promql(const SeriesSelector& selector);

/// Matches `text` and nothing else as an RE2 expression.
std::string regex_literal(std::string_view text);
/// Matches any of these texts.
std::string regex_any_of(const std::vector<std::string>& texts);

struct SeriesSample {
  std::map<std::string, std::string> labels{};  // Without the metric's name.
  double value = 0;                             // Finite.
  Millis age{0};                                // By the server's clock: between the scrape and the answer.

  /// Empty where it is not there, which for Prometheus is the same.
  std::string label(const std::string& name) const;
};

/// The body of an answer of ours. Errors: those of Prometheus::query that are about an answer.
Result<std::vector<SeriesSample>> parse_series(const std::string& body, const std::string& metric,
                                               Millis age_max);

/// Not thread-safe.
class Prometheus {
 public:
  explicit Prometheus(PrometheusConfig config, TimeSource& time = real_time());

  /// The newest sample of each series, with its age, from one evaluation; none where no series is there, or
  /// where the server knows that they have ended. Asked three times within the deadline. Errors: those of
  /// EndpointClient; kNotFound for a sample older than age_max (with its age); kCorruption for an answer that
  /// is not as the HTTP API (v1) says, for NaN and infinities; kRefused for an answer with warnings, since
  /// then something is not in it.
  Result<std::vector<SeriesSample>> query(const SeriesSelector& selector, const CallContext& call);

  const PrometheusConfig& config() const noexcept { return config_; }

 private:
  PrometheusConfig config_;
  EndpointClient client_;
};

/// One value for each value of `label`. Several scrapes of one thing are one if they agree. Errors:
/// kCorruption where they do not, or where a series lacks the label; `metric` is for their text.
Result<std::map<std::string, double>> values_by_label(const std::vector<SeriesSample>& samples,
                                                      const std::string& label, const std::string& metric);

}  // namespace lab
