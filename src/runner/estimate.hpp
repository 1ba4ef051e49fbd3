// What a plan is expected to need: bytes written, bytes at once, time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"
#include "driver/system.hpp"
#include "model/cell.hpp"
#include "model/plan.hpp"
#include "payload/dataset.hpp"

namespace lab {

/// Bytes and time that a plan is expected to need; the assumptions stand in the text of a dry run.
struct Estimate {
  std::uint64_t cells = 0;  // Controls not counted.
  std::uint64_t control_cells = 0;
  std::uint64_t stage_measurements = 0;  // Controls not counted.
  Bytes logical{};                       // Written in all, over all cells and insert stages.
  Bytes disk_peak{};                     // At once: the largest cell, with room for maintenance.
  double seconds = 0;                    // Scans included.
  double scan_seconds = 0;               // Of the scans behind the stages.
};

inline constexpr double kAssumedMegabytesPerSecond = 100;  // Bulk, and read-back.
inline constexpr double kAssumedObjectSeconds = 0.002;     // One acknowledged single operation.
inline constexpr double kAssumedStageSeconds = 0.1;        // Settling and probing.
// A scan of a GB by one worker: reading it, each chunker, and looking for the copies of the payload.
inline constexpr double kAssumedScanRead = 0.4;
inline constexpr double kAssumedScanChunker = 0.15;
inline constexpr double kAssumedScanCensus = 0.7;

Estimate estimate(const Plan& plan, const std::vector<Block>& blocks, const Registry& registry);

/// Logical bytes of a cell: exact for fixed sizes, expected for laws, counted for real files and records.
Result<Bytes> logical_bytes(const Cell& cell, const DatasetInputs& inputs);

/// Whether its objects are as large as what is found is: files of a directory, records of real data.
bool sizes_are_found(const DatasetSpec& spec);

}  // namespace lab
