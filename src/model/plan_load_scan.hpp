// The [scan] table of a plan.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/plan.hpp"
#include "model/toml_reader.hpp"

namespace lab::plan_rules {

inline constexpr std::int64_t kScanThreadsMax = 64;

/// Reads the table; `stages` are those of the plan. `chunkers = []` is a plan without a scan. Errors: those
/// of TomlReader; keys without chunkers; a stage that no chain has.
Status read_scan(const TomlReader& table, const StagesPlan& stages, ScanPlan& scan);

}  // namespace lab::plan_rules
