// Names and other programs' words for a terminal, and for a command that is pasted into one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lab {

/// Control characters written out, as \n and \x1b: a line break would begin a line of its own, and an escape
/// sequence colour or move what is there. Other bytes stay as they are.
std::string without_controls(std::string_view text);

/// One word of a command for a shell, quoted where it has to be.
std::string shell_word(std::string_view text);

}  // namespace lab
