// Tables of measurements, as the numbers that are in them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payload/csv_reader.hpp"

namespace lab {

/// "1.5", "-3e8", and with `comma` "1,5". Nothing for anything else, infinity and "nan" included.
std::optional<double> table_number(std::string_view text, bool comma);

/// The 8 bytes of an IEEE 754 double, little-endian.
std::string number_bytes(double number);

/// Takes a table in pieces and gives the numbers of each row at once, number_bytes after number_bytes. Its
/// delimiter is that of ; tab , and blanks which gives the most columns, and then the fewest words beside
/// them. Its columns are those that hold a number in the first row that has any, and those that lack a value
/// there and hold nothing but numbers below, as far as the first 50 rows tell; what stands before is a
/// header. A field without a value there (empty, NA, NaN, null, ?) is a quiet NaN. Errors: kCorruption with
/// the label, line, column and what it holds, for other text, and for a table without numbers.
class NumericTable {
 public:
  NumericTable(std::string label, TextSink sink) : label_(std::move(label)), sink_(std::move(sink)) {}
  Status take(std::string_view bytes);
  Status finish();

 private:
  Status begin();
  Status row(const CsvRow& row);
  std::string_view name_of(std::size_t column) const;

  std::string label_;
  TextSink sink_;
  std::string head_{};
  std::optional<CsvReader> reader_{};
  bool comma_ = false;                  // Decimals may follow a comma.
  std::vector<std::string> header_{};   // The row above, where there is one.
  std::uint64_t first_line_ = 0;        // Of the first row with numbers.
  std::size_t fields_ = 0;              // Of that row, or of the one above, whichever has more.
  std::vector<std::size_t> columns_{};  // That hold numbers.
};

}  // namespace lab
