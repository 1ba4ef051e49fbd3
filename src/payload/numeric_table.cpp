// SPDX-License-Identifier: Apache-2.0
#include "payload/numeric_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/text.hpp"

namespace lab {
namespace {

constexpr std::size_t kHeadBytes = 64U << 10U;
constexpr std::size_t kHeadRows = 50;
constexpr std::array<char, 4> kDelimiters = {';', '\t', ',', ' '};
// What stands where a value is missing, so that it is the same bytes everywhere.
constexpr std::uint64_t kMissing = 0x7FF8'0000'0000'0000ULL;

bool is_missing(std::string_view text) {
  constexpr std::array<std::string_view, 10> kWords = {"",    "NA",   "N/A",  "nan", "NaN",
                                                       "NAN", "null", "NULL", "?",   "-"};
  return std::ranges::find(kWords, text) != kWords.end();
}

std::vector<std::size_t> numbers_in(const CsvRow& row, bool comma) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < row.fields.size(); ++i)
    if (table_number(trim(row.fields[i]), comma)) columns.push_back(i);
  return columns;
}

/// Columns whose value is missing in `first` and that have numbers, and nothing else, in other rows from
/// there on.
std::vector<std::size_t> numbers_behind(const CsvRow& first, const std::vector<CsvRow>& rows, bool comma) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < first.fields.size(); ++i) {
    bool numbers = false;
    const bool plain = std::ranges::all_of(rows, [&](const CsvRow& row) {
      if (row.line < first.line || i >= row.fields.size()) return true;
      const std::string_view text = trim(row.fields[i]);
      const bool number = table_number(text, comma).has_value();
      numbers = numbers || number;
      return number || is_missing(text);
    });
    if (plain && numbers && is_missing(trim(first.fields[i]))) columns.push_back(i);
  }
  return columns;
}

bool is_comment(const CsvRow& row) {
  return !row.fields.empty() && trim(row.fields.front()).starts_with('#');
}

}  // namespace

std::optional<double> table_number(std::string_view text, bool comma) {
  std::string pointed(text);
  if (comma && text.find('.') == std::string_view::npos) std::ranges::replace(pointed, ',', '.');
  const std::string_view digits = pointed.starts_with('+') ? std::string_view(pointed).substr(1) : pointed;
  double number = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (code != std::errc{} || end != digits.data() + digits.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

std::string number_bytes(double number) {
  const auto bits = std::isnan(number) ? kMissing : std::bit_cast<std::uint64_t>(number);
  std::string bytes(sizeof(bits), '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bits >> (8 * i));
  return bytes;
}

Status NumericTable::take(std::string_view bytes) {
  if (reader_) return reader_->take(bytes);
  head_ += bytes;
  return head_.size() < kHeadBytes ? ok() : begin();
}

Status NumericTable::begin() {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";  // Of UTF-8, by spreadsheets.
  if (head_.starts_with(kMark)) head_.erase(0, kMark.size());
  char best = '\0';
  std::size_t words_beside = 0;  // Fields of that row which are no numbers.
  for (const char delimiter : kDelimiters) {
    std::vector<CsvRow> rows = first_rows(head_, delimiter, kHeadRows);
    std::erase_if(rows, is_comment);
    const CsvRow* above = nullptr;
    for (const CsvRow& row : rows) {
      // Of a single column nobody can tell what its commas are.
      const bool comma = delimiter != ',' && row.fields.size() > 1;
      auto columns = numbers_in(row, comma);
      if (columns.empty()) {
        above = &row;
        continue;
      }
      const auto behind = numbers_behind(row, rows, comma);
      columns.insert(columns.end(), behind.begin(), behind.end());
      std::ranges::sort(columns);
      // "1,5 2,5" has two numbers between blanks, and two with words between them between commas.
      const std::size_t words = row.fields.size() - columns.size();
      if (columns.size() > columns_.size() || (columns.size() == columns_.size() && words < words_beside)) {
        columns_ = std::move(columns);
        words_beside = words;
        fields_ = std::max(row.fields.size(), above == nullptr ? 0 : above->fields.size());
        first_line_ = row.line;
        header_ = above == nullptr ? std::vector<std::string>{} : above->fields;
        comma_ = comma;
        best = delimiter;
      }
      break;
    }
  }
  if (columns_.empty())
    return Error{ErrorCode::kCorruption, "payload.table",
                 fmt::format("{}: no number in its first {} lines", label_, kHeadRows)};
  reader_.emplace(label_, best, [this](const CsvRow& next) { return this->row(next); });
  return reader_->take(std::exchange(head_, {}));
}

Status NumericTable::finish() {
  if (!reader_) {
    if (trim(head_).empty()) return ok();
    LAB_TRY(begin());
  }
  return reader_->finish();
}

std::string_view NumericTable::name_of(std::size_t column) const {
  return column < header_.size() ? std::string_view(header_[column]) : std::string_view{};
}

Status NumericTable::row(const CsvRow& row) {
  if (row.line < first_line_ || is_comment(row)) return ok();
  for (std::size_t field = fields_; field < row.fields.size(); ++field)
    if (!trim(row.fields[field]).empty())
      return Error{ErrorCode::kCorruption, "payload.table",
                   fmt::format("{}:{}: {} fields, and the first row has {}: {}", label_, row.line,
                               row.fields.size(), fields_, shown_field(field, "", row.fields[field]))};
  std::string bytes;
  for (const std::size_t column : columns_) {
    const std::string_view text = column < row.fields.size() ? trim(row.fields[column]) : std::string_view{};
    const auto number = is_missing(text) ? std::optional(std::nan("")) : table_number(text, comma_);
    if (!number)
      return Error{
          ErrorCode::kCorruption, "payload.table",
          fmt::format("{}:{}: {}, which is not a number such as 1234.5{} or 1e-3, nor a missing one", label_,
                      row.line, shown_field(column, name_of(column), text), comma_ ? ", 1234,5" : "")};
    bytes += number_bytes(*number);
  }
  return sink_(bytes);
}

}  // namespace lab
