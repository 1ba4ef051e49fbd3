// The run: blocks in their order, retried, resumed, stopped; every finished cell durable at once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "driver/system.hpp"
#include "journal/journal.hpp"
#include "model/plan.hpp"
#include "runner/listener.hpp"

namespace lab {

struct RunSetting {
  const Plan& plan;
  const Registry& registry;
  std::filesystem::path directory{};
  Journal& journal;
  RunListener& listener;
  TimeSource& time;
  std::stop_token stop{};
  std::optional<Millis> stop_after{};       // No block starts after this long.
  std::vector<std::string> redo_systems{};  // Their finished blocks are superseded first.
};

enum class RunEnd : std::uint8_t { kComplete, kStopped, kStopAfter };

struct RunOutcome {
  RunEnd end = RunEnd::kComplete;
  std::uint64_t blocks_failed = 0;       // Invalid for good.
  std::vector<std::string> unreached{};  // Systems that could not be opened, with the reason.
  std::vector<std::string> failures{};   // One line a failed block.
};

/// Where an embedded system's data lies: its `path`, or DIR/data/<system>.
std::filesystem::path system_path(const SystemPlan& system, const std::filesystem::path& directory);

/// What a cell needs to open a system. Errors: those of resolve_password.
Result<SystemConfig> system_config(const Plan& plan, const SystemPlan& system, const SystemEntry& entry,
                                   const std::string& run_id, const std::filesystem::path& directory);

/// Goes through the plan's blocks, from the first that lacks a valid record on. A system that cannot be
/// reached leaves its blocks for a later resume and the others go on. Errors: the journal's (the run stops at
/// once, what is written stays).
Result<RunOutcome> run_plan(const RunSetting& setting);

/// Removes what the run left in the systems. Errors: the first system's, after all were tried; kCancelled for
/// those that a stop came before.
Status remove_systems(const Plan& plan, const Registry& registry, const RunInfo& info,
                      const std::filesystem::path& directory,
                      const std::vector<std::string>& only_systems = {}, const std::stop_token& stop = {});

}  // namespace lab
