// The parts of results.json that answer a question: ladders, costs, latencies, mechanisms.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "report/analysis.hpp"

namespace lab::report {

/// Sets a number; one that is absent or not finite is an absent key, never null.
void set_number(nlohmann::ordered_json& out, const char* key, const std::optional<double>& value);

/// A fixed size is a number of bytes, as in the records; a law or "as found" is text.
nlohmann::ordered_json object_size_json(const std::string& name);

/// Factors of one record: [{above, rung, factor}].
nlohmann::ordered_json steps_json(const Ladder& ladder);

nlohmann::ordered_json edr_intervals_json(const Analysis& analysis);
nlohmann::ordered_json ladders_json(const Analysis& analysis);
nlohmann::ordered_json costs_json(const Analysis& analysis);
nlohmann::ordered_json latencies_json(const Analysis& analysis);

/// What is documented of each system beside what was measured of it: the documented part is the run's own
/// record of it, in its environment.
nlohmann::ordered_json mechanisms_json(const RunData& run, const Analysis& analysis);

}  // namespace lab::report
