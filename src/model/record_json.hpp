// A stage's record as JSON: one line in the journal, one entry of "stages" in results.json.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "model/record.hpp"

namespace lab {

/// The record under the field names of results.json, in their order; what is unknown is an absent key. Bytes
/// that are not UTF-8 become U+FFFD and numbers that are not finite are left out, so the text is always valid
/// JSON.
nlohmann::ordered_json record_to_json(const StageRecord& record);

/// The same as one line, without a newline.
std::string to_json_text(const StageRecord& record);

/// Reads back what to_json_text wrote: the same record to the last bit. Keys that it does not know are left
/// out. Errors: kCorruption for text that is no JSON object, a value of the wrong type and a missing name of
/// the record (system, payload, grade, chain, stage, cell_id, valid, ...), naming the key.
Result<StageRecord> record_from_json(std::string_view text);

}  // namespace lab
