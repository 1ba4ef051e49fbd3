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

std::string shell_word(std::string_view text) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string(text);
  std::string all = "'";
  for (const char letter : text) all += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return all + "'";
}

}  // namespace lab
