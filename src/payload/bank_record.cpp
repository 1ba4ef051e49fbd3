// SPDX-License-Identifier: Apache-2.0
#include "payload/bank_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/text.hpp"
#include "payload/csv_reader.hpp"

namespace lab {
namespace {

constexpr std::size_t kDayLength = 10;  // "2024-12-31"
constexpr std::size_t kDecimals = 2;
constexpr std::size_t kWholeDigitsMax = 13;  // With the decimals 15, which a double holds too.

/// `field` is the error's operation, so that a table can say where it has it.
Error bad(std::string_view field, std::string detail) {
  return {ErrorCode::kCorruption, std::string(field), std::move(detail)};
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

/// The day of a date that bank_date has let through: a time may follow.
Result<std::string> day_of(const std::string& date) {
  const std::string_view day = std::string_view(date).substr(0, kDayLength);
  constexpr std::string_view kShape = "dddd-dd-dd";
  const bool shaped = day.size() == kDayLength && day[0] != '0' &&
                      std::ranges::equal(day, kShape, [](char letter, char shape) {
                        return shape == 'd' ? is_digit(letter) : letter == shape;
                      });
  const std::string_view rest = std::string_view(date).substr(std::min(kDayLength, date.size()));
  if (shaped && follows_a_day(rest)) return std::string(day);
  return bad(kBankDate,
             fmt::format("{} is no day such as 2024-12-31 or 31.12.2024, with a time behind it or none, as a "
                         "record has",
                         shown_text(date)));
}

/// "-1234.5" as "-1234.50". Nothing without a digit, for more decimals and for numbers of more than 13 digits
/// before them.
std::optional<std::string> fixed(std::string_view amount, bool binary) {
  const bool negative = amount.starts_with('-');
  if (negative) amount.remove_prefix(1);
  if (std::ranges::none_of(amount, is_digit)) return std::nullopt;
  const std::size_t point = std::min(amount.find('.'), amount.size());
  std::string_view whole = amount.substr(0, point);
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  std::string fraction(point == amount.size() ? "" : amount.substr(point + 1));
  if (whole.size() > kWholeDigitsMax || !std::ranges::all_of(whole, is_digit) ||
      !std::ranges::all_of(fraction, is_digit))
    return std::nullopt;
  while (fraction.size() < kDecimals) fraction += '0';
  const std::string_view rest = std::string_view(fraction).substr(kDecimals);
  const bool up = binary && rest.starts_with("9999");
  const bool nothing = rest.find_first_not_of('0') == std::string_view::npos;
  if (!nothing && !up && !(binary && rest.starts_with("0000"))) return std::nullopt;
  std::int64_t hundredths = up ? 1 : 0;
  std::int64_t digits = 0;
  for (const char digit : std::string(whole) + fraction.substr(0, kDecimals))
    digits = digits * 10 + (digit - '0');
  hundredths += digits;
  return fmt::format("{}{}.{:02}", negative && hundredths != 0 ? "-" : "", hundredths / 100,
                     hundredths % 100);
}

Result<std::string> amount_of(std::string_view what, const std::string& text, bool binary) {
  if (auto amount = fixed(text, binary)) return *std::move(amount);
  return bad(what, fmt::format("{} {} is none of up to {} digits and {} decimals, as a record has", what,
                               shown_text(text), kWholeDigitsMax, kDecimals));
}

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char letter) { return (static_cast<unsigned char>(letter) & 0xC0U) != 0x80U; }));
}

/// In one line, so that nothing in it can stand for what is between fields.
Result<std::string> line_of(std::string_view what, std::string text, std::size_t characters_max) {
  std::ranges::replace_if(
      text,
      [](char letter) {
        const auto byte = static_cast<unsigned char>(letter);
        return byte < 0x20 || byte == 0x7F;
      },
      ' ');
  std::string line(trim(text));
  if (const std::size_t characters = characters_in(line); characters > characters_max)
    return bad(what, fmt::format("a {} of {} characters, a record has at most {}", what, characters,
                                 characters_max));
  return line;
}

}  // namespace

bool follows_a_day(std::string_view rest) {
  if (rest.empty()) return true;
  const bool time = rest.size() > 1 && (rest[0] == ' ' || rest[0] == 'T') && is_digit(rest[1]) &&
                    rest.find_first_not_of("0123456789:.,+-TZ ") == std::string_view::npos;
  if (!time) return false;
  const auto parts = split(rest.substr(1), ':');
  constexpr std::array<int, 3> kMost{23, 59, 60};  // Of hours, minutes, and seconds with a leap second.
  for (std::size_t at = 0; at < std::min(parts.size(), kMost.size()); ++at) {
    int number = 0;
    std::from_chars(parts[at].data(), parts[at].data() + std::min<std::size_t>(parts[at].size(), 2), number);
    if (number > kMost[at]) return false;
  }
  return true;
}

Result<std::string> bank_record(const BankRow& row, bool binary_numbers) {
  const auto day = day_of(row.date);
  if (!day) return day.error();
  const auto amount = amount_of(kBankAmount, row.amount, binary_numbers);
  if (!amount) return amount.error();
  const auto currency = line_of(kBankCurrency, row.currency, kBankCurrencyMax);
  if (!currency) return currency.error();
  const auto party = line_of(kBankParty, row.party, kBankPartyMax);
  if (!party) return party.error();
  const auto purpose = line_of(kBankPurpose, row.purpose, kBankPurposeMax);
  if (!purpose) return purpose.error();
  std::string balance;
  if (!row.balance.empty()) {
    auto known = amount_of(kBankBalance, row.balance, binary_numbers);
    if (!known) return known;
    balance = *std::move(known);
  }
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", *day, *amount, *currency, *party, *purpose, balance);
}

}  // namespace lab
