// Reading the text of a UUID.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "model/dataset.hpp"

namespace lab {

/// The inverse of format_uuid; nothing for any other text.
std::optional<ObjectId> parse_uuid(std::string_view text);

}  // namespace lab
