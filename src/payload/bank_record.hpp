// A transaction as one record of typed fields, whatever the bank's own spelling is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace lab {

/// The longest texts of a record, in characters.
inline constexpr std::size_t kBankCurrencyMax = 16;
inline constexpr std::size_t kBankPartyMax = 255;
inline constexpr std::size_t kBankPurposeMax = 2'000;

/// The fields of a record, as its errors name them.
inline constexpr std::string_view kBankDate = "date", kBankAmount = "amount", kBankCurrency = "currency",
                                  kBankParty = "counterparty", kBankPurpose = "purpose",
                                  kBankBalance = "balance";

/// A row of a statement in UTF-8: date and amount as bank_date and bank_amount give them.
struct BankRow {
  std::string date{}, amount{}, currency{}, party{}, purpose{};
  std::string balance{};  // As the amount, other text where it is none, empty where the bank says nothing.
};

/// True for what may stand behind a day: nothing, or a time behind a blank or a T.
bool follows_a_day(std::string_view rest);

/// "2024-12-31\t-12.50\tEUR\tparty\tpurpose\t100.00\n": amounts have two decimals, a balance may be empty,
/// and control characters of texts, line ends for one, are blanks. `binary_numbers`: what stands far behind
/// the decimals is what binary arithmetic leaves there, as in spreadsheets. Errors: kCorruption, saying what
/// is no day, no amount of two decimals or too long, without the place; their operation is the field.
Result<std::string> bank_record(const BankRow& row, bool binary_numbers);

}  // namespace lab
