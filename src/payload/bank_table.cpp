// SPDX-License-Identifier: Apache-2.0
#include "payload/bank_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <utility>

#include "core/text.hpp"
#include "payload/bank_record.hpp"

namespace lab {
namespace {

constexpr std::size_t kHeadBytes = 64U << 10U;
constexpr std::size_t kHeadRows = 50;
constexpr std::array<char, 3> kDelimiters = {';', ',', '\t'};

using Column = std::optional<std::size_t> BankColumns::*;

struct ColumnWord {
  std::string_view word{};
  Column column{};
  bool german = false;
};

// Of two words of one column in a header the first one here wins: the day of booking before that of value.
constexpr std::array kWords = {
    ColumnWord{"date", &BankColumns::date},
    ColumnWord{"booking date", &BankColumns::date},
    ColumnWord{"transaction date", &BankColumns::date},
    ColumnWord{"posting date", &BankColumns::date},
    ColumnWord{"buchungstag", &BankColumns::date},
    ColumnWord{"buchungsdatum", &BankColumns::date},
    ColumnWord{"buchung", &BankColumns::date},
    ColumnWord{"datum", &BankColumns::date},
    ColumnWord{"value date", &BankColumns::date},
    ColumnWord{"valutadatum", &BankColumns::date},
    ColumnWord{"wertstellung", &BankColumns::date},
    ColumnWord{"valuta", &BankColumns::date},
    ColumnWord{"amount", &BankColumns::amount},
    ColumnWord{"transaction amount", &BankColumns::amount},
    ColumnWord{"betrag", &BankColumns::amount, true},
    ColumnWord{"umsatz", &BankColumns::amount, true},
    ColumnWord{"credit", &BankColumns::credit},
    ColumnWord{"deposit", &BankColumns::credit},
    ColumnWord{"haben", &BankColumns::credit, true},
    ColumnWord{"gutschrift", &BankColumns::credit, true},
    ColumnWord{"debit", &BankColumns::debit},
    ColumnWord{"withdrawal", &BankColumns::debit},
    ColumnWord{"soll", &BankColumns::debit, true},
    ColumnWord{"lastschrift", &BankColumns::debit, true},
    ColumnWord{"soll haben", &BankColumns::side},
    ColumnWord{"haben soll", &BankColumns::side},
    ColumnWord{"soll haben kennzeichen", &BankColumns::side},
    ColumnWord{"s h", &BankColumns::side},
    ColumnWord{"debit credit", &BankColumns::side},
    ColumnWord{"credit debit", &BankColumns::side},
    ColumnWord{"credit debit indicator", &BankColumns::side},
    ColumnWord{"dr cr", &BankColumns::side},
    ColumnWord{"cr dr", &BankColumns::side},
    ColumnWord{"currency", &BankColumns::currency},
    ColumnWord{"waehrung", &BankColumns::currency},
    ColumnWord{"payee", &BankColumns::party},
    ColumnWord{"payer", &BankColumns::party},
    ColumnWord{"beneficiary", &BankColumns::party},
    ColumnWord{"counterparty", &BankColumns::party},
    ColumnWord{"partner name", &BankColumns::party},
    ColumnWord{"merchant", &BankColumns::party},
    ColumnWord{"name", &BankColumns::party},
    ColumnWord{"beguenstigter zahlungspflichtiger", &BankColumns::party},
    ColumnWord{"auftraggeber beguenstigter", &BankColumns::party},
    ColumnWord{"auftraggeber empfaenger", &BankColumns::party},
    ColumnWord{"name zahlungsbeteiligter", &BankColumns::party},
    ColumnWord{"zahlungsempfaenger", &BankColumns::party},
    ColumnWord{"empfaenger", &BankColumns::party},
    ColumnWord{"beguenstigter", &BankColumns::party},
    ColumnWord{"auftraggeber", &BankColumns::party},
    ColumnWord{"purpose", &BankColumns::purpose},
    ColumnWord{"description", &BankColumns::purpose},
    ColumnWord{"transaction details", &BankColumns::purpose},
    ColumnWord{"details", &BankColumns::purpose},
    ColumnWord{"payment reference", &BankColumns::purpose},
    ColumnWord{"reference", &BankColumns::purpose},
    ColumnWord{"verwendungszweck", &BankColumns::purpose},
    ColumnWord{"zweck", &BankColumns::purpose},
    ColumnWord{"buchungstext", &BankColumns::purpose},
    ColumnWord{"balance", &BankColumns::balance},
    ColumnWord{"saldo nach buchung", &BankColumns::balance},
    ColumnWord{"saldo", &BankColumns::balance},
    ColumnWord{"kontostand", &BankColumns::balance},
};

/// "Empfänger/in " as "empfaenger in", "Betrag (EUR)" as "betrag": letters and digits, blanks between words.
std::string plain_words(const std::string& text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kUmlauts = {
      {{"ä", "ae"}, {"ö", "oe"}, {"ü", "ue"}, {"ß", "ss"}, {"Ä", "ae"}, {"Ö", "oe"}, {"Ü", "ue"}}};
  std::string whole = as_utf8(text);
  for (const auto& [letter, plain] : kUmlauts)
    for (std::size_t at = 0; (at = whole.find(letter, at)) != std::string::npos; at += plain.size())
      whole.replace(at, letter.size(), plain);
  std::vector<std::string> words(1);
  for (const char letter : whole) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x80 && std::isalnum(byte) != 0)
      words.back() += static_cast<char>(std::tolower(byte));
    else if (byte < 0x80 && !words.back().empty())
      words.emplace_back();
  }
  // What a bank adds to a column's name: its currency, or "amt" for amount.
  constexpr std::array<std::string_view, 6> kAdded = {"", "in", "eur", "usd", "gbp", "amt"};
  while (words.size() > 1 && std::ranges::find(kAdded, words.back()) != kAdded.end()) words.pop_back();
  return join(words, " ");
}

