// SPDX-License-Identifier: Apache-2.0
#include "runner/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/cell_run.hpp"
#include "runner/password.hpp"

namespace lab {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// One run of one process over the plan.
class PlanRun {
 public:
  explicit PlanRun(const RunSetting& setting) : setting_(setting), began_(setting.time.now()) {}

  Result<RunOutcome> run() {
    LAB_TRY(load());
    for (const SystemPlan& system : systems_with_controls(setting_.plan)) {
      LAB_TRY(run_system(system));
      if (outcome_.end != RunEnd::kComplete) break;
    }
    return outcome_;
  }

 private:
  Status load() {
    blocks_ = expand(setting_.plan);
    for (const Block& block : blocks_)
      if (contains(setting_.redo_systems, block.cells.front().system))
        LAB_TRY(setting_.journal.supersede_block(block.id, "redone on request"));
    auto reader = JournalReader::open(setting_.directory);
    if (!reader) return reader.error();
    auto finished = (*reader)->finished_cells();
    if (!finished) return finished.error();
    finished_ = std::move(*finished);
    LAB_TRY(load_noise(**reader));
    for (const Block& block : blocks_) progress_.cells_total += block.cells.size();
    for (const auto& [cell, valid] : finished_) {
      progress_.cells_done += 1;
      progress_.cells_invalid += valid ? 0 : 1;
    }
    cells_at_start_ = progress_.cells_done;
    return setting_.journal.set_value("cells_planned", fmt::format("{}", matrix_cells()));
  }

  std::uint64_t matrix_cells() const {
    std::uint64_t cells = 0;
    for (const Block& block : blocks_)
      for (const Cell& cell : block.cells) cells += cell.control ? 0 : 1;
    return cells;
  }

  /// The floors that an earlier process of this run has measured.
  Status load_noise(JournalReader& reader) {
    for (const Block& block : blocks_) {
      const Cell& cell = block.cells.front();
      const std::string key = fmt::format("{}/{}/{}", cell.system, cell.variant, cell.dataset.payload);
      if (noise_.contains(key)) continue;
      const auto text = reader.value("noise/" + key);
      if (!text) return text.error();
      if (!*text) continue;
      const auto parsed = nlohmann::json::parse(**text, nullptr, false);
      if (!parsed.is_object())
        return Error{ErrorCode::kCorruption, "run.noise", "journal value noise/" + key};
      for (const auto& [probe, value] : parsed.items())
        if (value.is_number_integer()) noise_[key][probe] = value.get<std::int64_t>();
    }
    return ok();
  }

  std::vector<const Block*> blocks_of(const std::string& system) const {
    std::vector<const Block*> mine;
    for (const Block& block : blocks_)
      if (block.cells.front().system == system) mine.push_back(&block);
    return mine;
  }

  bool block_is_valid(const Block& block) const {
    return std::all_of(block.cells.begin(), block.cells.end(), [&](const Cell& cell) {
      const auto found = finished_.find(cell_id(cell));
      return found != finished_.end() && found->second;
    });
  }

  Status event(const std::string& type, const Cell& cell, const std::string& detail) {
    const Event event{
        wall_time_ms(),      type, cell.system, cell.dataset.payload, grade_name(cell.dataset.grade), "",
        log_redacted(detail)};
    setting_.listener.on_event(event);
    return setting_.journal.add_event(event);
  }

