// What the HTML report is put together from: words for the head, curves, and the data of the page.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/analysis.hpp"

namespace lab::report {

/// Samples of one row; load_samples bound to a run, or made up by a test.
using SampleSource = std::function<Result<std::vector<Sample>>(const StageRow&)>;

/// The page, its curves taken from `samples`. A row whose samples cannot be read has no curve and the page
/// says why.
Result<std::string> report_html(const RunData& run, const Analysis& analysis, const SampleSource& samples);

/// & < > " ' as entities; bytes that are not UTF-8 become U+FFFD.
std::string html_escape(std::string_view text);

/// JSON that cannot end the script element it stands in: every < is written as \u003c.
std::string script_safe(std::string json);

/// The first comment line of a plan, without "#" and "Question:"; empty where there is none.
std::string plan_question(std::string_view plan_toml);

/// One sentence about one system and variant: what bulk_insert says on `files` at the highest grade.
struct Answer {
  std::string system{}, variant{};
  std::string word{};               // The verdict's word, or "unanswered".
  std::string name{};               // "sqlite/wal"
  std::string claim{};              // "pays for every duplicate"
  std::string where{};              // "random_binary at U90"
  std::string figures{};            // "eta 0.000 [−0.001, 0.001], verdict none (n = 5)"
  std::vector<Verdict> verdicts{};  // What it rests on, one a matrix point.

  /// "sqlite/wal pays for every duplicate (random_binary at U90): eta 0.000 [−0.001, 0.001], verdict none (n
  /// = 5)"
  std::string sentence() const;
};

/// Systems in the order of their first record, one sentence a verdict word. Controls that the plan does not
/// name are left out.
std::vector<Answer> answers(const Analysis& analysis);

/// One stage's place in a curve, in milliseconds from the begin of the chain.
struct StageSpan {
  std::size_t row = 0;  // Index into RunData::stages.
  std::int64_t begin_ms = 0;
  std::int64_t end_ms = 0;
};

struct CurvePoint {
  std::int64_t time_ms = 0;  // From the begin of the chain.
  double value = 0;
};

/// One repetition of one chain.
struct Curve {
  std::vector<StageSpan> stages{};                         // By time; never empty.
  std::map<std::string, std::vector<CurvePoint>> lines{};  // By metric: files, apparent, engine, acked_bytes.
};

struct Curves {
  std::vector<Curve> list{};
  std::size_t points_limit = 0;  // A line's longest; longer ones were thinned.
  std::size_t lines_thinned = 0;
  std::size_t rows_unread = 0;
  std::string unread_reason{};  // Of the first row that could not be read.
};

inline constexpr std::size_t kCurvePointsMax = 200;        // A screen is not much wider than this.
inline constexpr std::size_t kCurvePointsTotal = 200'000;  // About 3 MB of page.

/// Curves of all valid rows. Each stage's readings before and after it are points of its curve too.
Curves collect_curves(const RunData& run, const SampleSource& samples);

/// Largest-Triangle-Three-Buckets (Steinarsson 2013): keeps the first, the last and the points that shape the
/// line. `limit` is at least 3.
std::vector<CurvePoint> thin(const std::vector<CurvePoint>& line, std::size_t limit);

/// Everything the page shows, as one JSON text. A figure that is not known is an absent key or null.
std::string page_data(const RunData& run, const Analysis& analysis, const Curves& curves);

}  // namespace lab::report
