// Parsing and printing of sizes and durations: integers and a unit, nothing else.
// SPDX-License-Identifier: Apache-2.0
#include "core/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace lab {
namespace {

struct NamedFactor {
  std::string_view name{};
  std::int64_t factor = 1;
};

constexpr std::array<NamedFactor, 4> kByteUnits{
    {{"TiB", 1LL << 40}, {"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10}}};
constexpr std::array<NamedFactor, 5> kTimeUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::int64_t kLargest = 1LL << 62;
constexpr std::int64_t kLongestMs = 36'500LL * 86'400'000;  // Now and this long is still a time point.

/// Takes a leading unsigned decimal integer off `text`; nothing when there is none or it is too large.
std::optional<std::int64_t> take_integer(std::string_view& text) {
  std::int64_t value = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || value > kLargest) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

Error bad(std::string_view what, std::string_view text, std::string_view want) {
  return {ErrorCode::kInvalidArgument, "units", fmt::format("'{}' is not a {}: write {}", text, what, want)};
}

}  // namespace

Result<Bytes> parse_bytes(std::string_view text) {
  constexpr std::string_view kWant =
      "an integer and KiB, MiB, GiB or TiB, as in \"128 KiB\"; a bare integer is bytes";
  std::string_view rest = text;
  const auto number = take_integer(rest);
  if (!number) return bad("size", text, kWant);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (rest.empty()) return Bytes{*number};
  for (const auto& unit : kByteUnits)
    if (rest == unit.name) {
      if (*number > kLargest / unit.factor) return bad("size", text, "less than 4194304 TiB");
      return Bytes{*number * unit.factor};
    }
  return bad("size", text, kWant);
}

std::string format_bytes_exact(Bytes bytes) {
  for (const auto& unit : kByteUnits)
    if (bytes.count != 0 && bytes.count % unit.factor == 0)
      return fmt::format("{} {}", bytes.count / unit.factor, unit.name);
  return fmt::format("{}", bytes.count);
}

std::string format_bytes(Bytes bytes) {
  const double size = static_cast<double>(bytes.count);
  for (const auto& unit : kByteUnits) {
    const double scaled = size / static_cast<double>(unit.factor);
    const double length = std::abs(scaled);
    // 9.996 rounds to two digits before the point, so it gets one behind it.
    if (length >= 1.0)
      return fmt::format("{:.{}f} {}", scaled, length < 9.995 ? 2 : length < 99.95 ? 1 : 0, unit.name);
  }
  return fmt::format("{} B", bytes.count);
}

Result<Millis> parse_duration(std::string_view text) {
  constexpr std::string_view kWant = "integers with d, h, m, s or ms, as in \"5h30m\" or \"500ms\"";
  std::string_view rest = text;
  std::int64_t total_ms = 0;
  std::int64_t smallest_so_far = std::numeric_limits<std::int64_t>::max();
  if (rest.empty()) return bad("duration", text, kWant);
  while (!rest.empty()) {
    const auto number = take_integer(rest);
    const std::size_t length = std::min(rest.find_first_of("0123456789"), rest.size());
    const std::string_view name = rest.substr(0, length);
    rest.remove_prefix(length);
    const NamedFactor* found = nullptr;
    for (const auto& unit : kTimeUnits)
      if (name == unit.name) found = &unit;
    if (!number || found == nullptr || found->factor >= smallest_so_far) return bad("duration", text, kWant);
    if (*number > (kLongestMs - total_ms) / found->factor) return bad("duration", text, "at most 36500d");
    smallest_so_far = found->factor;
    total_ms += *number * found->factor;
  }
  return Millis{total_ms};
}

std::string format_duration(Millis duration) {
  std::int64_t rest = duration.count();
  if (rest <= 0) return "0ms";
  std::string text;
  for (const auto& unit : kTimeUnits) {
    if (rest >= unit.factor) text += fmt::format("{}{}", rest / unit.factor, unit.name);
    rest %= unit.factor;
  }
  return text;
}

}  // namespace lab
