// Size over time: the samples of a chain's stages joined to one line a repetition, thinned to what a screen
// shows. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>

#include "report/report_html_parts.hpp"

namespace lab::report {
namespace {

/// Metrics of a curve. acked_bytes is not a size but the other axis: bytes acknowledged so far.
constexpr std::string_view kMetrics[] = {"files", "apparent", "engine", "acked_bytes"};

/// Fewer points than this are no curve any more; a huge run rather makes a larger page.
constexpr std::size_t kCurvePointsMin = 12;

/// Rows of one attempt at one chain of one cell, in the order of their begin.
std::vector<std::vector<std::size_t>> chains_of(const RunData& run) {
  using Key = std::tuple<std::size_t, std::string, std::string, std::int64_t>;
  std::map<Key, std::size_t> places;
  std::vector<std::vector<std::size_t>> chains;
  for (std::size_t i = 0; i < run.stages.size(); ++i) {
    const StageRow& row = run.stages[i];
    if (!row.record.valid || row.record.superseded) continue;
    const Key key{row.source, row.record.cell_id, row.record.chain, row.attempt};
    const auto [place, added] = places.try_emplace(key, chains.size());
    if (added) chains.emplace_back();
    chains[place->second].push_back(i);
  }
  for (auto& rows : chains)
    std::stable_sort(rows.begin(), rows.end(), [&run](std::size_t a, std::size_t b) {
      return run.stages[a].record.started_ms < run.stages[b].record.started_ms;
    });
  return chains;
}

using Lines = std::map<std::string, std::vector<CurvePoint>>;

Lines lines_of(const std::vector<Sample>& samples, std::int64_t chain_begin_ms) {
  Lines lines;
  for (const Sample& sample : samples) {
    if (std::find(std::begin(kMetrics), std::end(kMetrics), sample.metric) == std::end(kMetrics)) continue;
    if (!std::isfinite(sample.value)) continue;
    lines[sample.metric].push_back({sample.timestamp_ms - chain_begin_ms, sample.value});
  }
  for (auto& [metric, line] : lines)
    std::stable_sort(line.begin(), line.end(),
                     [](const CurvePoint& a, const CurvePoint& b) { return a.time_ms < b.time_ms; });
  return lines;
}

void add_reading(std::vector<CurvePoint>& line, const ByteMap& bytes, const std::string& metric,
                 std::int64_t time_ms) {
  const auto found = bytes.find(metric);
  if (found == bytes.end()) return;
  // A late sample of the stage before may carry a later stamp than this reading.
  const std::int64_t not_before = line.empty() ? time_ms : std::max(time_ms, line.back().time_ms);
  line.push_back({not_before, static_cast<double>(found->second)});
}

/// A metric is only drawn where some stage of the chain sampled it: readings at stage ends alone are no
/// curve.
void join(Curve& curve, const RunData& run, const std::vector<Lines>& of_stages) {
  for (const Lines& lines : of_stages)
    for (const auto& [metric, line] : lines) curve.lines.try_emplace(metric);
  for (auto& [metric, line] : curve.lines)
    for (std::size_t i = 0; i < curve.stages.size(); ++i) {
      const StageSpan& span = curve.stages[i];
      const StageRecord& record = run.stages[span.row].record;
      add_reading(line, record.before_bytes, metric, span.begin_ms);
      const auto sampled = of_stages[i].find(metric);
      if (sampled != of_stages[i].end())
        line.insert(line.end(), sampled->second.begin(), sampled->second.end());
      add_reading(line, record.after_bytes, metric, span.end_ms);
    }
}

Curve curve_of(const RunData& run, const std::vector<std::size_t>& rows, const SampleSource& samples,
               Curves& curves) {
  Curve curve;
  std::vector<Lines> of_stages;
  const std::int64_t chain_begin_ms = run.stages[rows.front()].record.started_ms;
  for (const std::size_t index : rows) {
    const StageRecord& record = run.stages[index].record;
    curve.stages.push_back({index, record.started_ms - chain_begin_ms, record.ended_ms - chain_begin_ms});
    const auto read = samples(run.stages[index]);
    of_stages.push_back(read ? lines_of(*read, chain_begin_ms) : Lines{});
    if (read) continue;
    if (curves.rows_unread == 0) curves.unread_reason = read.error().text();
    curves.rows_unread += 1;
  }
  join(curve, run, of_stages);
  return curve;
}

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

CurvePoint average(const std::vector<CurvePoint>& line, Range range) {
  double time = 0, value = 0;
  for (std::size_t i = range.begin; i < range.end; ++i) {
    time += static_cast<double>(line[i].time_ms);
    value += line[i].value;
  }
  const auto count = static_cast<double>(range.end - range.begin);
  return {std::llround(time / count), value / count};
}

double triangle(const CurvePoint& a, const CurvePoint& b, const CurvePoint& c) {
  const auto x = [&a](const CurvePoint& point) { return static_cast<double>(point.time_ms - a.time_ms); };
  return std::abs(x(b) * (c.value - a.value) - x(c) * (b.value - a.value));
}

void thin_all(Curves& curves) {
  std::size_t lines = 0;
  for (const Curve& curve : curves.list) lines += curve.lines.size();
  if (lines == 0) return;
  curves.points_limit = std::clamp(kCurvePointsTotal / lines, kCurvePointsMin, kCurvePointsMax);
  for (Curve& curve : curves.list)
    for (auto& [metric, line] : curve.lines) {
      if (line.size() <= curves.points_limit) continue;
      line = thin(line, curves.points_limit);
      curves.lines_thinned += 1;
    }
}

}  // namespace

std::vector<CurvePoint> thin(const std::vector<CurvePoint>& line, std::size_t limit) {
  if (line.size() <= limit) return line;
  std::vector<CurvePoint> kept{line.front()};
  const std::size_t buckets = limit - 2;
  const auto edge = [&](std::size_t bucket) { return 1 + bucket * (line.size() - 2) / buckets; };
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    const Range own{edge(bucket), edge(bucket + 1)};
    const bool last = bucket + 1 == buckets;
    const CurvePoint next = last ? line.back() : average(line, {edge(bucket + 1), edge(bucket + 2)});
    std::size_t best = own.begin;
    double best_area = -1;
    for (std::size_t i = own.begin; i < own.end; ++i) {
      const double area = triangle(kept.back(), line[i], next);
      if (area > best_area) {
        best_area = area;
        best = i;
      }
    }
    kept.push_back(line[best]);
  }
  kept.push_back(line.back());
  return kept;
}

Curves collect_curves(const RunData& run, const SampleSource& samples) {
  Curves curves;
  for (const auto& rows : chains_of(run)) {
    Curve curve = curve_of(run, rows, samples, curves);
    if (!curve.lines.empty()) curves.list.push_back(std::move(curve));
  }
  thin_all(curves);
  return curves;
}

}  // namespace lab::report
