// SPDX-License-Identifier: Apache-2.0
#include "model/uuid.hpp"

namespace lab {
namespace {

std::optional<unsigned> hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10;
  return std::nullopt;
}

}  // namespace

std::optional<ObjectId> parse_uuid(std::string_view text) {
  ObjectId id{};
  std::size_t at = 0;
  for (std::size_t byte = 0; byte < id.size(); ++byte) {
    if (byte == 4 || byte == 6 || byte == 8 || byte == 10) {
      if (at >= text.size() || text[at] != '-') return std::nullopt;
      ++at;
    }
    if (at + 2 > text.size()) return std::nullopt;
    const auto high = hex_digit(text[at]);
    const auto low = hex_digit(text[at + 1]);
    if (!high || !low) return std::nullopt;
    id[byte] = static_cast<std::byte>(*high << 4U | *low);
    at += 2;
  }
  if (at != text.size()) return std::nullopt;
  return id;
}

}  // namespace lab
