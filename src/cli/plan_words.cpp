// SPDX-License-Identifier: Apache-2.0
#include "cli/plan_words.hpp"

#include <fmt/format.h>

#include <cctype>

#include "core/text.hpp"
#include "core/time.hpp"
#include "payload/dataset.hpp"

namespace lab::cli {
namespace {

/// A server's address and options as its driver reads them, for each variant that the plan names.
std::optional<SystemFault> look(const SystemEntry& entry, const SystemPlan& system) {
  for (const std::string& variant : system.variants) {
    const Status fits = entry.check({.variant = variant,
                                     .directory = system.directory.value_or(""),
                                     .url = system.url.value_or(""),
                                     .options = system.options});
    if (!fits) return SystemFault{fits.error().operation, fits.error().detail};
  }
  return std::nullopt;
}

Vocabulary make_vocabulary() {
  Vocabulary words;
  for (const SystemEntry& entry : built_in_systems()) {
    SystemWords system{
        .name = entry.name, .built_in = true, .native = entry.native, .embedded = entry.embedded};
    for (const VariantInfo& variant : entry.variants) system.variants.push_back(variant.name);
    system.options = entry.options;
    if (entry.check != nullptr) system.look = [&entry](const SystemPlan& plan) { return look(entry, plan); };
    words.systems.push_back(std::move(system));
  }
  for (const PayloadKind& kind : payload_kinds()) {
    (kind.built_in ? words.payloads_built_in : words.payloads_known).push_back(kind.name);
    if (kind.records) words.payloads_records.push_back(kind.name);
  }
  return with_known_servers(std::move(words));
}

}  // namespace

const Vocabulary& vocabulary() {
  static const Vocabulary kWords = make_vocabulary();
  return kWords;
}

PlanOverrides overrides_of(const PlanFlags& flags) {
  PlanOverrides overrides;
  overrides.systems = flags.systems;
  overrides.payloads = flags.payloads;
  overrides.grades = flags.grades;
  overrides.repetitions = flags.repetitions;
  overrides.objects = flags.objects;
  if (!flags.object_size.empty()) overrides.object_size = flags.object_size;
  overrides.max_retries = flags.max_retries;
  if (!flags.retry_scope.empty()) overrides.retry_scope = flags.retry_scope;
  return overrides;
}

Result<LoadedPlan> load_effective_plan(const std::filesystem::path& file, const PlanOverrides& overrides) {
  auto loaded = load_plan(file, vocabulary());
  if (!loaded) return loaded;
  LAB_TRY(apply(*loaded, overrides, vocabulary()));
  return loaded;
}

Status require_built_in(const LoadedPlan& loaded) {
  if (loaded.not_built_in.empty()) return ok();
  return Error{ErrorCode::kInvalidArgument, "plan",
               "known but not built in: " + join(loaded.not_built_in, ", ")};
}

std::filesystem::path usual_directory(const std::string& parent, const std::string& plan_name) {
  std::string name;
  for (const char letter : plan_name) {
    const auto byte = static_cast<unsigned char>(letter);
    name += byte >= 0x80 || std::isalnum(byte) != 0 || letter == '.' || letter == '_' || letter == '-'
                ? letter
                : '-';
  }
  if (name.starts_with('.')) name.front() = '-';
  return std::filesystem::path(parent) / fmt::format("{}-{}", name, format_utc_compact(wall_time_ms()));
}

}  // namespace lab::cli
