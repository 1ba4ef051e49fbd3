// From records to answers: stored bytes, EDR, eta, intervals, controls, verdicts. Pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/verdict.hpp"
#include "report/costs.hpp"
#include "report/ladder.hpp"
#include "report/latency.hpp"
#include "report/run_data.hpp"
#include "report/statistics.hpp"

namespace lab::report {

/// The figures that follow from one record alone. Keys are probes; a figure that is not known is absent and
/// `missing` says why ("below resolution", "unsettled", ...), with the record's own reasons in it; the keys
/// "freed_share" and "reuse_share" stand for the two shares, "seconds_to_95" for a time that is censored.
/// Empty for records that are not valid or are superseded.
struct StageFigures {
  ByteMap stored_bytes{};               // B = after - empty. Absent when |B| < 3 x noise.
  std::map<std::string, double> edr{};  // L / (B / n) for all-copies probes, L / B for one-copy probes.
  std::map<std::string, double> edr_cluster{};  // L / B summed over all copies.
  std::optional<double>
      eta_free{};  // Freed share of the stage (delete family, maintenance): of B before it, on `files`.
  std::optional<double> reuse_share{};  // Refill: 1 - growth / L, on `files`.
  std::map<std::string, std::string> missing{};
};

/// One line of the answer table and of the report's matrix: a matrix point without the repetition, one stage.
struct Group {
  std::string system{}, variant{}, payload{}, object_size{};
  std::string duplicate_unit{};  // What the grade, d and so eta are shares of.
  std::optional<std::int64_t> total_bytes{};
  std::uint64_t objects = 0;
  std::string grade{}, order{}, placement{}, mode{}, cache{}, chain{}, stage{};
  bool control = false;
  std::vector<std::size_t> rows{};  // Indexes into RunData::stages: not superseded, by repetition.
  std::uint64_t valid_rows = 0;
  std::map<std::string, Estimate> edr{};      // By probe; geometric mean, interval on the log scale.
  std::map<std::string, Verdict> verdicts{};  // By probe; only grades above U0 with L > 0.
  double edr_max = 0;                         // largest_ratio of the first valid row; 0 when there is none.
  std::string server{};                       // "SQLite 3.40.1": of every server met, joined by ", ".
  std::map<std::string, std::vector<double>>
      etas{};  // By probe: eta of each complete valid pair, by repetition.
  std::map<std::string, double> eta_uncertainty{};  // By probe: u of eta that comes from u_sys(B).
  std::optional<LadderSummary> ladder{};            // Only with L > 0.
  std::vector<CopyCost> costs{};  // Of the whole point; only on its U0, of inserting stages.
  std::map<std::string, LatencyFigure> latencies{};  // By percentile; only of stages with single operations.
};

struct ControlOutcome {
  std::string payload{};
  std::string grade{};
  std::string probe{};                // "files", or "apparent" where sizes vary.
  std::optional<double> eta_files{};  // Must lie in [-0.02, 0.02].
  std::optional<double> eta_cas{};    // Must be at least 0.95.
  std::uint64_t pairs = 0;            // Complete valid pairs that each of the two has at least.
  bool passed = false;
  std::string reason{};
};

struct Analysis {
  std::vector<StageFigures> figures{};           // One a row of RunData::stages.
  std::vector<std::optional<Ladder>> ladders{};  // The same, of valid rows with L > 0.
  std::vector<Group> groups{};                   // In the order of first appearance.
  std::vector<ControlOutcome> controls{};
  // Records of the matrix, controls not counted; each stands in one of the four.
  std::uint64_t valid = 0, invalid = 0, superseded = 0, unsupported = 0;
  std::map<std::string, std::uint64_t> invalid_reasons{};  // Reason -> records of `invalid`.
  std::vector<std::string> warnings{};  // What weakens an answer: too few bytes for the probe, ...
  std::uint64_t bootstrap_seed = 0;     // Of the intervals of latencies.
};

/// Pure. The order of the records does not change an answer, only the order of `groups`.
Analysis analyse(const RunData& run);

}  // namespace lab::report