std::string field_of(const CsvRow& row, std::optional<std::size_t> column) {
  if (!column || *column >= row.fields.size()) return {};
  return std::string(trim(as_utf8(row.fields[*column])));
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

/// Signs, currencies and blanks around a number, and what is left of it.
struct Bare {
  bool negative = false;
  std::string digits{};  // With points and commas.
};

std::optional<Bare> bare_number(std::string_view text) {
  constexpr std::array<std::string_view, 10> kNoise = {"EUR", "USD", "GBP",    "€",      "$",
                                                       "£",   " ",   "\u00A0", "\u202F", "'"};
  Bare bare;
  bool signed_already = false;
  while (!text.empty()) {
    const auto noise = std::ranges::find_if(kNoise, [&](std::string_view n) { return text.starts_with(n); });
    if (noise != kNoise.end()) {
      text.remove_prefix(noise->size());
      continue;
    }
    const char letter = text.front();
    text.remove_prefix(1);
    if (letter == '-' || letter == '+') {
      if (signed_already) return std::nullopt;
      signed_already = true;
      bare.negative = letter == '-';
    } else if (is_digit(letter) || letter == '.' || letter == ',') {
      bare.digits += letter;
    } else {
      return std::nullopt;
    }
  }
  return bare;
}

/// "1.234.567" in groups of three.
bool well_grouped(std::string_view whole, char group) {
  const auto parts = split(whole, group);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty() || !std::ranges::all_of(parts[i], is_digit)) return false;
    if (parts.size() > 1 && (i == 0 ? parts[i].size() > 3 : parts[i].size() != 3)) return false;
  }
  return true;
}

bool is_zero(std::string_view amount) { return amount.find_first_of("123456789") == std::string_view::npos; }

std::string minus(const std::string& amount) { return amount.starts_with('-') ? amount : "-" + amount; }

