// Rows of text tables as banks and laboratories write them: RFC 4180 with any delimiter, in pieces.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace lab {

struct CsvRow {
  std::uint64_t line = 0;  // On which it begins, from 1.
  std::vector<std::string> fields{};
};
using TextSink = std::function<Status(std::string_view text)>;
using CsvSink = std::function<Status(const CsvRow&)>;

/// A field in double quotes may hold delimiters, line ends and doubled quotes. Lines without a character are
/// no rows. As a delimiter a blank is a run of blanks and tabs. Errors: kCorruption with `label` and the
/// line, for a quote that does not end and a row above 1 MiB; those of the sink.
class CsvReader {
 public:
  CsvReader(std::string label, char delimiter, CsvSink sink)
      : label_(std::move(label)), delimiter_(delimiter), sink_(std::move(sink)) {}

  Status take(std::string_view bytes);
  Status finish();

 private:
  enum class In : std::uint8_t { kFieldStart, kPlain, kQuoted, kQuoteInQuoted };

  Status letter(char letter);
  void end_field();
  Status end_row();

  std::string label_;
  char delimiter_;
  CsvSink sink_;
  In in_ = In::kFieldStart;
  bool after_return_ = false;  // The letter before was a carriage return outside of quotes.
  std::uint64_t line_ = 1;
  std::size_t row_bytes_ = 0;
  std::string field_{};
  CsvRow row_{.line = 1};
};

/// The first rows of `head`, for a look at what a table is; where it is cut or broken, those before.
std::vector<CsvRow> first_rows(std::string_view head, char delimiter, std::size_t rows_max);

/// Text in UTF-8: as it is, or from Windows-1252 (which has the letters of Latin-1) where it is not UTF-8.
std::string as_utf8(std::string text);

/// "column 3 'Betrag' holds '12,x'": a field as it was read, for messages: control characters written out,
/// and what is long cut. `name` is the header's, empty where there is none; `column` counts from 0.
std::string shown_field(std::size_t column, std::string_view name, std::string_view field);

/// The same of a text alone: "'12,x'".
std::string shown_text(std::string_view text);

/// A field for a line of CSV: in quotes where it needs them.
std::string csv_field(std::string_view text);

}  // namespace lab
