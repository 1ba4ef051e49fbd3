// Numbers with a unit: bytes and durations, and their one spelling in plans, flags and output.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace lab {

/// A signed number of bytes. Signed, because sizes are subtracted (after - before) and a
/// negative difference is a finding to report, not an overflow to wrap around.
struct Bytes {
  std::int64_t count = 0;

  friend constexpr auto operator<=>(Bytes, Bytes) = default;
  friend constexpr Bytes operator+(Bytes a, Bytes b) { return {a.count + b.count}; }
  friend constexpr Bytes operator-(Bytes a, Bytes b) { return {a.count - b.count}; }
  constexpr Bytes& operator+=(Bytes other) { return count += other.count, *this; }
};

consteval Bytes operator""_KiB(unsigned long long n) { return {static_cast<std::int64_t>(n) * 1024}; }
consteval Bytes operator""_MiB(unsigned long long n) { return {static_cast<std::int64_t>(n) * 1024 * 1024}; }
consteval Bytes operator""_GiB(unsigned long long n) {
  return {static_cast<std::int64_t>(n) * 1024 * 1024 * 1024};
}

using Millis = std::chrono::milliseconds;
using Micros = std::chrono::microseconds;

/// "128 KiB", "1 GiB", "4096": an integer, then optionally KiB, MiB, GiB or TiB; a bare integer is bytes.
/// Errors: kInvalidArgument for anything else ("4 KB", "1.5 MiB", negative, above 2^62).
Result<Bytes> parse_bytes(std::string_view text);

/// The shortest exact spelling that parse_bytes reads back: "128 KiB", "1000".
std::string format_bytes_exact(Bytes bytes);

/// For the eye, three significant digits: "6.25 MiB".
std::string format_bytes(Bytes bytes);

/// "500ms", "2s", "5h30m", "1m30s": one or more integer + unit (ms, s, m, h, d), larger units first.
/// Errors: kInvalidArgument for anything else, a bare number included.
Result<Millis> parse_duration(std::string_view text);

/// The exact spelling that parse_duration reads back.
std::string format_duration(Millis duration);

}  // namespace lab
