// Log-linear buckets, and the V2 interchange format of HdrHistogram (hdrhistogram.org).
// SPDX-License-Identifier: Apache-2.0
#include "core/histogram.hpp"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace lab {
namespace {

// Three significant digits need 2,000 steps before the step doubles: the next power of two is 2,048, and each
// further bucket uses the upper half of its 2,048 steps.
constexpr unsigned kHalfBits = 10;
constexpr std::uint64_t kHalf = 1U << kHalfBits;
constexpr std::uint64_t kValueMax = 3'600'000'000'000;
constexpr std::uint32_t kDigits = 3;

// HdrHistogram's AbstractHistogram: V2 cookies with 0x10 for "words of variable length".
constexpr std::uint32_t kCookie = 0x1C849303U | 0x10U;
constexpr std::uint32_t kCompressedCookie = 0x1C849304U | 0x10U;
constexpr std::size_t kHeaderBytes = 40;
constexpr std::size_t kWordBytesMax = 9;

/// How often the step has doubled for `value`.
constexpr unsigned doublings(std::uint64_t value) {
  return static_cast<unsigned>(std::bit_width(value | (2 * kHalf - 1))) - (kHalfBits + 1);
}

constexpr std::size_t index_of(std::uint64_t value) {
  const unsigned shift = doublings(value);
  return static_cast<std::size_t>((static_cast<std::uint64_t>(shift) << kHalfBits) + (value >> shift));
}

constexpr std::size_t kBuckets = index_of(kValueMax) + 1;

struct Range {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

/// The values that share the bucket at `index`, both ends included.
constexpr Range values_of(std::size_t index) {
  if (index < 2 * kHalf) return {index, index};
  const auto shift = static_cast<unsigned>(index >> kHalfBits) - 1;
  const std::uint64_t low = (index - (static_cast<std::uint64_t>(shift) << kHalfBits)) << shift;
  return {low, low + (1ULL << shift) - 1};
}

void append_big_endian(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned left = bytes; left > 0; --left) out += static_cast<char>((value >> (8 * (left - 1))) & 0xFFU);
}

std::uint64_t take_big_endian(std::string_view& in, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = (value << 8U) | static_cast<unsigned char>(in[i]);
  in.remove_prefix(bytes);
  return value;
}

/// LEB128 of the zigzag form; the ninth byte carries eight bits, so that 64 fit.
void append_word(std::string& out, std::int64_t word) {
  std::uint64_t rest = (static_cast<std::uint64_t>(word) << 1U) ^ static_cast<std::uint64_t>(word >> 63U);
  for (std::size_t i = 1; i < kWordBytesMax && rest >= 0x80; ++i) {
    out += static_cast<char>((rest & 0x7FU) | 0x80U);
    rest >>= 7U;
  }
  out += static_cast<char>(rest);
}

std::optional<std::int64_t> take_word(std::string_view& in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kWordBytesMax && !in.empty(); ++i) {
    const std::uint64_t byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    const bool last = i + 1 == kWordBytesMax || byte < 0x80;
    value |= (i + 1 == kWordBytesMax ? byte : byte & 0x7FU) << (7 * i);
    if (last) return static_cast<std::int64_t>((value >> 1U) ^ (0 - (value & 1U)));
  }
  return std::nullopt;
}

/// Counts up to the last one that is not zero; a run of zeros is one negative word.
std::string encode_counts(const std::vector<std::uint64_t>& counts) {
  std::string words;
  std::int64_t zeros = 0;
  for (const std::uint64_t count : counts) {
    if (count == 0) {
      ++zeros;
      continue;
    }
    if (zeros > 0) append_word(words, -zeros);
    zeros = 0;
    append_word(words, static_cast<std::int64_t>(count));
  }
  return words;
}

std::string compressed(std::string_view bytes) {
  uLongf length = ::compressBound(static_cast<uLong>(bytes.size()));
  std::string out(length, '\0');
  const int code = ::compress(reinterpret_cast<Bytef*>(out.data()), &length,
                              reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()));
  LAB_CHECK(code == Z_OK, "zlib compresses into a buffer of compressBound");
  out.resize(length);
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends with a NUL.
  const int length =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > (1U << 24U)) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length =
      ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length != static_cast<int>(bytes.size())) return std::nullopt;
  bytes.resize(bytes.size() - padding);
  return bytes;
}

Error damaged(const char* why) { return {ErrorCode::kCorruption, "histogram.decode", why}; }