  /// All blocks of one system; a restart of all of them where the retry scope is the system.
  Status run_system(const SystemPlan& system) {
    const SystemEntry* entry = find_system(setting_.registry, system.name);
    if (entry == nullptr)
      return Error{ErrorCode::kInvalidArgument, "run", "system " + system.name + " is not built in"};
    auto config =
        system_config(setting_.plan, system, *entry, setting_.journal.info().run_id, setting_.directory);
    if (!config) return config.error();
    auto secrets = resolve_probe_secrets(setting_.plan, system);
    if (!secrets) return secrets.error();
    const CellSetting cells{setting_.plan,
                            system,
                            *entry,
                            *config,
                            setting_.journal,
                            noise_,
                            audited_,
                            setting_.listener,
                            setting_.time,
                            setting_.stop,
                            std::move(*secrets)};
    const auto blocks = blocks_of(system.name);
    int restarts = 0;
    bool warmed = false;
    for (std::size_t index = 0; index < blocks.size();) {
      const Block& block = *blocks[index];
      if (block_is_valid(block)) {
        ++index;
        continue;
      }
      if (stop_requested()) return ok();
      if (!warmed && block.cells.front().cache == "warm") {
        LAB_TRY(warm_up(cells, block));
        warmed = true;
      }
      const auto outcome = run_block(cells, block);
      if (!outcome) return stopped_or(outcome.error());
      const bool again = !outcome->valid && outcome->retryable &&
                         setting_.plan.retry.scope == RetryScope::kSystem &&
                         restarts < setting_.plan.retry.max_retries;
      if (again) {
        LAB_TRY(restart_system(blocks, *outcome, restarts++));
        index = 0;
        continue;
      }
      ++index;
      if (outcome->valid) continue;
      outcome_.blocks_failed += 1;
      outcome_.failures.push_back(block.id + ": " + log_redacted(outcome->reason));
      if (outcome->unreached) {
        outcome_.unreached.push_back(system.name + ": " + log_redacted(outcome->reason));
        return ok();  // The next resume takes it up again.
      }
    }
    return ok();
  }

  bool stop_requested() {
    if (setting_.stop.stop_requested())
      outcome_.end = RunEnd::kStopped;
    else if (setting_.stop_after && setting_.time.now() - began_ >= *setting_.stop_after)
      outcome_.end = RunEnd::kStopAfter;
    return outcome_.end != RunEnd::kComplete;
  }

  Status stopped_or(const Error& error) {
    if (error.code != ErrorCode::kCancelled) return error;
    outcome_.end = RunEnd::kStopped;
    return ok();
  }

  /// One discarded cell, so that the first measured one does not pay for cold code and caches.
  Status warm_up(const CellSetting& cells, const Block& block) {
    LAB_TRY(event("warm_up", block.cells.front(), "one discarded cell"));
    const auto outcome = run_cell(cells, block.cells.front(), block.id, true);
    if (!outcome && outcome.error().code != ErrorCode::kCancelled) return outcome.error();
    return ok();  // A failing warm-up shows in the first measured cell.
  }

  /// The cells of a block next to each other, the whole block again while that may help.
  Result<CellOutcome> run_block(const CellSetting& cells, const Block& block) {
    const bool retry_here = setting_.plan.retry.scope == RetryScope::kBlock;
    for (int retries = 0;; ++retries) {
      LAB_TRY(setting_.journal.supersede_block(block.id, retries == 0 ? "run again by resume" : "retried"));
      forget(block);
      const bool last = !retry_here || retries >= setting_.plan.retry.max_retries;
      const auto outcome = run_cells(cells, block, last);
      if (!outcome) return outcome.error();
      if (outcome->valid || !outcome->retryable || last) return *outcome;
      LAB_TRY(event("retry", block.cells.front(), outcome->reason));
      if (!wait_before_retry(retries)) return Error{ErrorCode::kCancelled, "run", "a stop was requested"};
    }
  }

  /// Goes on past a failed cell unless the block is to be run again anyway or the system is away. It is not
  /// run again where a cell has failed for good before: that finding would be superseded.
  Result<CellOutcome> run_cells(const CellSetting& cells, const Block& block, bool last) {
    CellOutcome whole;
    for (const Cell& cell : block.cells) {
      const auto outcome = run_cell(cells, cell, block.id, false);
      if (!outcome) return outcome.error();
      finished_[cell_id(cell)] = outcome->valid;
      count_cell(*outcome);
      if (whole.valid && !outcome->valid) whole = *outcome;
      if (outcome->unreached || (!whole.valid && whole.retryable && !last)) break;
    }
    return whole;
  }