/// Whether the word beside an amount says that it was debited. Nothing for a word that says neither.
std::optional<bool> is_debit(const std::string& word) {
  constexpr std::array<std::string_view, 6> kDebit = {"s", "soll", "d", "dr", "debit", "dbit"};
  constexpr std::array<std::string_view, 6> kCredit = {"h", "haben", "c", "cr", "credit", "crdt"};
  const std::string plain = to_lower(word);
  if (std::ranges::find(kDebit, plain) != kDebit.end()) return true;
  if (std::ranges::find(kCredit, plain) != kCredit.end()) return false;
  return std::nullopt;
}

/// The amount of a row: its own column, with the sign that a column of sides gives it, or what was credited
/// less what was debited, of which one is given.
std::optional<std::string> amount_of(const CsvRow& row, const BankColumns& columns, bool german) {
  if (columns.amount) {
    auto amount = bank_amount(field_of(row, columns.amount), german);
    if (!amount || !columns.side) return amount;
    const auto debit = is_debit(field_of(row, columns.side));
    if (!debit) return columns.side_unnamed ? amount : std::nullopt;
    return *debit ? minus(*amount) : *amount;
  }
  const std::string credited = field_of(row, columns.credit);
  const std::string debited = field_of(row, columns.debit);
  auto credit = credited.empty() ? std::string("0") : bank_amount(credited, german);
  const auto debit = debited.empty() ? std::string("0") : bank_amount(debited, german);
  if (!credit || !debit || (credited.empty() && debited.empty())) return std::nullopt;
  if (is_zero(*debit)) return credit;
  if (!is_zero(*credit)) return std::nullopt;
  return minus(*debit);
}

}  // namespace

std::optional<BankColumns> find_bank_columns(const CsvRow& row) {
  BankColumns columns;
  std::vector<std::string> names;
  names.reserve(row.fields.size());
  for (const std::string& field : row.fields) names.push_back(plain_words(field));
  for (const ColumnWord& word : kWords) {
    const auto found = std::ranges::find(names, word.word);
    if (found == names.end() || columns.*word.column) continue;
    columns.*word.column = static_cast<std::size_t>(found - names.begin());
    columns.german = columns.german || word.german;
  }
  // Some banks leave out the name of the side that stands behind the amount.
  if (columns.amount && !columns.side && *columns.amount + 1 < names.size() &&
      names[*columns.amount + 1].empty()) {
    columns.side = *columns.amount + 1;
    columns.side_unnamed = true;
  }
  const bool amounts = columns.amount || (columns.credit && columns.debit);
  return columns.date && amounts ? std::optional(columns) : std::nullopt;
}

std::optional<std::string> bank_amount(std::string_view text, bool german) {
  const char point = german ? ',' : '.';
  const char group = german ? '.' : ',';
  text = trim(text);
  const bool enclosed = text.starts_with('(') && text.ends_with(')');  // An accountant's minus.
  if (enclosed) text = text.substr(1, text.size() - 2);
  auto bare = bare_number(text);
  if (!bare) return std::nullopt;
  const std::size_t at = bare->digits.find(point);
  const std::string whole = bare->digits.substr(0, at);
  const std::string fraction = at == std::string::npos ? "" : bare->digits.substr(at + 1);
  if (!well_grouped(whole, group) || !std::ranges::all_of(fraction, is_digit)) return std::nullopt;
  std::string number = bare->negative != enclosed ? "-" : "";
  std::ranges::copy_if(whole, std::back_inserter(number), is_digit);
  return fraction.empty() ? number : number + "." + fraction;
}

