// SPDX-License-Identifier: Apache-2.0
#include "drill/matrix.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/random.hpp"
#include "core/text.hpp"

namespace lab::drill {
namespace {

constexpr int kRetriesMax = 3;
constexpr Millis kRestLimit{30'000};  // Coming to rest is many steps: ClickHouse needs 12 s without a fault.

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status known(const char* flag, const std::vector<std::string>& words, const std::vector<std::string>& valid) {
  for (const std::string& word : words)
    if (!has(valid, word))
      return Error{ErrorCode::kInvalidArgument, "drill",
                   fmt::format("{}: '{}' is not one of this drill{}", flag, word, suggestion(word, valid))};
  return ok();
}

std::vector<std::string> servers_of(const Plan& plan, const Registry& registry) {
  std::vector<std::string> names;
  for (const SystemPlan& system : plan.systems) {
    const SystemEntry* const entry = find_system(registry, system.name);
    if (entry != nullptr && !entry->embedded) names.push_back(system.name);
  }
  return names;
}

std::vector<StageKind> stages_of(const Plan& plan) {
  std::vector<StageKind> stages;
  for (const Chain& chain : plan.stages.chains)
    for (const StageKind stage : chain)
      if (std::find(stages.begin(), stages.end(), stage) == stages.end()) stages.push_back(stage);
  return stages;
}

template <class T>
void keep_first(std::vector<T>& list) {
  if (list.size() > 1) list.resize(1);
}

}  // namespace

std::string DrillCell::name() const { return fmt::format("{}/{}/{}", system, to_string(stage), fault->name); }

Result<std::vector<DrillCell>> matrix(const Plan& plan, const Registry& registry, const Wanted& wanted) {
  const auto systems = servers_of(plan, registry);
  if (systems.empty())
    return Error{ErrorCode::kInvalidArgument, "drill", "the plan has no system that is a server"};
  const auto stages = stages_of(plan);
  std::vector<std::string> names_of_stages;
  for (const StageKind stage : stages) names_of_stages.emplace_back(to_string(stage));
  LAB_TRY(known("--system", wanted.systems, systems));
  LAB_TRY(known("--stage", wanted.stages, names_of_stages));
  LAB_TRY(known("--fault", wanted.faults, fault_names()));
  std::vector<DrillCell> cells;
  for (const std::string& system : systems)
    for (const StageKind stage : stages)
      for (const Fault& fault : faults())
        if ((wanted.systems.empty() || has(wanted.systems, system)) &&
            (wanted.stages.empty() || has(wanted.stages, to_string(stage))) &&
            (wanted.faults.empty() || has(wanted.faults, fault.name)))
          cells.push_back({system, stage, &fault});
  if (!wanted.sample || *wanted.sample >= cells.size()) return cells;
  std::vector<std::size_t> order(cells.size());
  for (std::size_t index = 0; index < order.size(); ++index) order[index] = index;
  Random random(wanted.seed);
  shuffle(std::span(order), random);
  order.resize(*wanted.sample);
  std::sort(order.begin(), order.end());
  std::vector<DrillCell> sample;
  for (const std::size_t index : order) sample.push_back(cells[index]);
  return sample;
}

Chain chain_with(const Plan& plan, StageKind stage) {
  for (const Chain& chain : plan.stages.chains)
    if (std::find(chain.begin(), chain.end(), stage) != chain.end()) return chain;
  return {};
}

Plan plan_of_cell(const Plan& plan, const std::string& system, const Chain& chain, Millis limit,
                  int repetitions) {
  Plan mine = plan;
  std::erase_if(mine.systems, [&](const SystemPlan& other) { return other.name != system; });
  for (SystemPlan& one : mine.systems) keep_first(one.variants);
  mine.repetitions = repetitions;
  keep_first(mine.dataset.payloads);
  keep_first(mine.dataset.object_sizes);
  keep_first(mine.dataset.totals);
  keep_first(mine.dataset.orders);
  keep_first(mine.dataset.placements);
  keep_first(mine.dataset.modes);
  mine.dataset.caches = {"warm"};
  if (mine.dataset.grades.size() > 2) mine.dataset.grades.resize(2);
  mine.stages.chains = {chain};
  mine.stages.limit = std::min(mine.stages.limit, limit);
  mine.stages.step_limit = std::min(mine.stages.step_limit, limit);
  mine.settle.limit = std::max(mine.settle.window, std::min(mine.settle.limit, std::max(limit, kRestLimit)));
  mine.retry.max_retries = std::min(mine.retry.max_retries, kRetriesMax);
  mine.retry.scope = RetryScope::kBlock;
  mine.export_.cleanup = CleanupRule::kAlways;
  mine.hooks = {};
  return mine;
}

}  // namespace lab::drill
