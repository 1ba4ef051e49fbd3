// What the address of a monitoring endpoint, and the names of what it tells, may look like.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/result.hpp"

namespace lab {

/// Errors: kInvalidArgument for another scheme than http and https, no host, a user or password in it,
/// blanks. They never repeat the text, which may hold what it should not.
Status check_endpoint_url(std::string_view url);

/// The same for an address that paths are added to: nothing may stand behind its own path.
Status check_base_url(std::string_view url);

/// True for [a-zA-Z_:][a-zA-Z0-9_:]*, and for labels without the colon.
bool is_metric_name(std::string_view text);
bool is_label_name(std::string_view text);

}  // namespace lab
