// Flags over a plan: the same words and limits, with the flag's name in place of file and line.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "model/plan_load.hpp"
#include "model/plan_rules.hpp"

namespace lab {
namespace {

using plan_rules::bad;

Error flagged(std::string_view flag, std::string_view what) { return bad(fmt::format("{}: {}", flag, what)); }

/// "a,b" and "c" as three words. Errors: empty words and duplicates.
template <class T, class Parse>
Status read_list(std::string_view flag, const std::vector<std::string>& texts, const Parse& parse,
                 std::vector<T>& out) {
  if (texts.empty()) return ok();
  out.clear();
  for (const std::string& text : texts)
    for (const std::string& part : split(text, ',')) {
      const std::string word(trim(part));
      if (word.empty()) return flagged(flag, fmt::format("an empty word in '{}'", text));
      auto value = parse(std::string_view(word));
      if (!value) return flagged(flag, value.error().detail);
      if (std::find(out.begin(), out.end(), *value) != out.end())
        return flagged(flag, fmt::format("'{}' is given twice", word));
      out.push_back(std::move(*value));
    }
  return ok();
}

template <class T, class Out>
Status read_number(std::string_view flag, const std::optional<T>& number, std::int64_t least,
                   std::int64_t most, Out& out) {
  if (!number) return ok();
  if (*number < least || *number > most)
    return flagged(flag, fmt::format("must be from {} to {}, is {}", least, most, *number));
  out = static_cast<std::remove_reference_t<decltype(out)>>(*number);
  return ok();
}

/// Those of the plan in its order, then the ones that the plan does not name.
void choose_systems(const std::vector<std::string>& names, Plan& plan) {
  std::vector<SystemPlan> chosen;
  for (SystemPlan& system : plan.systems)
    if (std::find(names.begin(), names.end(), system.name) != names.end())
      chosen.push_back(std::move(system));
  for (const std::string& name : names) {
    const auto same = [&](const SystemPlan& system) { return system.name == name; };
    if (std::none_of(chosen.begin(), chosen.end(), same)) chosen.push_back({.name = name});
  }
  plan.systems = std::move(chosen);
}

Status apply_to_dataset(DatasetPlan& dataset, const PlanOverrides& overrides, const Vocabulary& words) {
  const auto payload = [&](std::string_view text) { return plan_rules::parse_payload(text, words); };
  LAB_TRY(read_list("--payloads", overrides.payloads, payload, dataset.payloads));
  LAB_TRY(read_list("--grades", overrides.grades, parse_grade, dataset.grades));
  if (overrides.objects) {
    dataset.totals.clear();
    LAB_TRY(
        read_number("--objects", overrides.objects, 1, plan_rules::kObjectsMax, dataset.objects.emplace()));
  }
  if (overrides.object_size)
    LAB_TRY(read_list("--object-size", {*overrides.object_size}, parse_size_law, dataset.object_sizes));
  return ok();
}

}  // namespace

Status apply(LoadedPlan& loaded, const PlanOverrides& overrides, const Vocabulary& words) {
  LoadedPlan changed = loaded;
  Plan& plan = changed.plan;
  std::vector<std::string> systems;
  const auto system = [&](std::string_view text) { return plan_rules::parse_system(text, words); };
  LAB_TRY(read_list("--systems", overrides.systems, system, systems));
  if (!systems.empty()) choose_systems(systems, plan);
  LAB_TRY(apply_to_dataset(plan.dataset, overrides, words));
  if (!overrides.payloads.empty()) changed.payloads_at = "--payloads: ";
  LAB_TRY(
      read_number("--repetitions", overrides.repetitions, 1, plan_rules::kRepetitionsMax, plan.repetitions));
  LAB_TRY(read_number("--max-retries", overrides.max_retries, 0, plan_rules::kRetriesMax,
                      plan.retry.max_retries));
  if (overrides.retry_scope) {
    const auto scope = plan_rules::parse_retry_scope(*overrides.retry_scope);
    if (!scope) return flagged("--retry-scope", scope.error().detail);
    plan.retry.scope = *scope;
  }
  if (const Status fits = plan_rules::check_amounts(plan); !fits)
    return flagged(overrides.object_size ? "--object-size" : "the flags", fits.error().detail);
  if (const Status fits = plan_rules::check_records(plan.dataset, words); !fits)
    return flagged(overrides.object_size ? "--object-size" : "--payloads", fits.error().detail);
  plan_rules::review(changed, words);
  loaded = std::move(changed);
  return ok();
}

}  // namespace lab
