// Text for a terminal: how wide it is, shortened in the middle, padded, wrapped.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lab::report {

/// Columns that valid UTF-8 takes on a terminal: two for East Asian wide characters and emoji, none for
/// combining marks. Control characters count as one.
std::size_t display_width(std::string_view text);

/// At most `width` columns: the middle of a longer text becomes "…", since names differ at their ends.
std::string shorten_middle(std::string_view text, std::size_t width);

/// Padded with blanks to `width`; a longer text stays as it is.
std::string pad_right(std::string_view text, std::size_t width);
std::string pad_left(std::string_view text, std::size_t width);

/// Lines of at most `width` columns, broken at blanks; a longer word is cut. Lines after the first start with
/// `indent` blanks. Precondition: width > indent.
std::vector<std::string> wrap(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace lab::report
