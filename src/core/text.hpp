// Small text helpers that several layers need.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lab {

/// The candidate with the smallest edit distance to `word`, if it is near enough to be a slip (distance at
/// most 2, or a third of the word's length). Case is folded.
std::optional<std::string> nearest_word(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'x'?" or "; one of a, b, c" for an error text.
std::string suggestion(std::string_view word, std::span<const std::string> candidates);

std::string join(std::span<const std::string> parts, std::string_view separator);
std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);

/// A to Z as a to z; all other bytes as they are.
std::string to_lower(std::string_view text);

/// RFC 3986: everything but A-Z a-z 0-9 - . _ ~ becomes %XX.
std::string percent_encode(std::string_view text);

/// Valid UTF-8 for logs, JSON and HTML: bytes that are not are replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace lab
