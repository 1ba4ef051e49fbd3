// Variables of the environment that are for other programs, and not for the libraries in this one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

namespace lab {

/// Takes these variables out of the program's own environment, where libraries would follow them in silence.
/// Programs that run_command starts get them as before. To be called before there is a second thread.
void hide_from_libraries(std::span<const char* const> names);

/// The entries that were taken out, "NAME=value".
const std::vector<std::string>& hidden_entries();

}  // namespace lab
