// SPDX-License-Identifier: Apache-2.0
#include "server_refusals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "core/text.hpp"

namespace lab::e2e {
namespace {

using Json = nlohmann::json;
using Version = std::pair<int, int>;

constexpr const char* kAny = "*";

enum class Holds : std::uint8_t {
  kAlways,
  kByBuild,  // The server may have been built, or configured, without it.
};

/// A variant is its whole name, or one of the words that '+' joins: "stream" is in "aof+stream"; "-stream" is
/// each variant without that word.
struct Refusal {
  const char* system;
  const char* variant;
  const char* stage;
  const char* mode;
  const char* words;  // In the reason.
  Version before{};   // Of servers older than it alone; {}: of all.
  Holds holds = Holds::kAlways;
};

constexpr const char* kNoReplace = "declares no replacing put";
constexpr const char* kOneKeyNoUpdate = "a variant that keeps one per key has no update";
constexpr const char* kAnyIsLeft = "which of equal objects is left is the system's choice";
constexpr const char* kNoLogical = "declares no logical deletion of all";
constexpr const char* kNoTruncate = "declares no truncation";
constexpr const char* kNoDrop = "declares no dropping";
constexpr const char* kNoMaintenance = "declares no maintenance";
constexpr const char* kBlobOnly = "has no mode 'native'";

constexpr Refusal kRefusals[] = {
    {"postgresql", "insert_if_absent", "update", "blob", kOneKeyNoUpdate},
    {"postgresql", "toast_external", kAny, "native", kBlobOnly},
    {"postgresql", "insert_if_absent", kAny, "native", kBlobOnly},
    {"postgresql", "lz4", kAny, kAny, "needs PostgreSQL 14 built with LZ4", {}, Holds::kByBuild},
    {"cockroachdb", "default", "maintenance", "blob", kNoMaintenance},
    {"cockroachdb", "row_ttl", "maintenance", "blob", kNoMaintenance},
    {"mariadb", "insert_if_absent", "update", "blob", kOneKeyNoUpdate},
    {"mariadb", "insert_if_absent", kAny, "native", kBlobOnly},
    {"clickhouse", "zstd", kAny, kAny, "has no codecs of columns", {19, 1}},
    {"clickhouse", "none", kAny, kAny, "has no codecs of columns", {19, 1}},
    {"clickhouse", "deduplicate", kAny, "blob", "has no DEDUPLICATE BY", {21, 1}},
    {"clickhouse", "lightweight_delete", kAny, kAny, "has no DELETE FROM", {23, 3}},
    {"clickhouse", "order_by_hash", kAny, "native", kBlobOnly},
    {"clickhouse", "low_cardinality", kAny, "native", kBlobOnly},
    {"clickhouse", "replacing", kAny, "native", kBlobOnly},
    {"clickhouse", "deduplicate", kAny, "native", kBlobOnly},
    {"clickhouse", "replacing", "update", "blob", kOneKeyNoUpdate},
    {"clickhouse", "replacing", "perfile_delete", "blob", kAnyIsLeft},
    {"clickhouse", "deduplicate", "update", "blob", kOneKeyNoUpdate},
    {"clickhouse", "deduplicate", "perfile_delete", "blob", kAnyIsLeft},
    {"clickhouse", kAny, "update", kAny, kNoReplace},
    {"redis", "hash", kAny, "native", kBlobOnly},
    {"redis", "stream", kAny, "native", kBlobOnly},
    {"redis", "stream", "update", "blob", kNoReplace},
    {"redis", "stream", "delete_logical", "blob", kNoLogical},
    {"redis", "-stream", "delete_truncate", kAny, kNoTruncate},
    {"redis", "-stream", "delete_drop", kAny, kNoDrop},
    {"kafka", kAny, "delete_logical", kAny, kNoLogical},
    {"kafka", "compact", "delete_truncate", kAny, kNoTruncate},
    {"kafka", "compact_by_hash", "delete_truncate", "blob", kNoTruncate},
    {"kafka", "compact_by_hash", "update", "blob", kOneKeyNoUpdate},
    {"kafka", "compact_by_hash", "perfile_delete", "blob", kAnyIsLeft},
    {"kafka", "compact_by_hash", kAny, "native", kBlobOnly},
    {"kafka", "delete", "update", kAny, kNoReplace},
    {"kafka", "lz4", "update", kAny, kNoReplace},
    {"kafka", "zstd", "update", kAny, kNoReplace},
    {"kafka", "delete", "perfile_delete", kAny, "declares no deletion by id"},
    {"kafka", "lz4", "perfile_delete", kAny, "declares no deletion by id"},
    {"kafka", "zstd", "perfile_delete", kAny, "declares no deletion by id"},
    {"minio", kAny, "delete_truncate", kAny, kNoTruncate},
    {"minio", "default", "maintenance", kAny, kNoMaintenance},
    {"minio", "multipart", "maintenance", kAny, kNoMaintenance},
    {"minio", "versioned", kAny, kAny, "versioning", {}, Holds::kByBuild},
};

/// What follows from a deletion before it, in the same chain, that was refused.
constexpr const char* kConsequences[] = {
    "the system still holds the objects: this variant does not declare the deletion before",
    "the deletion before it is not declared by this variant",
};

bool is_of(std::string_view rule, const std::string& variant) {
  if (rule == kAny || variant == rule) return true;
  const bool without = rule.starts_with('-');
  if (without) rule.remove_prefix(1);
  const auto words = split(variant, '+');
  return (std::find(words.begin(), words.end(), rule) == words.end()) == without;
}

/// "18.16.1": {18, 16}. Nothing where a run met no server.
std::optional<Version> version_of(const Json& stages) {
  for (const Json& stage : stages) {
    if (stage["control"].get<bool>()) continue;
    const auto parts = split(stage["server"].value("version", ""), '.');
    Version version{};
    if (parts.size() < 2) continue;
    std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), version.first);
    std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), version.second);
    return version;
  }
  return std::nullopt;
}

