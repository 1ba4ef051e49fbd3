// What a stage leaves behind: plain records, written by the runner, read by the report.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/units.hpp"
#include "model/cell.hpp"
#include "model/scan_record.hpp"

namespace lab {

/// Bytes a probe's name: "engine", "engine:payload", "apparent", "files", "files:log", ...
using ByteMap = std::map<std::string, std::int64_t>;

enum class CopyScope : std::uint8_t { kOneCopy, kAllCopies };

/// A figure of the engine itself. A part that it cannot tell is absent. Parts sum to the total.
struct Footprint {
  Bytes total{};
  std::map<std::string, Bytes> parts{};  // payload, index, log, meta
  CopyScope scope = CopyScope::kAllCopies;

  friend bool operator==(const Footprint&, const Footprint&) = default;
};

/// Who answered: compared before and after, so that a restart inside a cell is seen.
struct ServerIdentity {
  std::string name{};        // "SQLite"
  std::string version{};     // "3.40.1"
  std::string identity{};    // Data directory, cluster id, run id: what tells one server from another.
  std::string started_at{};  // Changes when it restarts. Embedded: of this process.

  friend bool operator==(const ServerIdentity&, const ServerIdentity&) = default;
};

struct LatencySummary {
  std::uint64_t count = 0;
  std::map<std::string, double>
      values_us{};          // min p50 p90 p95 p99 p99.9 max mean; a key is absent when n is too small.
  std::string histogram{};  // HdrHistogram V2, nanoseconds.

  friend bool operator==(const LatencySummary&, const LatencySummary&) = default;
};

struct StageRecord {
  Cell cell{};
  std::string cell_id{};
  std::string chain{};
  std::string stage{};
  ServerIdentity server{};

  bool valid = false;
  bool superseded = false;
  bool unsupported = false;  // Not declared by the variant: no figures, touches neither cell nor exit code.
  std::string reason{};      // Why not valid, or why superseded; empty when valid.
  std::string error_code{};  // to_string(ErrorCode) of the cause, if any.
  bool retryable = false;    // The block may run again.

  std::uint64_t objects = 0;       // Acknowledged by this stage.
  std::uint64_t objects_live = 0;  // In the system after it.
  std::int64_t bytes_acked = 0;
  std::int64_t logical_bytes = 0;  // L: what the system should hold after the stage.
  std::int64_t unique_bytes = 0;   // U: of the distinct objects among them.
  std::uint64_t unique_objects = 0;
  std::int64_t near_duplicate_bytes = 0;   // N: of U, what changed copies share with their original.
  double copies = 1;                       // Of the application, measured.
  std::optional<double> storage_copies{};  // Of the storage below it, measured; absent: nobody told.
  std::string copies_unknown{};            // Why the storage's copies, which a probe should know, are not.
  std::optional<std::uint64_t> removed{};  // Semantic: objects that the system dropped as it declares.
  std::string keeps{};                     // "one per key" where the variant declares it.

  ByteMap before_bytes{};
  ByteMap after_bytes{};
  ByteMap empty_bytes{};
  ByteMap noise_bytes{};
  ByteMap quantum_bytes{};  // Allocation step of each probe, for the systematic part of the interval.
  ByteMap residue_bytes{};  // Between the last two settle readings.
  ByteMap peak_bytes{};     // Largest value seen by the sampler during the stage.
  std::map<std::string, std::string> scope{};    // "one copy" | "all copies" for each probe.
  std::map<std::string, std::string> counted{};  // Probe -> what its figures are of: "claims data-0, data-1".
  std::map<std::string, std::string> missing{};  // Probe -> why there is no figure.
  std::map<std::string, std::string> remarks{};  // Probe -> what to know of its figure: "... not trimmed".

  bool settled = false;
  double settle_seconds = 0;
  double duration_seconds = 0;  // Operations and making them durable; no verification, no settling.
  double verify_seconds = 0;
  std::string verified{};          // "full", "sample of 1000", "empty".
  double client_wait_seconds = 0;  // Waiting for the producer of objects.
  bool client_bottleneck = false;  // client_wait above 5 % of the duration.
  double client_cpu_seconds = 0;
  std::int64_t client_read_bytes = 0;
  std::int64_t client_write_bytes = 0;
  std::uint64_t errors = 0;
  std::uint64_t retries = 0;
  LatencySummary latency{};
  std::map<std::string, double> server_seconds{};  // The system's own time by statement class.
  std::string maintenance{};                       // What the maintenance was.
  std::optional<double>
      seconds_to_95{};             // Delete family and maintenance: until 95 % of what was freed was free.
  double sampler_interval_ms = 0;  // Achieved.
  double sampler_cpu_seconds = 0;
  std::uint64_t samples = 0;
  std::map<std::string, std::string> observed{};  // The system's snapshot after the stage.
  std::map<std::string, std::string> settings{};  // What differs from the system's defaults.
  std::optional<StageScan> scan{};                // Absent: the plan asks for none after this stage.
  std::string cache_action{};                     // What was restarted or dropped before the baseline.
  std::int64_t started_ms = 0;                    // Wall clock, UTC.
  std::int64_t ended_ms = 0;

  friend bool operator==(const StageRecord&, const StageRecord&) = default;
};

/// One value of one metric. Metrics named "files", "apparent", "engine" are bytes.
struct Sample {
  std::int64_t timestamp_ms = 0;
  std::string metric{};
  double value = 0;
  std::string unit{};

  friend bool operator==(const Sample&, const Sample&) = default;
};

struct Event {
  std::int64_t timestamp_ms = 0;
  std::string type{};  // run_started, cell_started, stage_finished, retry, reconnect, ...
  std::string system{};
  std::string payload{};
  std::string grade{};
  std::string stage{};
  std::string detail{};

  friend bool operator==(const Event&, const Event&) = default;
};

}  // namespace lab
