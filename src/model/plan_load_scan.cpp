// SPDX-License-Identifier: Apache-2.0
#include "model/plan_load_scan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "model/plan_rules.hpp"

namespace lab::plan_rules {
namespace {

constexpr Millis kTick{1};
constexpr std::int64_t kMemoryMin = 1 << 20;

/// A stage that never runs would be a scan that the reader waits for in vain.
Result<StageKind> parse_scanned_stage(std::string_view text, const StagesPlan& stages) {
  const auto kind = parse_stage_kind(text);
  if (!kind) return kind.error();
  std::vector<std::string> names;
  for (const Chain& chain : stages.chains)
    for (const StageKind stage : chain) {
      if (stage == *kind) return *kind;
      names.emplace_back(to_string(stage));
    }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return bad(fmt::format("no chain of the plan has the stage '{}'; they have {}", text, join(names, ", ")));
}

}  // namespace

Status read_scan(const TomlReader& table, const StagesPlan& stages, ScanPlan& scan) {
  LAB_TRY(table.allow_only({"chunkers", "stages", "census", "memory", "threads", "limit"}));
  if (table.keys().empty()) return ok();
  if (!table.has("chunkers"))
    return table.error("chunkers", R"(missing: name them, as in ["fixed:4096", "cdc:8192"]; [] is no scan)");
  const bool off = table.is_empty_list("chunkers");
  if (!off) LAB_TRY(table.list("chunkers", parse_chunker, scan.chunkers));
  const auto stage = [&](std::string_view text) { return parse_scanned_stage(text, stages); };
  LAB_TRY(table.list("stages", stage, scan.stages));
  LAB_TRY(table.flag("census", scan.census));
  LAB_TRY(table.size("memory", kMemoryMin, scan.memory));
  std::int64_t threads = scan.threads;
  LAB_TRY(table.integer("threads", 1, kScanThreadsMax, threads));
  scan.threads = static_cast<unsigned>(threads);
  LAB_TRY(table.duration("limit", kTick, scan.limit));
  if (off) scan = {};
  return ok();
}

}  // namespace lab::plan_rules
