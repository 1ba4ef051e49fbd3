// What servers may refuse, stage by stage, as a table: a refusal that is not in it, and one that is no more,
// is a change of what the program can do. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace lab::e2e {

/// What of the stages of a run, as results.json has them, contradicts the table; a sentence each. Superseded
/// records and controls are not looked at.
std::vector<std::string> contradictions(const nlohmann::json& stages);

}  // namespace lab::e2e
