// SPDX-License-Identifier: Apache-2.0
#include "core/redaction.hpp"

namespace lab {
namespace {

constexpr std::string_view kStars = "***";

/// Letters of any alphabet: what is not ASCII counts as one.
bool is_word_byte(char byte) {
  const auto letter = static_cast<unsigned char>(byte);
  return letter >= 0x80 || (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= 'a' && letter <= 'z');
}

bool stands_alone(std::string_view text, std::size_t at, std::size_t size) {
  const bool joined_before = at > 0 && is_word_byte(text[at - 1]);
  const bool joined_behind = at + size < text.size() && is_word_byte(text[at + size]);
  return !joined_before && !joined_behind;
}

}  // namespace

std::string without_secret(std::string text, std::string_view secret) {
  if (secret.empty()) return text;
  std::size_t at = 0;
  while ((at = text.find(secret, at)) != std::string::npos) {
    if (secret.size() < kSecretAnywhereMin && !stands_alone(text, at, secret.size())) {
      ++at;
      continue;
    }
    text.replace(at, secret.size(), kStars);
    at += kStars.size();
  }
  return text;
}

}  // namespace lab
