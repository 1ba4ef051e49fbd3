// A figure of any exporter: one metric of an exposition endpoint, narrowed by labels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "probe/exposition.hpp"
#include "probe/http_endpoint.hpp"
#include "probe/probe.hpp"

namespace lab {

struct MetricsConfig {
  std::string name{};                           // The probe is "metrics:NAME".
  HttpEndpoint endpoint{};                      // "http://host:9100/metrics"
  std::string metric{};                         // Whose value is bytes.
  std::map<std::string, std::string> labels{};  // Each has to be equal; an empty value also means not there.
  bool sum = false;  // True: of all series that match, at least one. False: exactly one has to match.
  CopyScope scope = CopyScope::kAllCopies;
  Bytes quantum{1};        // Not known: a byte.
  Millis lag{0};           // How old the exporter's figure may be when it answers.
  Millis age_max{90'000};  // Of a sample with a timestamp of its own.
  Millis limit{15'000};    // Of one reading: an exporter that hangs must not hold up the others.
};

/// One figure, under its name. Errors: those of EndpointClient and parse_exposition; kNotFound where no
/// series matches or one is stale (its own timestamp is older than age_max, or further ahead); kRefused where
/// several match; kCorruption where a value is no number of bytes.
std::unique_ptr<Probe> make_metrics_probe(MetricsConfig config, TimeSource& time = real_time());

/// What an endpoint says, parsed. Errors: those of EndpointClient::get and of parse_exposition.
Result<std::vector<MetricSample>> scrape(EndpointClient& client, const CallContext& call);

/// Samples of a metric whose labels are equal to these.
std::vector<MetricSample> matching(const std::vector<MetricSample>& samples, const std::string& metric,
                                   const std::map<std::string, std::string>& labels);

}  // namespace lab
