// time_series: the readings of one device in equal steps of time.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "payload/made_kinds.hpp"
#include "payload/rows.hpp"

namespace lab {
namespace {

constexpr std::uint64_t kEpochMs = 1'577'836'800'000;  // 2020-01-01
constexpr std::uint32_t kStartSeconds = 150'000'000;   // A series begins within almost five years of it.
constexpr std::uint32_t kSteps[] = {1'000, 5'000, 10'000, 60'000};
constexpr std::uint32_t kTemperatureMax = 99'999;  // Thousandths of a degree.
constexpr std::uint32_t kJump = 200;               // How much a reading differs from the last one, at most.
constexpr std::uint32_t kMeterStart = 1'000'000'000;
constexpr std::size_t kRowRoom = 20 + 1 + 16 + 1 + 6 + 1 + 20 + 1;

}  // namespace

void make_time_series(ContentKey key, std::size_t size, std::vector<std::byte>& out) {
  ContentStream random(key, Purpose::kTimeSeries);
  // The first number: unique to the content. With the time, which is unique within it, it tells all rows
  // apart.
  const std::uint64_t device = random.next();
  std::uint64_t time = kEpochMs + std::uint64_t{1'000} * random.below(kStartSeconds);
  const std::uint32_t step = kSteps[random.below(std::size(kSteps))];
  std::uint32_t temperature = random.below(kTemperatureMax + 1);
  std::uint64_t meter = random.below(kMeterStart);
  make_rows(size, kRowRoom, random, out, [&](TextWriter& row) {
    row.number(time).raw(",").hexadecimal(device).raw(",");
    row.number(temperature / 1'000).raw(".").padded(temperature % 1'000, 3).raw(",");
    char* const counted = row.at();
    row.number(meter).raw("\n");
    time += step;
    const std::uint32_t moved = temperature + row.random().below(2 * kJump + 1);
    temperature = std::clamp(moved, kJump, kTemperatureMax + kJump) - kJump;
    meter += row.random().below(64);
    return counted;
  });
}

}  // namespace lab
