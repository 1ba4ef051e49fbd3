// SPDX-License-Identifier: Apache-2.0
#include "core/plain_text.hpp"

#include <fmt/format.h>

namespace lab {

std::string without_controls(std::string_view text) {
  std::string plain;
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '\n')
      plain += "\\n";
    else if (code < 0x20 || code == 0x7F)
      plain += fmt::format("\\x{:02x}", code);
    else
      plain += letter;
  }
  return plain;
}

}  // namespace lab
