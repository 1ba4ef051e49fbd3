// Width by code point ranges (Unicode TR 11 and the combining blocks), so that it needs no locale.
// SPDX-License-Identifier: Apache-2.0
#include "report/terminal_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/result.hpp"
#include "core/text.hpp"

namespace lab::report {
namespace {

struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

constexpr std::array<Range, 6> kNoWidth{{{0x0300, 0x036F},
                                         {0x1AB0, 0x1AFF},
                                         {0x1DC0, 0x1DFF},
                                         {0x200B, 0x200F},
                                         {0x20D0, 0x20FF},
                                         {0xFE00, 0xFE0F}}};
constexpr std::array<Range, 9> kDoubleWidth{{{0x1100, 0x115F},
                                             {0x2E80, 0xA4CF},
                                             {0xAC00, 0xD7A3},
                                             {0xF900, 0xFAFF},
                                             {0xFE30, 0xFE6F},
                                             {0xFF00, 0xFF60},
                                             {0xFFE0, 0xFFE6},
                                             {0x1F300, 0x1FAFF},
                                             {0x20000, 0x3FFFD}}};

template <std::size_t kCount>
bool within(const std::array<Range, kCount>& ranges, std::uint32_t point) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [point](Range range) { return point >= range.first && point <= range.last; });
}

/// One character with its bytes and its width.
struct Glyph {
  std::string_view bytes{};
  std::size_t width = 0;
};

/// Precondition: `text` is valid UTF-8 and not empty.
Glyph first_glyph(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  std::uint32_t point = length == 1 ? lead : lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i)
    point = (point << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  const std::size_t width = within(kNoWidth, point) ? 0 : within(kDoubleWidth, point) ? 2 : 1;
  return {text.substr(0, length), width};
}

/// Calls `each` for every glyph.
template <class Each>
void each_glyph(std::string_view text, Each&& each) {
  while (!text.empty()) {
    const Glyph glyph = first_glyph(text);
    each(glyph);
    text.remove_prefix(glyph.bytes.size());
  }
}

/// The longest start of `text` that is not wider than `width`.
std::string_view start_of(std::string_view text, std::size_t width) {
  std::size_t bytes = 0;
  std::size_t used = 0;
  bool open = true;
  each_glyph(text, [&](Glyph glyph) {
    open = open && used + glyph.width <= width;
    if (!open) return;
    used += glyph.width;
    bytes += glyph.bytes.size();
  });
  return text.substr(0, bytes);
}

/// The longest end of `text` that is not wider than `width`.
std::string_view end_of(std::string_view text, std::size_t width) {
  std::size_t left = display_width(text);
  while (left > width) {
    const Glyph glyph = first_glyph(text);
    left -= glyph.width;
    text.remove_prefix(glyph.bytes.size());
  }
  return text;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  each_glyph(text, [&](Glyph glyph) { width += glyph.width; });
  return width;
}

std::string shorten_middle(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return "";
  const std::size_t kept = width - 1;
  return std::string(start_of(text, (kept + 1) / 2)) + "…" + std::string(end_of(text, kept / 2));
}

std::string pad_right(std::string_view text, std::size_t width) {
  const std::size_t used = display_width(text);
  return std::string(text) + std::string(used < width ? width - used : 0, ' ');
}

std::string pad_left(std::string_view text, std::size_t width) {
  const std::size_t used = display_width(text);
  return std::string(used < width ? width - used : 0, ' ') + std::string(text);
}

std::vector<std::string> wrap(std::string_view text, std::size_t width, std::size_t indent) {
  LAB_CHECK(width > indent, "there must be room for text");
  std::vector<std::string> lines;
  std::string line;
  bool has_words = false;
  const auto next_line = [&] {
    lines.push_back(line);
    line = std::string(indent, ' ');
    has_words = false;
  };
  for (const std::string& word : split(text, ' ')) {
    std::string_view left = word;
    if (has_words && display_width(line) + 1 + display_width(left) > width) next_line();
    if (has_words) line += ' ';
    while (display_width(line) + display_width(left) > width) {
      std::string_view part = start_of(left, width - display_width(line));
      if (part.empty() && !has_words)
        part = first_glyph(left).bytes;  // Wider than the line: cannot be helped.
      line += part;
      left.remove_prefix(part.size());
      next_line();
    }
    line += left;
    has_words = true;
  }
  lines.push_back(line);
  return lines;
}

}  // namespace lab::report
