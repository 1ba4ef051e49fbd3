// scan.json of an emitted folder. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "scan/emit.hpp"

namespace lab::scan {

inline constexpr const char* kEmittedName = "scan.json";

std::string emitted_text(const Emitted& emitted);

/// Errors: kInvalidArgument with the key.
Result<Emitted> parse_emitted(const std::string& text);

}  // namespace lab::scan