std::vector<const Refusal*> rules_for(const Json& stage, const std::optional<Version>& version) {
  const auto fits = [](const char* rule, const std::string& name) {
    return rule == std::string_view(kAny) || name == rule;
  };
  std::vector<const Refusal*> rules;
  for (const Refusal& rule : kRefusals) {
    if (stage["system"] != rule.system || !is_of(rule.variant, stage["variant"])) continue;
    if (!fits(rule.stage, stage["stage"]) || !fits(rule.mode, stage["mode"])) continue;
    if (rule.before != Version{} && version && *version >= rule.before) continue;
    rules.push_back(&rule);
  }
  return rules;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string name_of(const Json& stage) {
  return fmt::format("{}/{} {} {} of {}", stage["system"].get<std::string>(),
                     stage["variant"].get<std::string>(), stage["mode"].get<std::string>(),
                     stage["stage"].get<std::string>(), stage["chain"].get<std::string>());
}

}  // namespace

std::vector<std::string> contradictions(const Json& stages) {
  std::vector<std::string> found;
  std::set<std::pair<std::string, std::string>> deletion_refused;  // Cell and chain.
  const auto version = version_of(stages);
  for (const Json& stage : stages) {
    if (stage["superseded"].get<bool>() || stage["control"].get<bool>()) continue;
    const std::string reason = stage["reason"];
    const auto rules = rules_for(stage, version);
    const std::pair<std::string, std::string> chain{stage["cell_id"], stage["chain"]};
    if (stage["valid"].get<bool>()) {
      for (const Refusal* rule : rules)
        if (rule->holds == Holds::kAlways)
          found.push_back(fmt::format("{}: is valid, and the table has it as refused: '{}'", name_of(stage),
                                      rule->words));
      continue;
    }
    if (!reason.starts_with("unsupported: ")) {
      found.push_back(fmt::format("{}: {}", name_of(stage), reason));
      continue;
    }
    if (stage["stage"].get<std::string>().find("delete") != std::string::npos) deletion_refused.insert(chain);
    const bool declared = std::any_of(rules.begin(), rules.end(),
                                      [&](const Refusal* rule) { return has(reason, rule->words); });
    const bool follows = deletion_refused.contains(chain) &&
                         std::any_of(std::begin(kConsequences), std::end(kConsequences),
                                     [&](const char* words) { return has(reason, words); });
    if (!declared && !follows)
      found.push_back(
          fmt::format("{}: is refused, and the table does not say so: {}", name_of(stage), reason));
  }
  return found;
}

}  // namespace lab::e2e
