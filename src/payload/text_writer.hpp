// Appends words and numbers to a buffer that has room enough; knows nothing of the format that they form.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "payload/prose.hpp"

namespace lab {

class TextWriter {
 public:
  TextWriter(char* at, ContentStream& random) : at_(at), random_(random) {}

  char* at() const { return at_; }
  ContentStream& random() { return random_; }

  TextWriter& raw(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  TextWriter& number(std::uint64_t value) {
    at_ = std::to_chars(at_, at_ + 20, value).ptr;  // Twenty digits hold any 64-bit number.
    return *this;
  }
  /// With leading zeros. Precondition: `value` has at most `digits` digits.
  TextWriter& padded(std::uint64_t value, unsigned digits) {
    for (char* digit = at_ + digits; digit != at_; value /= 10)
      *--digit = static_cast<char>('0' + value % 10);
    at_ += digits;
    return *this;
  }
  TextWriter& hexadecimal(std::uint64_t value) {
    at_ = write_hexadecimal(at_, value);
    return *this;
  }
  TextWriter& word(WordClass word_class) {
    at_ = prose_.write_word(at_, word_class, random_) - 1;  // Without its space.
    return *this;
  }
  TextWriter& sentence() {
    at_ = prose_.write_sentence(at_, random_) - 1;
    return *this;
  }

 private:
  const Prose& prose_ = Prose::instance();
  char* at_;
  ContentStream& random_;
};

}  // namespace lab