/// The V2 message inside base64 and zlib.
Result<std::string> unpacked(std::string_view text) {
  const auto packed = from_base64(text);
  if (!packed) return damaged("not base64");
  std::string_view in = *packed;
  if (in.size() < 8 || take_big_endian(in, 4) != kCompressedCookie)
    return damaged("not a compressed V2 histogram");
  if (take_big_endian(in, 4) != in.size()) return damaged("the compressed length is wrong");
  uLongf length = kHeaderBytes + kBuckets * kWordBytesMax;
  std::string out(length, '\0');
  const int code = ::uncompress(reinterpret_cast<Bytef*>(out.data()), &length,
                                reinterpret_cast<const Bytef*>(in.data()), static_cast<uLong>(in.size()));
  if (code != Z_OK) return damaged("zlib cannot read it");
  out.resize(length);
  return out;
}

/// Takes the header off `in`, which then holds the counts.
Status check_header(std::string_view& in) {
  if (in.size() < kHeaderBytes || take_big_endian(in, 4) != kCookie) return damaged("not a V2 histogram");
  const std::uint64_t payload = take_big_endian(in, 4);
  const std::uint64_t offset = take_big_endian(in, 4);
  const std::uint64_t digits = take_big_endian(in, 4);
  const std::uint64_t lowest = take_big_endian(in, 8);
  const std::uint64_t highest = take_big_endian(in, 8);
  const std::uint64_t ratio = take_big_endian(in, 8);
  if (payload != in.size()) return damaged("the payload length is wrong");
  if (offset != 0 || digits != kDigits || lowest != 1 || highest != kValueMax ||
      ratio != std::bit_cast<std::uint64_t>(1.0))
    return damaged("another range or precision than ours");
  return ok();
}

}  // namespace

std::uint64_t observations_needed(double q) {
  constexpr double kDoubt = 0.05;  // One-sided, 95 %.
  if (q <= 0.5) return 1;
  return static_cast<std::uint64_t>(std::ceil(std::log(kDoubt) / std::log(q)));
}

Histogram::Histogram() : counts_(kBuckets) {}

void Histogram::record(std::uint64_t value) {
  value = std::max<std::uint64_t>(value, 1);
  counts_[index_of(std::min(value, kValueMax))] += 1;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<long double>(value);
  count_ += 1;
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  count_ += other.count_;
}

std::optional<std::uint64_t> Histogram::min() const {
  return count_ == 0 ? std::nullopt : std::optional(min_);
}

std::optional<std::uint64_t> Histogram::max() const {
  return count_ == 0 ? std::nullopt : std::optional(max_);
}

std::optional<double> Histogram::mean() const {
  if (count_ == 0) return std::nullopt;
  return static_cast<double>(sum_ / static_cast<long double>(count_));
}

std::optional<std::uint64_t> Histogram::quantile(double q) const {
  constexpr double kRounding = 1e-9;  // 0.9 * 10 is just above 9 in binary.
  const auto total = static_cast<double>(count_);
  if (count_ < observations_needed(q)) return std::nullopt;
  const auto rank = static_cast<std::uint64_t>(std::max(1.0, std::ceil(q * total - kRounding)));
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    below += counts_[i];
    if (below >= rank) return values_of(i).high;
  }
  return max_;
}

std::string Histogram::encode() const {
  const std::string words = encode_counts(counts_);
  std::string message;
  append_big_endian(message, kCookie, 4);
  append_big_endian(message, words.size(), 4);
  append_big_endian(message, 0, 4);  // Index offset: only rotated histograms have one.
  append_big_endian(message, kDigits, 4);
  append_big_endian(message, 1, 8);
  append_big_endian(message, kValueMax, 8);
  append_big_endian(message, std::bit_cast<std::uint64_t>(1.0), 8);  // Integers are not scaled.
  const std::string body = compressed(message + words);
  std::string packed;
  append_big_endian(packed, kCompressedCookie, 4);
  append_big_endian(packed, body.size(), 4);
  return to_base64(packed + body);
}

Result<Histogram> Histogram::decode(std::string_view text) {
  const auto message = unpacked(text);
  if (!message) return message.error();
  std::string_view in = *message;
  LAB_TRY(check_header(in));
  Histogram histogram;
  std::uint64_t index = 0;
  while (!in.empty()) {
    const auto word = take_word(in);
    if (!word) return damaged("a count is cut off");
    if (*word < 0) {
      index += std::min<std::uint64_t>(0 - static_cast<std::uint64_t>(*word), kBuckets);
      continue;
    }
    if (index >= kBuckets) return damaged("more counts than buckets");
    const auto count = static_cast<std::uint64_t>(*word);
    const Range range = values_of(index);
    if (count > 0) {
      if (histogram.count_ == 0) histogram.min_ = range.low;
      histogram.max_ = range.high;
      histogram.sum_ +=
          static_cast<long double>(count) * static_cast<long double>(range.low + range.high) / 2;
    }
    histogram.counts_[index++] = count;
    histogram.count_ += count;
  }
  return histogram;
}

}  // namespace lab
