// The stages as free functions: driver, observer and objects in, one record out.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "driver/driver.hpp"
#include "driver/observer.hpp"
#include "model/plan.hpp"
#include "model/record.hpp"
#include "probe/probe_set.hpp"
#include "stage/chain_state.hpp"

namespace lab {

/// Written by the stage, read by the sampler and the progress display.
struct StageProgress {
  std::atomic<std::uint64_t> objects{0};
  std::atomic<std::int64_t> bytes{0};
  std::atomic<bool> operations_over{false};
  std::atomic<bool> over_limit{false};  // Set by the sampler when max_bytes is on disk: the stage ends.
};

/// What the user does between a stage's operations and its sizes (a dedupe pass). Its time is not the
/// stage's.
struct StageHook {
  std::string command{};  // For the record.
  std::function<Status(const CallContext&)> run{};
};

struct StageInput {
  Driver& driver;
  Observer& observer;
  ChainState& state;
  StageKind kind = StageKind::kBulkInsert;
  const Plan& plan;
  const std::vector<std::string>& required_probes;
  const ServerIdentity& identity;  // As at the start of the cell: another one now is a restart.
  StageProgress& progress;
  TimeSource& time;
  const ProbeSet& probes;  // Besides the engine's figure and the files.
  std::optional<StageHook> after_operations{};
};

/// Proves the connection, reads the probes, does and times the operations, makes them durable, runs the hook,
/// reads everything back against the manifest, settles and reads the probes again, and asks whether
/// background work was possible (stage/background.hpp). The record is valid only if all of that succeeded;
/// else it says why and its figures must not be used. The first error ends the stage. Stages do not retry.
/// Cell, chain, empty and noise bytes are filled in by the caller.
StageRecord run_stage(const StageInput& input, const CallContext& call);

/// Whether the driver declares what the stage needs; the reason when it does not.
Status stage_supported(const DriverInfo& info, const ChainState& state, StageKind kind);

/// A record that says that the variant does not declare the stage.
StageRecord unsupported_record(StageKind kind, const Error& error);

/// A record that says why the stage was not run.
StageRecord failed_record(StageKind kind, const Error& error);

}  // namespace lab
