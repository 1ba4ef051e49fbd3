// The keys of a system's table that add rungs below its own files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/plan.hpp"
#include "model/toml_reader.hpp"

namespace lab::plan_rules {

/// Reads `probes`, `volume` with its token, `trim`, `commands` and `metrics`. Errors: those of TomlReader; a
/// probe that needs a key which is not there.
Status read_probes(const TomlReader& table, SystemPlan& system);

Status read_prometheus(const TomlReader& table, PrometheusPlan& prometheus);

}  // namespace lab::plan_rules
