// SPDX-License-Identifier: Apache-2.0
#include "probe/metrics_probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "model/endpoint.hpp"

namespace lab {
namespace {

constexpr const char* kOperation = "probe.metrics";

class MetricsProbe final : public Probe {
 public:
  MetricsProbe(MetricsConfig config, TimeSource& time)
      : config_(std::move(config)),
        info_{.name = "metrics:" + config_.name,
              .counts = fmt::format("{}{}{} of an exporter", config_.sum ? "the sum of " : "", config_.metric,
                                    config_.labels.empty() ? "" : labels_text(config_.labels)),
              .scope = config_.scope,
              .quantum = config_.quantum,
              .lag = config_.lag},
        client_(config_.endpoint, time) {}

  const ProbeInfo& info() const noexcept override { return info_; }

  Result<ByteMap> read(const CallContext& call) override {
    if (!is_metric_name(config_.metric))
      return Error{ErrorCode::kInvalidArgument, kOperation, "the metric's name is none"};
    const auto samples = scrape(client_, within(call, config_.limit));
    if (!samples) return samples.error();
    const auto found = matching(*samples, config_.metric, config_.labels);
    if (found.empty()) return missing(*samples);
    if (found.size() > 1 && !config_.sum)
      return Error{ErrorCode::kRefused, kOperation,
                   fmt::format("{} series match: {}{}, {}{}{}", found.size(), config_.metric,
                               labels_text(found[0].labels), config_.metric, labels_text(found[1].labels),
                               found.size() > 2 ? ", ..." : "")};
    LAB_TRY(check_same_series(found));
    Bytes total;
    for (const MetricSample& sample : found) {
      LAB_TRY(check_age(sample));
      const auto bytes = whole_bytes(sample.value, config_.metric + labels_text(sample.labels));
      if (!bytes) return bytes.error();
      total += Bytes{*bytes};
    }
    return ByteMap{{info_.name, total.count}};
  }

 private:
  /// A sum is of the series of the first reading: one that is gone, or a new one, would pass for bytes.
  Status check_same_series(const std::vector<MetricSample>& found) {
    std::set<std::string> series;
    for (const MetricSample& sample : found) series.insert(labels_text(sample.labels));
    if (series_.empty()) series_ = series;
    if (series == series_) return ok();
    std::vector<std::string> other;
    std::set_symmetric_difference(series.begin(), series.end(), series_.begin(), series_.end(),
                                  std::back_inserter(other));
    const bool gone = series_.contains(other.front());
    return Error{ErrorCode::kRefused, kOperation,
                 fmt::format("other series than at the first reading: {}{} is {}", config_.metric,
                             other.front(), gone ? "gone" : "new")};
  }

  Error missing(const std::vector<MetricSample>& samples) const {
    const auto any = matching(samples, config_.metric, {});
    const std::string wanted = config_.metric + (config_.labels.empty() ? "" : labels_text(config_.labels));
    return {ErrorCode::kNotFound, kOperation,
            any.empty() ? wanted + " is not among the metrics"
                        : fmt::format("no series matches {}; there is {}{}", wanted, config_.metric,
                                      labels_text(any[0].labels))};
  }

  Status check_age(const MetricSample& sample) const {
    if (!sample.timestamp_ms) return ok();
    // Against our own clock: there is no other, and clocks that differ by more than this are a fault too.
    const std::int64_t age = std::clamp<std::int64_t>(wall_time_ms() / 1'000 - *sample.timestamp_ms / 1'000,
                                                      -1'000'000'000, 1'000'000'000);
    if (std::chrono::seconds(std::abs(age)) <= config_.age_max) return ok();
    return Error{
        ErrorCode::kNotFound, kOperation,
        fmt::format("stale: {}{} is {} s {}, {} s are allowed", sample.name, labels_text(sample.labels),
                    std::abs(age), age > 0 ? "old" : "ahead of our clock", config_.age_max.count() / 1'000),
        true};
  }

  MetricsConfig config_;
  ProbeInfo info_;
  EndpointClient client_;
  std::set<std::string> series_{};  // Labels of those that the first reading found.
};

}  // namespace

Result<std::vector<MetricSample>> scrape(EndpointClient& client, const CallContext& call) {
  const auto answer = client.get(call, "probe.scrape");
  if (!answer) return answer.error();
  const auto type = answer->headers.find("content-type");
  return parse_exposition(answer->body, exposition_format(type == answer->headers.end() ? "" : type->second));
}

std::vector<MetricSample> matching(const std::vector<MetricSample>& samples, const std::string& metric,
                                   const std::map<std::string, std::string>& labels) {
  std::vector<MetricSample> found;
  const auto is_equal = [](const MetricSample& sample, const auto& wanted) {
    const auto label = sample.labels.find(wanted.first);
    return label == sample.labels.end() ? wanted.second.empty() : label->second == wanted.second;
  };
  for (const MetricSample& sample : samples)
    if (sample.name == metric && std::all_of(labels.begin(), labels.end(),
                                             [&](const auto& wanted) { return is_equal(sample, wanted); }))
      found.push_back(sample);
  return found;
}

std::unique_ptr<Probe> make_metrics_probe(MetricsConfig config, TimeSource& time) {
  return std::make_unique<MetricsProbe>(std::move(config), time);
}

}  // namespace lab
