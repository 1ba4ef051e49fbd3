// Names of stages, and the state that a chain of them is in after each.
// SPDX-License-Identifier: Apache-2.0
#include "model/stage_kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace lab {
namespace {

constexpr std::array kAllStages{
    StageKind::kBulkInsert,    StageKind::kPerfileInsert, StageKind::kUpdate,
    StageKind::kPerfileDelete, StageKind::kDeleteLogical, StageKind::kDeleteTruncate,
    StageKind::kDeleteDrop,    StageKind::kMaintenance,   StageKind::kRefill,
};

/// What a system holds between two stages of a chain.
struct ChainState {
  bool anything_done = false;
  bool holds_objects = false;
  bool was_deleted = false;
};

/// Why `kind` cannot run in `state`; empty when it can.
std::string_view missing_precondition(StageKind kind, const ChainState& state) {
  if (kind == StageKind::kRefill) return state.was_deleted ? "" : "a deletion before it";
  if (is_insert(kind)) {
    if (!state.anything_done) return "";
    return state.was_deleted && !state.holds_objects
               ? "an empty system from reset (use refill after a deletion)"
               : "an empty system";
  }
  if (kind == StageKind::kMaintenance) return state.anything_done ? "" : "an earlier stage";
  return state.holds_objects ? "" : "objects that an insert left in the system";
}

}  // namespace

std::string_view to_string(StageKind kind) noexcept {
  switch (kind) {
    case StageKind::kBulkInsert:
      return "bulk_insert";
    case StageKind::kPerfileInsert:
      return "perfile_insert";
    case StageKind::kUpdate:
      return "update";
    case StageKind::kPerfileDelete:
      return "perfile_delete";
    case StageKind::kDeleteLogical:
      return "delete_logical";
    case StageKind::kDeleteTruncate:
      return "delete_truncate";
    case StageKind::kDeleteDrop:
      return "delete_drop";
    case StageKind::kMaintenance:
      return "maintenance";
    case StageKind::kRefill:
      return "refill";
  }
  return "bulk_insert";
}

std::vector<std::string> stage_names() {
  std::vector<std::string> names;
  for (const StageKind kind : kAllStages) names.emplace_back(to_string(kind));
  return names;
}

Result<StageKind> parse_stage_kind(std::string_view text) {
  for (const StageKind kind : kAllStages)
    if (text == to_string(kind)) return kind;
  return Error{ErrorCode::kInvalidArgument, "stage",
               fmt::format("'{}' is not a stage{}", text, suggestion(text, stage_names()))};
}

std::string chain_name(std::span<const StageKind> chain) {
  std::string name;
  for (const StageKind kind : chain) {
    if (!name.empty()) name += '>';
    name += to_string(kind);
  }
  return name;
}

Status check_chain(std::span<const StageKind> chain) {
  if (chain.empty()) return Error{ErrorCode::kInvalidArgument, "chain", "a chain needs at least one stage"};
  ChainState state;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const StageKind kind = chain[i];
    // A record is named by its cell, chain and stage, so a stage stands once in a chain.
    if (std::find(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(i), kind) !=
        chain.begin() + static_cast<std::ptrdiff_t>(i))
      return Error{ErrorCode::kInvalidArgument, "chain",
                   fmt::format("stage {} of '{}', {}, stands twice in the chain", i + 1, chain_name(chain),
                               to_string(kind))};
    if (const auto why = missing_precondition(kind, state); !why.empty())
      return Error{
          ErrorCode::kInvalidArgument, "chain",
          fmt::format("stage {} of '{}', {}, needs {}", i + 1, chain_name(chain), to_string(kind), why)};
    state.anything_done = true;
    if (is_insert(kind)) state = {true, true, false};
    if (is_delete(kind)) state = {true, false, true};
  }
  return ok();
}

}  // namespace lab
