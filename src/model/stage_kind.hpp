// The stages by name, and what a chain of them needs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace lab {

enum class StageKind : std::uint8_t {
  kBulkInsert,
  kPerfileInsert,
  kUpdate,
  kPerfileDelete,
  kDeleteLogical,
  kDeleteTruncate,
  kDeleteDrop,
  kMaintenance,
  kRefill,
};

std::string_view to_string(StageKind kind) noexcept;
/// Errors: kInvalidArgument with the nearest name.
Result<StageKind> parse_stage_kind(std::string_view text);
std::vector<std::string> stage_names();

constexpr bool is_insert(StageKind kind) {
  return kind == StageKind::kBulkInsert || kind == StageKind::kPerfileInsert || kind == StageKind::kRefill;
}
constexpr bool is_delete(StageKind kind) {
  return kind == StageKind::kPerfileDelete || kind == StageKind::kDeleteLogical ||
         kind == StageKind::kDeleteTruncate || kind == StageKind::kDeleteDrop;
}

using Chain = std::vector<StageKind>;

/// "perfile_insert>perfile_delete>maintenance".
std::string chain_name(std::span<const StageKind> chain);

/// Checks that each stage finds what it needs: an insert an empty system, a delete or update objects, a
/// refill a deletion after an insert, maintenance an earlier stage; and that no stage stands twice, since a
/// record is named by cell, chain and stage. Errors: kInvalidArgument naming both.
Status check_chain(std::span<const StageKind> chain);

}  // namespace lab
