// One cell: its chains, each from a reset and settled emptiness, stage by stage into the journal.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "driver/system.hpp"
#include "journal/journal.hpp"
#include "model/plan.hpp"
#include "probe/probe_set.hpp"
#include "runner/dataset_audit.hpp"
#include "runner/listener.hpp"
#include "stage/stage.hpp"

namespace lab {

/// Noise of each probe by "system/variant/payload", measured once; kept in the journal over a resume.
using NoiseFloors = std::map<std::string, ByteMap>;

/// What every cell of a system needs.
struct CellSetting {
  const Plan& plan;
  const SystemPlan& system;
  const SystemEntry& entry;
  SystemConfig config{};  // Variant, mode, payload and containers are set by the cell.
  Journal& journal;
  NoiseFloors& noise;
  AuditedDatasets& audited;  // In this call: a resume looks again.
  RunListener& listener;
  TimeSource& time;
  std::stop_token stop{};
  ProbeSecrets secrets{};
};

struct CellOutcome {
  bool valid = true;       // Every stage valid or unsupported.
  bool retryable = false;  // The first failure may go away by itself.
  bool unreached = false;  // The system could not be opened.
  std::string reason{};
};

/// Runs the cell; its records are in the journal, in one finished attempt, when it returns. With `discard`
/// nothing is recorded: the warm-up. Errors: the journal's, and kCancelled; a failing system is an outcome,
/// not an error.
Result<CellOutcome> run_cell(const CellSetting& setting, const Cell& cell, const std::string& block_id,
                             bool discard);

}  // namespace lab
