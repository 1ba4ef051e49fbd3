// SPDX-License-Identifier: Apache-2.0
#include "probe/exposition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/text.hpp"
#include "model/endpoint.hpp"

namespace lab {
namespace {

constexpr const char* kOperation = "probe.exposition";
constexpr double kWholeMax = 9007199254740992.0;  // 2^53

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// What is wrong with a line; empty: nothing.
using Fault = std::string;

/// Reads one sample line from its left to its right.
class Line {
 public:
  Line(std::string_view text, ExpositionFormat format) : rest_(text), format_(format) {}

  Fault read(MetricSample& sample) {
    sample.name = take_name(true);
    if (sample.name.empty()) return "no name of a metric";
    if (Fault fault = read_labels(sample.labels); !fault.empty()) return fault;
    if (!take_blanks() && !labelled_) return "no blank after the name";
    const auto value = parse_metric_value(take_word());
    if (!value) return "no value";
    sample.value = *value;
    if (!take_blanks() || rest_.empty()) return rest_.empty() ? "" : "more than a value";
    if (!is_exemplar())
      if (Fault fault = read_timestamp(sample); !fault.empty()) return fault;
    take_blanks();
    // An exemplar says where one observation came from; it is no part of the value.
    return rest_.empty() || is_exemplar() ? "" : "more than a value and a timestamp";
  }

 private:
  bool is_exemplar() const { return format_ == ExpositionFormat::kOpenMetrics && rest_.starts_with("# {"); }

  std::string take_name(bool with_colon) {
    std::size_t end = 0;
    while (end < rest_.size() && (is_letter(rest_[end]) || is_digit(rest_[end]) || rest_[end] == ':')) ++end;
    const std::string_view name = rest_.substr(0, end);
    if (!(with_colon ? is_metric_name(name) : is_label_name(name))) return "";
    rest_.remove_prefix(end);
    return std::string(name);
  }

  bool take_blanks() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
    return rest_.size() < before;
  }

  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view take_word() {
    const std::string_view word = rest_.substr(0, rest_.find_first_of(" \t"));
    rest_.remove_prefix(word.size());
    return word;
  }

  Fault read_labels(std::map<std::string, std::string>& labels) {
    const std::string_view before = rest_;
    take_blanks();
    if (!take('{')) {
      rest_ = before;
      return "";
    }
    labelled_ = true;
    for (take_blanks(); !take('}'); take_blanks()) {
      const std::string name = take_name(false);
      if (name.empty()) return "no name of a label";
      take_blanks();
      if (!take('=')) return fmt::format("no '=' after label {}", name);
      take_blanks();
      std::string value;
      if (Fault fault = read_quoted(value); !fault.empty()) return fmt::format("label {}: {}", name, fault);
      if (!labels.emplace(name, std::move(value)).second) return fmt::format("label {} stands twice", name);
      take_blanks();
      if (!take(',') && !rest_.starts_with('}')) return "the labels do not end";
    }
    return "";
  }

  Fault read_quoted(std::string& value) {
    if (!take('"')) return "its value is not quoted";
    while (!rest_.empty()) {
      const char letter = rest_.front();
      rest_.remove_prefix(1);
      if (letter == '"') return to_valid_utf8(value) == value ? "" : "its value is not UTF-8";
      if (letter != '\\') {
        value += letter;
        continue;
      }
      if (rest_.empty()) break;
      switch (rest_.front()) {
        case 'n':
          value += '\n';
          break;
        case '\\':
        case '"':
          value += rest_.front();
          break;
        default:
          return fmt::format("unknown escape \\{}", rest_.front());
      }
      rest_.remove_prefix(1);
    }
    return "its value does not end";
  }

  /// Milliseconds in the text format, seconds with a fraction in OpenMetrics.
  Fault read_timestamp(MetricSample& sample) {
    const std::string_view word = take_word();
    if (format_ == ExpositionFormat::kOpenMetrics) {
      const auto seconds = parse_metric_value(word);
      if (!seconds || !(std::abs(*seconds) <= kWholeMax / 1'000)) return "the timestamp is no time";
      sample.timestamp_ms = std::llround(*seconds * 1'000);
      return "";
    }
    std::int64_t milliseconds = 0;
    const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), milliseconds);
    if (failure != std::errc{} || end != word.data() + word.size()) return "the timestamp is no whole number";
    sample.timestamp_ms = milliseconds;
    return "";
  }

  std::string_view rest_;
  ExpositionFormat format_;
  bool labelled_ = false;
};

Error broken(std::size_t line, std::string_view why) {
  return {ErrorCode::kCorruption, kOperation, fmt::format("line {}: {}", line, why)};
}

}  // namespace

ExpositionFormat exposition_format(std::string_view content_type) {
  return content_type.starts_with("application/openmetrics-text") ? ExpositionFormat::kOpenMetrics
                                                                  : ExpositionFormat::kText;
}

Result<std::vector<MetricSample>> parse_exposition(std::string_view text, ExpositionFormat format) {
  std::vector<MetricSample> samples;
  std::size_t number = 0;
  bool ended = false;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos && format == ExpositionFormat::kText)
      return broken(number, "no line feed at its end: the answer was cut");
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (ended) return broken(number, "more after # EOF");
    if (format == ExpositionFormat::kText) line = trim(line);
    if (format == ExpositionFormat::kOpenMetrics && line == "# EOF") ended = true;
    if (line.starts_with('#')) continue;
    if (line.empty() && format == ExpositionFormat::kText) continue;
    MetricSample sample;
    if (const Fault fault = Line(line, format).read(sample); !fault.empty()) return broken(number, fault);
    samples.push_back(std::move(sample));
  }
  if (format == ExpositionFormat::kOpenMetrics && !ended)
    return broken(number, "the last line is not # EOF: the answer was cut");
  return samples;
}

std::optional<double> parse_metric_value(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  // from_chars also takes "nan(...)" and a second sign.
  if (text == "NaN" || text == "nan") return std::nan("");
  if (text == "Inf" || text == "inf") return negative ? -HUGE_VAL : HUGE_VAL;
  if (text.empty() || !(is_digit(text.front()) || text.front() == '.')) return std::nullopt;
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return negative ? -value : value;
}

std::string labels_text(const std::map<std::string, std::string>& labels) {
  std::string text;
  for (const auto& [name, value] : labels)
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, value);
  return "{" + text + "}";
}

Result<std::int64_t> whole_bytes(double value, std::string_view what) {
  const bool whole = std::isfinite(value) && value >= 0 && value <= kWholeMax && std::floor(value) == value;
  if (whole) return static_cast<std::int64_t>(value);
  return Error{ErrorCode::kCorruption, "probe.bytes",
               fmt::format("{} is {}, no number of bytes", what, value)};
}

}  // namespace lab
