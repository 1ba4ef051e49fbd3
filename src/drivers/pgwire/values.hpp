// Values on their way to and from a server, in the protocol's binary form.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace lab::pgwire {

template <class Integer>
constexpr std::array<char, sizeof(Integer)> big_endian(Integer number) {
  using Unsigned = std::make_unsigned_t<Integer>;
  const auto bits = static_cast<Unsigned>(number);
  std::array<char, sizeof(Integer)> bytes{};
  for (std::size_t at = 0; at < bytes.size(); ++at)
    bytes[at] = static_cast<char>(static_cast<unsigned char>(bits >> (8 * (bytes.size() - 1 - at))));
  return bytes;
}

/// Parameters of one statement, $1 first. Texts and bytes are borrowed until the call is over.
class Parameters {
 public:
  // Object identifiers of the types, the same in each PostgreSQL and in CockroachDB.
  static constexpr unsigned kBytea = 17;
  static constexpr unsigned kInt8 = 20;
  static constexpr unsigned kInt2 = 21;
  static constexpr unsigned kText = 25;
  static constexpr unsigned kFloat8 = 701;
  static constexpr unsigned kFloat8List = 1022;
  static constexpr unsigned kDate = 1082;
  static constexpr unsigned kTimestamptz = 1184;
  static constexpr unsigned kNumeric = 1700;
  static constexpr unsigned kUuid = 2950;
  static constexpr unsigned kJsonb = 3802;

  /// One that is in the protocol's binary form already.
  Parameters& value(unsigned type, std::string_view binary) {
    return add(type, binary.data(), binary.size());
  }
  Parameters& uuid(std::span<const std::byte> id) { return add(kUuid, id.data(), id.size()); }
  Parameters& bytes(std::span<const std::byte> value) { return add(kBytea, value.data(), value.size()); }
  Parameters& text(std::string_view value) { return add(kText, value.data(), value.size()); }
  Parameters& text(const char* value) { return text(std::string_view(value)); }
  Parameters& text(std::string&& value) = delete;  // It would be gone before the call.
  Parameters& bigint(std::int64_t value) {
    numbers_.push_back(big_endian(value));
    return add(kInt8, numbers_.back().data(), numbers_.back().size());
  }

  Parameters& null(unsigned type) {
    add(type, nullptr, 0);
    values_.back() = nullptr;
    return *this;
  }

  int count() const noexcept { return static_cast<int>(values_.size()); }
  const unsigned* types() const noexcept { return types_.data(); }
  const char* const* values() const noexcept { return values_.data(); }
  const int* lengths() const noexcept { return lengths_.data(); }
  const int* formats() const noexcept { return formats_.data(); }

 private:
  Parameters& add(unsigned type, const void* bytes, std::size_t size) {
    types_.push_back(type);
    values_.push_back(bytes == nullptr ? "" : static_cast<const char*>(bytes));  // nullptr would be NULL.
    lengths_.push_back(static_cast<int>(size));
    formats_.push_back(1);
    return *this;
  }

  std::vector<unsigned> types_{};
  std::vector<const char*> values_{};
  std::vector<int> lengths_{};
  std::vector<int> formats_{};
  std::deque<std::array<char, 8>> numbers_{};
};

}  // namespace lab::pgwire
