// SPDX-License-Identifier: Apache-2.0
#include "payload/csv_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/plain_text.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

constexpr std::size_t kRowMax = 1U << 20U;

// The letters 0x80 to 0x9F of Windows-1252; the five that it does not define are the controls of Latin-1.
constexpr std::array<unsigned, 32> kWindows = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

void append_utf8(std::string& out, unsigned letter) {
  if (letter < 0x80) {
    out += static_cast<char>(letter);
  } else if (letter < 0x800) {
    out += static_cast<char>(0xC0U | (letter >> 6U));
    out += static_cast<char>(0x80U | (letter & 0x3FU));
  } else {
    out += static_cast<char>(0xE0U | (letter >> 12U));
    out += static_cast<char>(0x80U | ((letter >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (letter & 0x3FU));
  }
}

}  // namespace

Status CsvReader::take(std::string_view bytes) {
  for (const char next : bytes) LAB_TRY(letter(next));
  return ok();
}

Status CsvReader::letter(char letter) {
  const bool paired = after_return_ && letter == '\n';
  after_return_ = false;
  if (paired) return ok();  // The second half of a line end that has ended a row already.
  if (++row_bytes_ > kRowMax)
    return Error{ErrorCode::kCorruption, "payload.table",
                 fmt::format("{}:{}: a row above 1 MiB; a quote that does not end?", label_, row_.line)};
  if (in_ == In::kQuoted) {
    if (letter == '\n') line_ += 1;
    if (letter == '"')
      in_ = In::kQuoteInQuoted;
    else
      field_ += letter;
    return ok();
  }
  if (letter == '"' && in_ == In::kQuoteInQuoted) {
    field_ += letter;
    in_ = In::kQuoted;
    return ok();
  }
  if (letter == '\n' || letter == '\r') {
    after_return_ = letter == '\r';
    return end_row();
  }
  const bool blank = delimiter_ == ' ' && (letter == ' ' || letter == '\t');
  if (letter == delimiter_ || blank) {
    if (!blank || in_ != In::kFieldStart) end_field();
    return ok();
  }
  if (letter == '"' && in_ == In::kFieldStart) {
    in_ = In::kQuoted;
    return ok();
  }
  if (in_ == In::kFieldStart) in_ = In::kPlain;
  field_ += letter;
  return ok();
}

void CsvReader::end_field() {
  row_.fields.push_back(std::move(field_));
  field_.clear();
  in_ = In::kFieldStart;
}

Status CsvReader::end_row() {
  // A line that ends with blanks has no field after them.
  const bool open = in_ != In::kFieldStart || (delimiter_ != ' ' && !row_.fields.empty());
  if (open) end_field();
  const bool empty = row_.fields.empty();
  Status taken = empty ? ok() : sink_(row_);
  line_ += 1;
  row_.fields.clear();
  row_.line = line_;
  row_bytes_ = 0;
  return taken;
}

Status CsvReader::finish() {
  if (in_ == In::kQuoted)
    return Error{ErrorCode::kCorruption, "payload.table",
                 fmt::format("{}:{}: a quote that does not end", label_, row_.line)};
  return row_bytes_ == 0 ? ok() : end_row();
}

std::vector<CsvRow> first_rows(std::string_view head, char delimiter, std::size_t rows_max) {
  std::vector<CsvRow> rows;
  CsvReader reader("", delimiter, [&rows, rows_max](const CsvRow& row) -> Status {
    if (rows.size() == rows_max) return Error{ErrorCode::kCancelled, "payload.table", "enough"};
    rows.push_back(row);
    return ok();
  });
  if (reader.take(head)) ignore(reader.finish(), "the whole is read again, by who reports its errors");
  return rows;
}

std::string as_utf8(std::string text) {
  if (to_valid_utf8(text) == text) return text;
  std::string out;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    append_utf8(out, byte >= 0x80 && byte < 0xA0 ? kWindows[byte - 0x80U] : byte);
  }
  return out;
}

std::string shown_text(std::string_view text) {
  constexpr std::size_t kShown = 60;
  const std::string whole = as_utf8(std::string(text));
  std::size_t end = std::min(whole.size(), kShown);
  while (end < whole.size() && end > 0 && (static_cast<unsigned char>(whole[end]) & 0xC0U) == 0x80U) --end;
  const std::string shown = without_controls(std::string_view(whole).substr(0, end));
  return end == whole.size() ? "'" + shown + "'" : fmt::format("'{}...' ({} bytes)", shown, text.size());
}

std::string shown_field(std::size_t column, std::string_view name, std::string_view field) {
  const std::string called = trim(name).empty() ? "" : " " + shown_text(trim(name));
  return fmt::format("column {}{} holds {}", column + 1, called, shown_text(field));
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"') quoted += '"';
    quoted += letter;
  }
  return quoted + '"';
}

}  // namespace lab
