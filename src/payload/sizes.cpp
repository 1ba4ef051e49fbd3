// Portable floating-point functions and the three size laws.
// SPDX-License-Identifier: Apache-2.0
#include "payload/sizes.hpp"

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>

namespace lab {
namespace {

// Extra precision inside an expression would make its result depend on the machine.
static_assert(FLT_EVAL_METHOD == 0 && DBL_MANT_DIG == 53,
              "IEEE 754 double arithmetic without extra precision");

constexpr double kLn2 = 0x1.62e42fefa39efp-1;
// ln 2 in two parts; the first has 20 trailing zero bits, so that its product with an exponent is exact.
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kSqrtHalf = 0x1.6a09e667f3bcdp-1;
constexpr std::int64_t kExponentBias = 1023;

constexpr std::int64_t kLognormalCut = 1024;  // Sizes lie within [median / cut, median * cut].

/// 2^exponent. Precondition: -1022 <= exponent <= 1023.
double power_of_two(std::int64_t exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + kExponentBias) << 52U);
}

/// A draw from the standard normal distribution (Marsaglia's polar method).
double standard_normal(ContentStream& random) {
  const auto unit = [&] { return static_cast<double>(random.next() >> 11U) * 0x1.0p-53; };
  while (true) {
    const double x = 2 * unit() - 1;
    const double y = 2 * unit() - 1;
    const double square = x * x + y * y;
    if (square > 0 && square < 1)
      return x * portable_exp(portable_log(-2 * portable_log(square) / square) / 2);
  }
}

std::uint64_t below(std::uint64_t bound, ContentStream& random) {
  // 64 bits of draw over at most 2^40 sizes: the bias is below 2^-24 of a size's share.
  return static_cast<std::uint64_t>((static_cast<Uint128>(random.next()) * bound) >> 64U);
}

}  // namespace

double portable_log(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<std::int64_t>(bits >> 52U) - kExponentBias + 1;
  // The mantissa as a number in [0.5, 1), then in [sqrt(0.5), sqrt(2)), where the series is short.
  double mantissa = std::bit_cast<double>((bits & 0x000F'FFFF'FFFF'FFFFULL) | 0x3FE0'0000'0000'0000ULL);
  if (mantissa < kSqrtHalf) {
    mantissa *= 2;
    exponent -= 1;
  }
  // ln m = 2 artanh((m - 1) / (m + 1)); |t| < 0.172, so the term after t^23 is below 1e-19.
  const double t = (mantissa - 1) / (mantissa + 1);
  const double square = t * t;
  double sum = 0;
  for (int power = 23; power >= 1; power -= 2) sum = sum * square + 1.0 / power;
  const auto whole = static_cast<double>(exponent);
  return whole * kLn2High + (whole * kLn2Low + 2 * t * sum);
}

double portable_exp(double x) {
  x = std::clamp(x, -700.0, 700.0);
  const double scaled = x / kLn2;
  const auto exponent = static_cast<std::int64_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  const auto whole = static_cast<double>(exponent);
  const double rest = (x - whole * kLn2High) - whole * kLn2Low;
  // Taylor in Horner form; |rest| < 0.35, so the term after rest^15 is below 1e-20.
  double sum = 1;
  for (int term = 15; term >= 1; --term) sum = 1 + sum * rest / term;
  return sum * power_of_two(exponent);
}

double portable_power(double base, double exponent) { return portable_exp(exponent * portable_log(base)); }

SizeRange size_range(const SizeLaw& law, Bytes floor) {
  switch (law.kind) {
    case SizeLaw::Kind::kFixed:
      return {law.low, law.low};
    case SizeLaw::Kind::kUniform:
      return {law.low, law.high};
    case SizeLaw::Kind::kLognormal:
      return {std::max(Bytes{law.low.count / kLognormalCut}, floor), Bytes{law.low.count * kLognormalCut}};
    case SizeLaw::Kind::kRecord:
      break;  // Of real data alone, which draws no sizes.
  }
  return {law.low, law.low};
}

Bytes drawn_size(const SizeLaw& law, ContentKey key, Bytes floor) {
  const SizeRange range = size_range(law, floor);
  ContentStream random(key, Purpose::kSize);
  switch (law.kind) {
    case SizeLaw::Kind::kFixed:
    case SizeLaw::Kind::kRecord:
      break;
    case SizeLaw::Kind::kUniform: {
      const auto sizes = static_cast<std::uint64_t>((range.largest - range.smallest).count) + 1;
      return range.smallest + Bytes{static_cast<std::int64_t>(below(sizes, random))};
    }
    case SizeLaw::Kind::kLognormal: {
      const double size =
          static_cast<double>(law.low.count) * portable_exp(law.sigma * standard_normal(random));
      if (size >= static_cast<double>(range.largest.count)) return range.largest;
      return std::max(range.smallest, Bytes{static_cast<std::int64_t>(std::floor(size + 0.5))});
    }
  }
  return range.smallest;
}

}  // namespace lab