namespace {

/// Of digits.
bool is_day(std::string_view year, std::string_view month, std::string_view day) {
  const auto value = [](std::string_view digits) { return std::stoi(std::string(digits)); };
  return std::chrono::year_month_day{std::chrono::year(value(year)),
                                     std::chrono::month(static_cast<unsigned>(value(month))),
                                     std::chrono::day(static_cast<unsigned>(value(day)))}
      .ok();
}

/// Whether a text that begins like 2024-02-30, or is like 20240230, 30022024 or 02/30/2024, names a day that
/// no calendar has: nothing tells which order the last three are in, so any will do. Other texts stay.
bool is_no_day(std::string_view text) {
  const auto digits = [&](std::size_t from, std::size_t count) {
    return text.size() >= from + count && std::ranges::all_of(text.substr(from, count), is_digit);
  };
  const auto ends = [&](std::size_t at) { return text.size() == at || !is_digit(text[at]); };
  if (digits(0, 4) && digits(5, 2) && digits(8, 2) && text[4] == '-' && text[7] == '-' && ends(10))
    return !is_day(text.substr(0, 4), text.substr(5, 2), text.substr(8, 2));
  const auto day_in_some_order = [&](std::string_view one, std::string_view other, std::string_view year) {
    return is_day(year, one, other) || is_day(year, other, one);
  };
  if (digits(0, 8) && text.size() == 8)
    return !is_day(text.substr(0, 4), text.substr(4, 2), text.substr(6, 2)) &&
           !day_in_some_order(text.substr(0, 2), text.substr(2, 2), text.substr(4, 4));
  if (digits(0, 2) && digits(3, 2) && digits(6, 4) && text[2] == '/' && text[5] == '/' && ends(10))
    return !day_in_some_order(text.substr(0, 2), text.substr(3, 2), text.substr(6, 4));
  return false;
}

}  // namespace

std::optional<std::string> bank_date(std::string_view text) {
  if (std::ranges::none_of(text, is_digit)) return std::nullopt;
  const std::size_t end = std::min(text.find_first_of(" T"), text.size());
  const std::string_view time = text.substr(end);
  const auto parts = split(text.substr(0, end), '.');
  const auto number = [](std::string_view part, std::size_t least, std::size_t most) {
    return part.size() >= least && part.size() <= most && std::ranges::all_of(part, is_digit);
  };
  const bool german = follows_a_day(time) && parts.size() == 3 && number(parts[0], 1, 2) &&
                      number(parts[1], 1, 2) && (number(parts[2], 2, 2) || number(parts[2], 4, 4));
  if (!german) return is_no_day(text) ? std::nullopt : std::optional(std::string(text));
  // Of two digits as POSIX reads them (strptime, %y): from 69 on of the last century.
  const char* const century = parts[2].size() == 4 ? "" : parts[2] >= "69" ? "19" : "20";
  const std::string year = century + std::string(parts[2]);
  if (!is_day(year, parts[1], parts[0])) return std::nullopt;
  return fmt::format("{}-{:0>2}-{:0>2}{}", year, parts[1], parts[0], time);
}

BankTable::BankTable(std::string label, bool machine_numbers, TextSink sink, BankForm form)
    : label_(std::move(label)), machine_numbers_(machine_numbers), sink_(std::move(sink)), form_(form) {}

Status BankTable::take(std::string_view bytes) {
  if (reader_) return reader_->take(bytes);
  head_ += bytes;
  return head_.size() < kHeadBytes ? ok() : begin();
}

Status BankTable::begin() {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";  // Of UTF-8, by spreadsheets.
  if (head_.starts_with(kMark)) head_.erase(0, kMark.size());
  for (const char delimiter : kDelimiters)
    for (const CsvRow& row : first_rows(head_, delimiter, kHeadRows)) {
      const auto columns = find_bank_columns(row);
      if (!columns) continue;
      columns_ = *columns;
      header_line_ = row.line;
      header_ = row.fields;
      reader_.emplace(label_, delimiter, [this](const CsvRow& next) { return this->row(next); });
      return reader_->take(std::exchange(head_, {}));
    }
  return Error{ErrorCode::kCorruption, "payload.table",
               fmt::format("{}: no header with a date and an amount in its first {} lines, such as "
                           "'Date,Amount' or 'Buchungstag;Betrag'",
                           label_, kHeadRows)};
}

Status BankTable::finish() {
  if (!reader_) {
    if (trim(head_).empty()) return ok();
    LAB_TRY(begin());
  }
  return reader_->finish();
}

std::string BankTable::shown(const CsvRow& row, std::size_t column) const {
  const std::string_view field = column < row.fields.size() ? row.fields[column] : std::string_view{};
  return shown_field(column, header_[column], field);
}

