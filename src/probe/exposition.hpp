// The text in which exporters give their metrics: Prometheus text format 0.0.4 and OpenMetrics 1.0, read
// strictly. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace lab {

/// One line of an exporter's answer.
struct MetricSample {
  std::string name{};
  std::map<std::string, std::string> labels{};
  double value = 0;                            // NaN and infinities are values of the format.
  std::optional<std::int64_t> timestamp_ms{};  // Of the exporter's clock, UTC; absent: of the answer itself.
};

enum class ExpositionFormat : std::uint8_t { kText, kOpenMetrics };

/// kOpenMetrics for "application/openmetrics-text; version=...", else kText, which is also what exporters
/// send without a type.
ExpositionFormat exposition_format(std::string_view content_type);

/// All samples in their order, those of histograms and summaries too. Comments, HELP, TYPE and exemplars are
/// left out. Errors: kCorruption with the number of the first line that is not of the format; an answer that
/// was cut (no line feed at the end, for OpenMetrics no "# EOF") is one.
Result<std::vector<MetricSample>> parse_exposition(std::string_view text, ExpositionFormat format);

/// A decimal number as exporters and Prometheus write it: "1.1917312e+08", "NaN", "+Inf". Empty for anything
/// else.
std::optional<double> parse_metric_value(std::string_view text);

/// {a="b",c="d"}, for error texts.
std::string labels_text(const std::map<std::string, std::string>& labels);

/// A value that stands for bytes. Errors: kCorruption for NaN, infinities, what is negative, not whole, or
/// above 2^53, from where on a double no longer tells one byte from the next. `what` names it.
Result<std::int64_t> whole_bytes(double value, std::string_view what);

}  // namespace lab
