// Names, laws and seeds of datasets: what is written here decides bytes, so it never changes in silence.
// SPDX-License-Identifier: Apache-2.0
#include "model/dataset.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "core/text.hpp"

namespace lab {
namespace {

constexpr Bytes kLargestObject{1LL << 40};
constexpr double kLognormalCut = 1024.0;  // Sizes lie within [median / cut, median * cut].
constexpr std::string_view kRecord = "record";
constexpr double kSigmaMin = 0.01;
constexpr double kSigmaMax = 5.0;

Error bad(std::string_view operation, std::string detail) {
  return {ErrorCode::kInvalidArgument, std::string(operation), std::move(detail)};
}

/// A plain decimal number ("1.5"); nothing for signs, exponents, inf and nan.
std::optional<double> parse_decimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

double normal_below(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

/// Mean of exp(N(0, sigma)) clamped to [1 / cut, cut].
double clamped_lognormal_mean(double sigma) {
  const double edge = std::log(kLognormalCut);
  const double at_edges =
      normal_below(-edge / sigma) / kLognormalCut + normal_below(-edge / sigma) * kLognormalCut;
  const double between =
      normal_below((edge - sigma * sigma) / sigma) - normal_below((-edge - sigma * sigma) / sigma);
  return at_edges + std::exp(sigma * sigma / 2) * between;
}

Error bad_size(std::string_view text, std::string_view why) {
  return bad("size",
             fmt::format("'{}' is not an object size: {}; write \"128 KiB\", \"uniform:4 KiB:1 MiB\", "
                         "\"lognormal:64 KiB:1.5\" or, of real data, \"record\"",
                         text, why));
}

/// A size that one object can have.
Result<Bytes> parse_object_bytes(std::string_view whole, std::string_view part) {
  const auto bytes = parse_bytes(part);
  if (!bytes) return bad_size(whole, fmt::format("'{}' is not an integer with KiB, MiB, GiB or TiB", part));
  if (*bytes < Bytes{1} || *bytes > kLargestObject) return bad_size(whole, "an object has 1 byte to 1 TiB");
  return *bytes;
}

}  // namespace

std::string_view to_string(Order order) noexcept {
  switch (order) {
    case Order::kShuffled:
      return "shuffled";
    case Order::kAdjacent:
      return "adjacent";
    case Order::kDistant:
      return "distant";
    case Order::kAlternate:
      return "alternate";
  }
  return "shuffled";
}

std::string_view to_string(Placement placement) noexcept {
  return placement == Placement::kWithin ? "within" : "across";
}

Result<Order> parse_order(std::string_view text) {
  std::vector<std::string> names;
  for (const Order order : {Order::kShuffled, Order::kAdjacent, Order::kDistant, Order::kAlternate}) {
    if (text == to_string(order)) return order;
    names.emplace_back(to_string(order));
  }
  return bad("order", fmt::format("'{}' is not an order{}", text, suggestion(text, names)));
}

Result<Placement> parse_placement(std::string_view text) {
  if (text == "within") return Placement::kWithin;
  if (text == "across") return Placement::kAcross;
  const std::vector<std::string> names{"within", "across"};
  return bad("placement", fmt::format("'{}' is not a placement{}", text, suggestion(text, names)));
}

Result<int> parse_grade(std::string_view text) {
  int grade = 0;
  const bool shaped =
      text.size() >= 2 && text.size() <= 3 && text[0] == 'U' && !(text.size() == 3 && text[1] == '0');
  if (shaped) {
    const auto [end, code] = std::from_chars(text.data() + 1, text.data() + text.size(), grade);
    if (code == std::errc{} && end == text.data() + text.size() && grade >= 0) return grade;
  }
  return bad("grade",
             fmt::format("'{}' is not a grade: write U and an integer from 0 to 99, as in \"U50\"", text));
}

std::string grade_name(int grade) { return fmt::format("U{}", grade); }

Bytes SizeLaw::mean() const {
  LAB_CHECK(sets_size(), "a record alone knows its length");
  switch (kind) {
    case Kind::kFixed:
      return low;
    case Kind::kUniform:
      return {low.count + (high.count - low.count + 1) / 2};
    case Kind::kLognormal:
      return {std::llround(static_cast<double>(low.count) * clamped_lognormal_mean(sigma))};
    case Kind::kRecord:
      break;
  }
  return low;
}

Result<SizeLaw> parse_size_law(std::string_view text) {
  const auto parts = split(text, ':');
  SizeLaw law;
  if (text == kRecord) {
    law.kind = SizeLaw::Kind::kRecord;
    return law;
  }
  if (parts.size() == 1) {
    const auto size = parse_object_bytes(text, text);
    if (!size) return size.error();
    law.low = *size;
    return law;
  }
  const bool uniform = parts[0] == "uniform";
  if (!uniform && parts[0] != "lognormal") return bad_size(text, fmt::format("'{}' is not a law", parts[0]));
  if (parts.size() != 3) return bad_size(text, "a law has two numbers");
  const auto first = parse_object_bytes(text, parts[1]);
  if (!first) return first.error();
  law.low = *first;
  if (uniform) {
    const auto second = parse_object_bytes(text, parts[2]);
    if (!second) return second.error();
    if (*second < *first) return bad_size(text, "the largest size is below the smallest");
    law.kind = SizeLaw::Kind::kUniform;
    law.high = *second;
    return law;
  }
  const auto sigma = parse_decimal(parts[2]);
  if (!sigma || *sigma < kSigmaMin || *sigma > kSigmaMax)
    return bad_size(text, "sigma is a number from 0.01 to 5");
  law.kind = SizeLaw::Kind::kLognormal;
  law.sigma = *sigma;
  return law;
}

std::string to_string(const SizeLaw& law) {
  switch (law.kind) {
    case SizeLaw::Kind::kFixed:
      return format_bytes_exact(law.low);
    case SizeLaw::Kind::kUniform:
      return fmt::format("uniform:{}:{}", format_bytes_exact(law.low), format_bytes_exact(law.high));
    case SizeLaw::Kind::kLognormal:
      return fmt::format("lognormal:{}:{}", format_bytes_exact(law.low), law.sigma);
    case SizeLaw::Kind::kRecord:
      return std::string(kRecord);
  }
  return {};
}

Result<Popularity> parse_popularity(std::string_view text) {
  constexpr std::string_view kZipf = "zipf:";
  constexpr std::string_view kCounts = "counts:";
  if (text == "even") return Popularity{};
  if (text.starts_with(kZipf)) {
    const auto exponent = parse_decimal(text.substr(kZipf.size()));
    if (exponent && *exponent >= 0.01 && *exponent <= 10) return Popularity{*exponent};
  }
  if (text.starts_with(kCounts) && text.size() > kCounts.size())
    return Popularity{.counts_file = std::string(text.substr(kCounts.size()))};
  return bad(
      "popularity",
      fmt::format("'{}' is not a popularity: write \"even\", \"zipf:1.2\" (0.01 to 10) or \"counts:FILE\"",
                  text));
}

std::string to_string(const Popularity& popularity) {
  if (!popularity.counts_file.empty()) return "counts:" + popularity.counts_file;
  return popularity.zipf_exponent > 0 ? fmt::format("zipf:{}", popularity.zipf_exponent) : "even";
}

Result<std::optional<int>> parse_compressible(std::string_view text) {
  constexpr int kLeast = 200;
  constexpr int kMost = 990;
  constexpr std::string_view kPoint = "0.";
  const std::string_view digits = text.starts_with(kPoint) ? text.substr(kPoint.size()) : std::string_view{};
  int thousandths = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), thousandths);
  const bool shaped = code == std::errc{} && end == digits.data() + digits.size() && digits.size() <= 3 &&
                      !digits.starts_with('-');
  for (std::size_t length = digits.size(); length < 3; ++length) thousandths *= 10;
  if (shaped && thousandths >= kLeast && thousandths <= kMost) return std::optional(thousandths);
  return bad("compressible", fmt::format("'{}' is not a compressed share: what zstd at level 3 leaves of an "
                                         "object, from 0.2 to 0.99 with at most three decimals",
                                         text));
}

std::string compressible_name(int thousandths) {
  std::string name = fmt::format("0.{:03}", thousandths);
  while (name.ends_with('0')) name.pop_back();
  return name;
}

std::uint64_t dataset_seed_of(std::uint64_t seed, std::string_view payload, int repetition) {
  return leading_u64(sha256(fmt::format("v1/{}/{}/{}", seed, payload, repetition)));
}

std::string format_uuid(const ObjectId& id) {
  std::string text = to_hex(id);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
  return text;
}

}  // namespace lab
