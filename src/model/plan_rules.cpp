// Words, limits and sums of a plan; what is known but not built in; what a reader should be warned of.
// SPDX-License-Identifier: Apache-2.0
#include "model/plan_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "model/cell.hpp"
#include "model/mix.hpp"

namespace lab {

Vocabulary with_known_servers(Vocabulary words) {
  for (const char* name : {"postgresql", "cockroachdb", "mariadb", "clickhouse", "redis", "kafka", "minio"})
    if (find_system_words(words, name) == nullptr)
      words.systems.push_back({.name = name, .built_in = false, .embedded = false});
  return words;
}

const SystemWords* find_system_words(const Vocabulary& words, std::string_view name) {
  for (const SystemWords& system : words.systems)
    if (system.name == name) return &system;
  return nullptr;
}

namespace plan_rules {
namespace {

constexpr std::string_view kDirectory = "directory:";
constexpr Bytes kDatasetMax{1LL << 60};

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// A mix whose shares are written. Which kinds it may name is for the vocabulary to say.
bool has_shares(std::string_view payload) { return is_mixed(payload) && payload.find(':') != payload.npos; }

Result<std::string> parse_shares(std::string_view text, const Vocabulary& words) {
  std::vector<std::string> kinds;
  for (const std::string& kind : words.payloads_built_in)
    if (!kind.starts_with(kDirectory) && !is_mixed(kind)) kinds.push_back(kind);
  const auto shares = parse_mix(text, kinds);
  if (!shares) return bad(shares.error().detail);
  return std::string(text);
}

constexpr std::array<std::string_view, 13> kProbes{
    "engine", "apparent", "files",  "extents", "filesystem",     "btrfs", "zfs",
    "zpool",  "vdo",      "volume", "kubelet", "volume:trimmed", "minio"};
/// Probes of a name that the plan gives.
constexpr std::array<std::string_view, 2> kNamedProbes{"command:", "metrics:"};

bool probe_built_in(std::string_view probe) {
  return std::find(kProbes.begin(), kProbes.end(), probe) != kProbes.end();
}

Status check_amount(const SizeLaw& law, std::uint64_t objects, std::string_view total) {
  const std::string size = to_string(law);
  if (objects == 0) return bad(fmt::format("a total of {} holds no object of {}", total, size));
  if (objects > static_cast<std::uint64_t>(kObjectsMax))
    return bad(
        fmt::format("a total of {} is {} objects of {}; at most {}", total, objects, size, kObjectsMax));
  if (objects > static_cast<std::uint64_t>(kDatasetMax.count / std::max<std::int64_t>(law.mean().count, 1)))
    return bad(
        fmt::format("{} objects of {} are more than {}", objects, size, format_bytes_exact(kDatasetMax)));
  return ok();
}

/// Cells of the matrix; as a double, which cannot overflow and is exact where it is compared.
double count_cells(const Plan& plan) {
  std::size_t variants = 0;
  for (const SystemPlan& system : plan.systems) variants += system.variants.size();
  const DatasetPlan& dataset = plan.dataset;
  double cells = plan.repetitions;
  for (const std::size_t length :
       {variants, dataset.payloads.size(), dataset.object_sizes.size(),
        std::max<std::size_t>(dataset.totals.size(), 1), dataset.grades.size(), dataset.orders.size(),
        dataset.placements.size(), dataset.modes.size(), dataset.caches.size()})
    cells *= static_cast<double>(length);
  return cells;
}

std::vector<std::string> warnings_of(const Plan& plan) {
  std::vector<std::string> warnings;
  const auto& grades = plan.dataset.grades;
  if (plan.repetitions < 5)
    warnings.push_back(fmt::format(
        "{} repetitions are fewer than 5: every verdict will be too_few_repetitions", plan.repetitions));
  if (std::find(grades.begin(), grades.end(), 0) == grades.end())
    warnings.emplace_back("the grades lack U0: without it there are no pairs, no eta and no verdict");
  for (const int grade : grades)
    if (grade > 0 && plan.dataset.objects &&
        distinct_objects(*plan.dataset.objects, grade) == *plan.dataset.objects)
      warnings.push_back(
          fmt::format("{} of {} objects has no copy", grade_name(grade), *plan.dataset.objects));
  return warnings;
}

}  // namespace

Error bad(std::string detail) { return {ErrorCode::kInvalidArgument, "plan", std::move(detail)}; }

Result<RetryScope> parse_retry_scope(std::string_view text) {
  return parse_word<RetryScope>("a retry scope", text,
                                {{"block", RetryScope::kBlock}, {"system", RetryScope::kSystem}});
}

Result<std::string> parse_system(std::string_view text, const Vocabulary& words) {
  if (find_system_words(words, text) != nullptr) return std::string(text);
  std::vector<std::string> names;
  for (const SystemWords& system : words.systems) names.push_back(system.name);
  return bad(fmt::format("'{}' is not a system{}", text, suggestion(text, names)));
}

Result<std::string> parse_payload(std::string_view text, const Vocabulary& words) {
  if (text == kDirectory) return bad("'directory:' lacks its path, as in \"directory:/data/mail\"");
  if (to_valid_utf8(text) != text) return bad("the payload's name is not UTF-8");
  if (has_shares(text)) return parse_shares(text, words);
  if (text.starts_with(kDirectory) || contains(words.payloads_built_in, text) ||
      contains(words.payloads_known, text))
    return std::string(text);
  std::vector<std::string> names = words.payloads_built_in;
  names.insert(names.end(), words.payloads_known.begin(), words.payloads_known.end());
  if (const auto near = nearest_word(text, names))
    return bad(fmt::format("'{}' is not a payload; did you mean '{}'?", text, *near));
  names.emplace_back("directory:<path>");
  return bad(fmt::format("'{}' is not a payload; one of {}", text, join(names, ", ")));
}

Result<std::string> parse_mode(std::string_view text) {
  return parse_word<std::string>("a mode", text, {{"blob", "blob"}, {"native", "native"}});
}

Result<std::string> parse_probe(std::string_view text) {
  for (const std::string_view prefix : kNamedProbes)
    if (text.starts_with(prefix) && text.size() > prefix.size()) return std::string(text);
  if (probe_built_in(text)) return std::string(text);
  std::vector<std::string> names(kProbes.begin(), kProbes.end());
  names.insert(names.end(), {"command:<name>", "metrics:<name>"});
  return bad(fmt::format("'{}' is not a probe{}", text, suggestion(text, names)));
}

Status check_amounts(const Plan& plan) {
  for (const SizeLaw& law : plan.dataset.object_sizes) {
    if (!law.sets_size() && !plan.dataset.totals.empty())
      return bad(
          "with object_size \"record\" objects are as large as the records are: give 'objects' (a count)");
    if (!law.sets_size()) continue;
    if (plan.dataset.objects) LAB_TRY(check_amount(law, *plan.dataset.objects, ""));
    for (const Bytes total : plan.dataset.totals)
      LAB_TRY(check_amount(law, planned_objects(law, total), format_bytes_exact(total)));
  }
  if (count_cells(plan) > static_cast<double>(kCellsMax))
    return bad(fmt::format("the lists multiply to more than {} cells", kCellsMax));
  return ok();
}

Status check_records(const DatasetPlan& dataset, const Vocabulary& words) {
  for (const SizeLaw& law : dataset.object_sizes) {
    if (law.sets_size()) continue;
    for (const std::string& payload : dataset.payloads) {
      if (contains(words.payloads_records, payload)) continue;
      if (payload.starts_with(kDirectory) && dataset.object_sizes.front() != law) continue;
      return bad(fmt::format("'{}': {} has no records, which {} have", to_string(law), payload,
                             join(words.payloads_records, ", ")));
    }
  }
  return ok();
}

void review(LoadedPlan& loaded, const Vocabulary& words) {
  const Plan& plan = loaded.plan;
  std::vector<std::string>& missing = loaded.not_built_in;
  missing.clear();
  for (const SystemPlan& system : plan.systems) {
    const SystemWords* known = find_system_words(words, system.name);
    if (known == nullptr || !known->built_in)
      missing.push_back(fmt::format("system '{}'", system.name));
    else if (!known->native && contains(plan.dataset.modes, "native"))
      missing.push_back(fmt::format("mode 'native' of system '{}'", system.name));
  }
  for (const std::string& payload : plan.dataset.payloads)
    if (!payload.starts_with(kDirectory) && !has_shares(payload) &&
        !contains(words.payloads_built_in, payload))
      missing.push_back(fmt::format("payload '{}'", payload));
  missing.insert(missing.end(), loaded.keys_not_built_in.begin(), loaded.keys_not_built_in.end());
  loaded.warnings = warnings_of(plan);
}

bool holds_password(std::string_view url) {
  const std::string lower = to_lower(url);
  for (const std::string_view word :
       {"password=", "passwd=", "pwd=", "secret=", "token=", "api_key=", "api-key=", "apikey="})
    if (lower.find(word) != std::string::npos) return true;
  // A password may hold '/' and '@' where somebody forgot to encode it, so everything before the last '@'
  // counts.
  const std::size_t at = url.rfind('@');
  if (at == std::string_view::npos) return false;
  const std::size_t scheme = url.find("://");
  const std::size_t start = scheme == std::string_view::npos || scheme > at ? 0 : scheme + 3;
  return url.substr(start, at - start).find(':') != std::string_view::npos;
}

}  // namespace plan_rules
}  // namespace lab