  void forget(const Block& block) {
    for (const Cell& cell : block.cells) {
      const auto found = finished_.find(cell_id(cell));
      if (found == finished_.end()) continue;
      progress_.cells_done -= 1;
      progress_.cells_invalid -= found->second ? 0 : 1;
      cells_at_start_ -= cells_at_start_ > 0 ? 1 : 0;
      finished_.erase(found);
    }
  }

  void count_cell(const CellOutcome& outcome) {
    progress_.cells_done += 1;
    progress_.cells_invalid += outcome.valid ? 0 : 1;
    const auto mine = progress_.cells_done - std::min(progress_.cells_done, cells_at_start_);
    const double seconds = std::chrono::duration<double>(setting_.time.now() - began_).count();
    const auto left = progress_.cells_total - std::min(progress_.cells_total, progress_.cells_done);
    progress_.seconds_left = mine == 0 ? 0 : seconds / static_cast<double>(mine) * static_cast<double>(left);
    setting_.listener.on_progress(progress_);
  }

  bool wait_before_retry(int retries) {
    const auto& delays = setting_.plan.retry.block_delays;
    const Millis delay =
        delays.empty() ? Millis{0}
                       : delays[std::min<std::size_t>(static_cast<std::size_t>(retries), delays.size() - 1)];
    return setting_.time.sleep_until(setting_.stop, setting_.time.now() + delay);
  }

  Status restart_system(const std::vector<const Block*>& blocks, const CellOutcome& why, int restarts) {
    LAB_TRY(event("retry_system", blocks.front()->cells.front(), why.reason));
    for (const Block* block : blocks) {
      LAB_TRY(setting_.journal.supersede_block(block->id, "the whole system is run again: " + why.reason));
      forget(*block);
    }
    if (!wait_before_retry(restarts)) outcome_.end = RunEnd::kStopped;
    return ok();
  }

  const RunSetting& setting_;
  Clock::time_point began_;
  std::vector<Block> blocks_{};
  std::map<std::string, bool> finished_{};
  NoiseFloors noise_{};
  AuditedDatasets audited_{};
  RunProgress progress_{};
  std::uint64_t cells_at_start_ = 0;
  RunOutcome outcome_{};
};

}  // namespace

std::filesystem::path system_path(const SystemPlan& system, const std::filesystem::path& directory) {
  return system.path ? std::filesystem::path(*system.path) : directory / "data" / system.name;
}

Result<SystemConfig> system_config(const Plan& plan, const SystemPlan& system, const SystemEntry& entry,
                                   const std::string& run_id, const std::filesystem::path& directory) {
  SystemConfig config;
  config.run_id = run_id;
  auto password = resolve_password(system, entry);
  if (!password) return password.error();
  config.password = std::move(*password);
  config.path = system_path(system, directory);
  if (system.directory) config.directory = *system.directory;
  if (system.url) config.url = *system.url;
  config.options = system.options;
  config.identity = system.identity;
  const auto& placements = plan.dataset.placements;
  if (std::find(placements.begin(), placements.end(), Placement::kAcross) != placements.end())
    config.containers = plan.dataset.containers;
  return config;
}

Result<RunOutcome> run_plan(const RunSetting& setting) { return PlanRun(setting).run(); }

Status remove_systems(const Plan& plan, const Registry& registry, const RunInfo& info,
                      const std::filesystem::path& directory, const std::vector<std::string>& only_systems,
                      const std::stop_token& stop) {
  Status first = ok();
  for (const SystemPlan& system : systems_with_controls(plan)) {
    if (!only_systems.empty() && !contains(only_systems, system.name)) continue;
    const SystemEntry* entry = find_system(registry, system.name);
    if (entry == nullptr) continue;
    const auto config = system_config(plan, system, *entry, info.run_id, directory);
    const CallContext call = within({.stop = stop}, plan.stages.step_limit);
    const Status removed = config ? remove_namespace(*entry, *config, call) : Status(config.error());
    if (!removed && first) first = removed;
  }
  return first;
}

}  // namespace lab
