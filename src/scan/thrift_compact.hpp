// Writes Thrift's compact protocol, in which Parquet keeps its headers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lab::scan {

/// One structure after the other, fields in ascending order. Source: doc/specs/thrift-compact-protocol.md of
/// Apache Thrift.
class ThriftWriter {
 public:
  enum Element : std::uint8_t { kI32 = 5, kBinary = 8, kStruct = 12 };

  void i32(int field, std::int32_t value) {
    header(field, kI32);
    zigzag(value);
  }
  void i64(int field, std::int64_t value) {
    header(field, kI64);
    zigzag(value);
  }
  void boolean(int field, bool value) { header(field, value ? kTrue : kFalse); }
  void text(int field, std::string_view value) {
    header(field, kBinary);
    text_element(value);
  }

  /// The elements follow: by the functions below, or each between begin_element and end.
  void list(int field, Element element, std::size_t size) {
    header(field, kList);
    if (size < 15) return byte(static_cast<std::uint8_t>(size << 4U | element));
    byte(static_cast<std::uint8_t>(0xF0U | element));
    varint(size);
  }
  void i32_element(std::int32_t value) { zigzag(value); }
  void text_element(std::string_view value) {
    varint(value.size());
    bytes_ += value;
  }

  void begin(int field) {
    header(field, kStruct);
    begin_element();
  }
  void begin_element() {
    outer_.push_back(last_);
    last_ = 0;
  }
  void end() {
    byte(0);
    last_ = outer_.back();
    outer_.pop_back();
  }

  /// The bytes of the outermost structure, which ends here.
  std::string finish() {
    byte(0);
    last_ = 0;
    return std::move(bytes_);
  }

 private:
  static constexpr std::uint8_t kTrue = 1;
  static constexpr std::uint8_t kFalse = 2;
  static constexpr std::uint8_t kI64 = 6;
  static constexpr std::uint8_t kList = 9;

  void header(int field, std::uint8_t type) {
    // Every structure of Parquet has its fields near each other, so that the distance is enough.
    byte(static_cast<std::uint8_t>(static_cast<unsigned>(field - last_) << 4U | type));
    last_ = field;
  }
  void byte(std::uint8_t value) { bytes_ += static_cast<char>(value); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) byte(static_cast<std::uint8_t>(value | 0x80U));
    byte(static_cast<std::uint8_t>(value));
  }
  void zigzag(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63U));
  }

  std::string bytes_{};
  int last_ = 0;
  std::vector<int> outer_{};
};

}  // namespace lab::scan
