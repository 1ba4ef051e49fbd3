// synthetic_transactions: payments in the order of their time.
// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "core/random.hpp"
#include "payload/made_kinds.hpp"
#include "payload/rows.hpp"

namespace lab {
namespace {

constexpr std::uint64_t kEpoch = 1'577'836'800;       // 2020-01-01
constexpr std::uint32_t kStartSeconds = 150'000'000;  // The first payment is within almost five years of it.
constexpr std::uint64_t kSpan = 7'000'000'000;  // Then time starts again, before years have five digits.
constexpr std::uint32_t kPause = 600;           // Seconds between two payments, at most.
constexpr std::uint32_t kAccounts = 1'000'000;
constexpr std::uint64_t kAccountNumbers = 1'000'000'000'000;  // Twelve digits.
constexpr std::uint32_t kCentsMax = 100'000'000;
constexpr std::uint32_t kBalanceMax = 1'000'000'000;
constexpr std::string_view kCurrencies[] = {"EUR", "EUR", "EUR", "EUR", "USD", "USD", "GBP", "CHF"};
constexpr std::size_t kRowRoom = static_cast<std::size_t>(kSmallestTransactions.count) + 2 * sizeof(Word);

void write_time(TextWriter& row, std::uint64_t seconds) {
  const std::chrono::sys_seconds at{std::chrono::seconds{static_cast<std::int64_t>(seconds)}};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const auto of_day = static_cast<std::uint64_t>((at - day).count());
  row.padded(static_cast<std::uint64_t>(static_cast<int>(date.year())), 4).raw("-");
  row.padded(static_cast<unsigned>(date.month()), 2).raw("-").padded(static_cast<unsigned>(date.day()), 2);
  row.raw(" ").padded(of_day / 3'600, 2).raw(":").padded(of_day / 60 % 60, 2).raw(":").padded(of_day % 60, 2);
}

void write_account(TextWriter& row) {
  row.raw(",").padded(mix64(row.random().below(kAccounts)) % kAccountNumbers, 12);
}

}  // namespace

void make_synthetic_transactions(ContentKey key, std::size_t size, std::vector<std::byte>& out) {
  ContentStream random(key, Purpose::kTransactions);
  std::uint64_t seconds = random.below(kStartSeconds);
  make_rows(size, kRowRoom, random, out, [&](TextWriter& row) {
    // Two numbers in a row occur in one place of one content only.
    row.hexadecimal(row.random().next());
    row.hexadecimal(row.random().next()).raw(",");
    write_time(row, kEpoch + seconds);
    seconds = (seconds + row.random().below(kPause)) % kSpan;
    write_account(row);
    write_account(row);
    const std::uint32_t cents = row.random().below(kCentsMax) >> row.random().below(16);  // Mostly small.
    row.raw(",").number(cents / 100).raw(".").padded(cents % 100, 2).raw(",");
    row.raw(kCurrencies[row.random().below(std::size(kCurrencies))]).raw(",");
    row.word(WordClass::kAdjective).raw(" ").word(WordClass::kNoun).raw(",");
    char* const balance = row.at();
    row.number(row.random().below(kBalanceMax)).raw("\n");
    return balance;
  });
}

}  // namespace lab
