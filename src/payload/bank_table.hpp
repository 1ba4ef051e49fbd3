// Account statements of many banks, as rows of one form.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "payload/csv_reader.hpp"

namespace lab {

/// Where a table has what a row is made of.
struct BankColumns {
  std::optional<std::size_t> date{}, amount{}, credit{}, debit{}, currency{}, party{}, purpose{}, balance{};
  std::optional<std::size_t> side{};  // "S" or "H" beside an amount without a sign.
  bool side_unnamed = false;          // Other words in it say nothing.
  bool german = false;                // The words of the amount are: its decimals follow a comma.

  friend bool operator==(const BankColumns&, const BankColumns&) = default;
};

/// Nothing unless the row names a date and an amount, or credits and debits, in English or German.
std::optional<BankColumns> find_bank_columns(const CsvRow& row);

/// "-1.234,56 EUR" as "-1234.56". `german`: points group three digits and a comma is the decimal one;
/// otherwise the other way round. Nothing for what is no such number.
std::optional<std::string> bank_amount(std::string_view text, bool german);

/// "31.12.2024" and "31.12.24" as "2024-12-31", and a time behind it as it is; any other date as it is, since
/// 1/2 is another day in another country. Nothing without a digit, and for a day that no calendar has.
std::optional<std::string> bank_date(std::string_view text);

enum class BankForm : std::uint8_t {
  kStream,  // "date,amount,currency,party,purpose,balance\n"
  kRecord,  // bank_record
};

/// Takes a table in pieces and gives each row of it to the sink, in one piece and in the form asked. What
/// stands before the header, up to 50 lines of a bank's own, and repeated headers are left out. Errors:
/// kCorruption with the label and the line, and the columns with what they hold.
class BankTable {
 public:
  /// `machine_numbers`: decimals follow a point whatever the header's language; so it is in spreadsheets.
  BankTable(std::string label, bool machine_numbers, TextSink sink, BankForm form = BankForm::kStream);
  Status take(std::string_view bytes);
  Status finish();

 private:
  Status begin();  // With what is in head_.
  Status row(const CsvRow& row);
  Error no_date(const CsvRow& row) const;
  Error no_amount(const CsvRow& row) const;
  Error unfit(const CsvRow& row, const Error& error) const;
  std::vector<std::size_t> columns_with(std::string_view field) const;
  std::string shown(const CsvRow& row, std::size_t column) const;

  std::string label_;
  bool machine_numbers_;
  TextSink sink_;
  BankForm form_;
  std::string head_{};
  std::optional<CsvReader> reader_{};
  BankColumns columns_{};
  std::uint64_t header_line_ = 0;
  std::vector<std::string> header_{};
};

}  // namespace lab
