// One canonical text for all JSON texts of one meaning.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "driver/native_schema.hpp"

namespace lab {

/// `text` with its keys ordered and its white space set as `form` says (kJson or kJsonb). Errors: kCorruption
/// for what is no JSON.
Result<std::string> canonical_json(std::string_view text, RecordForm form, const char* operation);

}  // namespace lab
