// SPDX-License-Identifier: Apache-2.0
#include "drill/drill.hpp"

#include <fmt/format.h>

#include <set>

#include "core/files.hpp"
#include "runner/runner.hpp"

namespace lab::drill {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOutcomeName = "outcome.json";
constexpr Millis kServerLimit{120'000};  // For each call about the neighbour's data.

/// Whether the address names this port of the local machine.
bool is_at(const std::string& url, std::uint16_t port) {
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const std::string address = fmt::format("{}:{}", host, port);
    const std::size_t at = url.find(address);
    if (at == std::string::npos || at == 0 || (url[at - 1] != '/' && url[at - 1] != '@')) continue;
    const std::size_t after = at + address.size();
    if (after == url.size() || url[after] < '0' || url[after] > '9') return true;
  }
  return false;
}

fs::path outcome_file(const DrillSetting& setting, const DrillCell& cell) {
  return setting.out / cell.name() / kOutcomeName;
}

Result<std::optional<Outcome>> kept_outcome(const fs::path& file) {
  const auto text = read_file(file);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::optional<Outcome>{};
  if (!text) return text.error();
  auto outcome = outcome_from_json(*text);
  if (!outcome) return outcome.error();
  return std::optional(std::move(*outcome));
}

/// The table of all cells that were ever done in the directory, by this call or an earlier one.
Status write_table(const DrillSetting& setting) {
  std::set<fs::path> files;
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(setting.out, failure), end; !failure && entry != end;
       entry.increment(failure))
    if (entry->path().filename() == kOutcomeName) files.insert(entry->path());
  // A table without some of them would pass for the whole.
  if (failure) return errno_error("drill.table", setting.out.string(), failure.value());
  std::vector<Outcome> outcomes;
  for (const fs::path& file : files) {
    const auto outcome = kept_outcome(file);
    if (!outcome) return outcome.error();
    if (*outcome) outcomes.push_back(**outcome);
  }
  return write_outcomes(setting.out, outcomes, setting.seed);
}

/// The cells of one system.
class SystemDrill {
 public:
  SystemDrill(const DrillSetting& setting, const Target& target)
      : setting_(setting), target_(target), neighbour_(target.entry, target.config) {}

  Status begin() {
    if (const auto up = setting_.bed.status(target_.recipe, setting_.call); !up) return up.error();
    return neighbour_.move_in(within(setting_.call, kServerLimit));
  }
  Result<Outcome> run(const DrillCell& cell) {
    const Chain chain = chain_with(setting_.plan, cell.stage);
    const std::string name = chain_name(chain);
    if (!references_.contains(name)) {
      auto reference = run_reference(setting_, target_, chain);
      if (!reference) return reference.error();
      references_[name] = std::move(*reference);
    }
    return drill_cell(setting_, target_, cell, references_[name], neighbour_);
  }
  Status end() { return neighbour_.move_out(within({}, kServerLimit)); }

 private:
  const DrillSetting& setting_;
  const Target& target_;
  Neighbour neighbour_;
  std::map<std::string, Reference> references_{};
};

}  // namespace

Result<Target> find_target(const DrillSetting& setting, const SystemPlan& system) {
  const SystemEntry* const entry = find_system(setting.registry, system.name);
  const testbed::Recipe* const recipe = testbed::find_recipe(system.name);
  if (entry == nullptr || recipe == nullptr)
    return Error{ErrorCode::kNotFound, "drill", system.name + ": the testbed has no such system"};
  auto status = setting.bed.status(*recipe, setting.call);
  if (!status) return status.error();
  if (status->state != testbed::ServerState::kRunning || !system.url ||
      !is_at(*system.url, status->ports.front()))
    return Error{
        ErrorCode::kRefused, "drill",
        fmt::format("{}: the plan's server was not started by `deduplab testbed up {}`. A drill kills, "
                    "stops and fills servers, so it works on those of the testbed alone, with the table "
                    "that `deduplab testbed env {}` prints",
                    system.name, system.name, system.name)};
  auto config = system_config(setting.plan, system, *entry, "", setting.out);
  if (!config) return config.error();
  config->variant = system.variants.front();
  return Target{*entry, *recipe, std::move(*status), std::move(*config)};
}

Result<std::vector<Outcome>> run_drill(const DrillSetting& setting, const std::vector<DrillCell>& cells,
                                       Clock::time_point end,
                                       const std::function<void(const Outcome&)>& told) {
  std::vector<Outcome> outcomes;
  std::optional<Error> failed;  // The first; the drills of other systems go on.
  const auto keep = [&](const Outcome& outcome) {
    outcomes.push_back(outcome);
    told(outcome);
  };
  for (const SystemPlan& system : setting.plan.systems) {
    std::optional<Target> target;
    std::optional<SystemDrill> drill;
    for (const DrillCell& cell : cells) {
      if (cell.system != system.name) continue;
      const auto before = kept_outcome(outcome_file(setting, cell));
      if (!before) return before.error();
      if (*before) {
        keep(**before);
        continue;
      }
      if (Clock::now() >= end) continue;
      if (!drill) {
        auto found = find_target(setting, system);
        if (!found) return found.error();
        target.emplace(std::move(*found));
        drill.emplace(setting, *target);
        LAB_TRY(drill->begin());
      }
      const auto outcome = drill->run(cell);
      if (!outcome) {
        ignore(drill->end(), "the error before it is the one to tell");
        drill.reset();
        if (!failed) failed = outcome.error();
        break;
      }
      LAB_TRY(make_directories(outcome_file(setting, cell).parent_path()));  // Of one that is left out too.
      LAB_TRY(write_file_atomic(outcome_file(setting, cell), to_json(*outcome)));
      keep(*outcome);
    }
    if (drill) LAB_TRY(drill->end());
    if (failed && failed->code == ErrorCode::kCancelled) break;
  }
  LAB_TRY(write_table(setting));
  if (failed) return *failed;
  return outcomes;
}

}  // namespace lab::drill