Error BankTable::no_date(const CsvRow& row) const {
  return {ErrorCode::kCorruption, "payload.table",
          fmt::format("{}:{}: no date in this row: {}; a date is a day of the calendar, as 2024-12-31 or "
                      "31.12.2024, with a time behind it or none",
                      label_, row.line, shown(row, *columns_.date))};
}

Error BankTable::no_amount(const CsvRow& row) const {
  std::vector<std::string> held{shown(row, columns_.amount ? *columns_.amount : *columns_.credit)};
  if (!columns_.amount) held.push_back(shown(row, *columns_.debit));
  if (columns_.amount && columns_.side) held.push_back(shown(row, *columns_.side));
  const bool german = columns_.german && !machine_numbers_;
  const char* const side = !columns_.amount ? "; one of the two is an amount and the other empty or zero"
                           : columns_.side  ? ", with S or H, or the like, in its column"
                                            : "";
  return {ErrorCode::kCorruption, "payload.table",
          fmt::format("{}:{}: no amount in this row: {}; an amount is as {}{}", label_, row.line,
                      join(held, ", "), german ? "-1.234,56, with a comma before the decimals" : "-1,234.56",
                      side)};
}

std::vector<std::size_t> BankTable::columns_with(std::string_view field) const {
  const std::pair<std::string_view, std::optional<std::size_t>> all[] = {
      {kBankDate, columns_.date},    {kBankAmount, columns_.amount},   {kBankAmount, columns_.credit},
      {kBankAmount, columns_.debit}, {kBankAmount, columns_.side},     {kBankCurrency, columns_.currency},
      {kBankParty, columns_.party},  {kBankPurpose, columns_.purpose}, {kBankBalance, columns_.balance}};
  std::vector<std::size_t> found;
  for (const auto& [name, column] : all)
    if (name == field && column) found.push_back(*column);
  return found;
}

/// What a record cannot have, with what the file says there: "1,234" is "1.234" by now.
Error BankTable::unfit(const CsvRow& row, const Error& error) const {
  std::vector<std::string> held;
  for (const std::size_t column : columns_with(error.operation)) held.push_back(shown(row, column));
  return {error.code, "payload.table",
          fmt::format("{}:{}: {}: {}", label_, row.line, join(held, ", "), error.detail)};
}

Status BankTable::row(const CsvRow& row) {
  if (row.line <= header_line_) return ok();
  const bool german = columns_.german && !machine_numbers_;
  if (std::ranges::all_of(row.fields, [](const std::string& field) { return trim(field).empty(); }))
    return ok();
  // A decimal comma between commas, for one: the amount would be another one.
  for (std::size_t field = header_.size(); field < row.fields.size(); ++field)
    if (!trim(row.fields[field]).empty())
      return Error{ErrorCode::kCorruption, "payload.table",
                   fmt::format("{}:{}: {} fields, and the header has {}: {}", label_, row.line,
                               row.fields.size(), header_.size(), shown_field(field, "", row.fields[field]))};
  const auto date = bank_date(field_of(row, columns_.date));
  const auto amount = amount_of(row, columns_, german);
  if ((!date || !amount) && find_bank_columns(row) == columns_) return ok();
  if (!date) return no_date(row);
  if (!amount) return no_amount(row);
  const std::string balance_text = field_of(row, columns_.balance);
  const std::string balance = bank_amount(balance_text, german).value_or(balance_text);
  const BankRow all{.date = *date,
                    .amount = *amount,
                    .currency = field_of(row, columns_.currency),
                    .party = field_of(row, columns_.party),
                    .purpose = field_of(row, columns_.purpose),
                    .balance = balance};
  if (form_ == BankForm::kStream)
    return sink_(fmt::format("{},{},{},{},{},{}\n", csv_field(all.date), all.amount, csv_field(all.currency),
                             csv_field(all.party), csv_field(all.purpose), csv_field(all.balance)));
  const auto record = bank_record(all, machine_numbers_);
  if (record) return sink_(*record);
  return unfit(row, record.error());
}

}  // namespace lab
