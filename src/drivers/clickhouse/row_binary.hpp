// FORMAT RowBinary both ways, streamed: objects into an INSERT, rows out of a SELECT.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "driver/driver.hpp"
#include "driver/native_schema.hpp"

namespace lab::clickhouse {

/// A length in 7-bit groups, lowest first, as ClickHouse writes it before a String.
std::string varint(std::uint64_t value);

/// What the rows of an INSERT hold.
struct RowForm {
  bool with_version = false;             // Only with payloads.
  const NativeSchema* schema = nullptr;  // Of mode "native"; null: a row is a payload.
  bool milliseconds = true;              // The server's times have them.
};

/// An integer, its lowest byte first.
template <class Number>
void append_little_endian(std::string& to, Number value) {
  for (std::size_t byte = 0; byte < sizeof(Number); ++byte)
    to += static_cast<char>(static_cast<unsigned char>(value >> (8 * byte)));
}

/// Gives the rows (id, mime, size_bytes, sha256[, version], payload) of the objects, a buffer at a time. The
/// payloads are borrowed and never copied as a whole. `version` is the complement of the object's number:
/// the first of equal objects has the highest, which is the one that ReplacingMergeTree keeps.
class RowSource {
 public:
  RowSource(ObjectSource objects, RowForm form) : objects_(std::move(objects)), form_(form) {}

  /// 0 after the last row. Errors: those of the objects' source, and of native_row.
  Result<std::size_t> fill(std::span<char> buffer);

  /// Of the rows of such objects, which are payloads.
  static std::int64_t bytes_of(std::span<const Object* const> objects, bool with_version);

 private:
  ObjectSource objects_;
  RowForm form_;
  bool ended_ = false;
  std::string head_{};  // Of the row that is being written.
  std::string_view left_of_head_{};
  std::string_view left_of_payload_{};
};

/// Stands before every row that we read. An exception in the middle of an answer comes as text after status
/// 200, and nothing but this tells it from a row.
inline constexpr std::uint32_t kRowMark = 0xb1a6e0d5;

/// Takes apart an answer of rows (UInt32 mark, FixedString(16) id, String payload) as it comes.
class RowReader {
 public:
  using OnRow = std::function<Status(const ObjectId&, std::span<const std::byte> payload)>;
  RowReader(OnRow on_row, const char* operation) : on_row_(std::move(on_row)), operation_(operation) {}

  /// Errors: those of the sink.
  Status take(std::string_view bytes);

  /// To be called at the end of the answer. Errors: the server's exception that stood in the stream;
  /// kCorruption for bytes that are no row, for a row that is cut off, and for a count of less than `least`
  /// or more than `most` rows.
  Status finish(std::uint64_t least, std::uint64_t most) const;

  /// The server's exception that stands in place of a row, or inside one.
  std::optional<Error> exception() const;

 private:
  /// The length of the first whole row of `text`; 0 when it is not all there.
  Result<std::size_t> try_row(std::string_view text);

  OnRow on_row_;
  const char* operation_;
  std::string pending_{};  // The beginning of a row, or what stood in place of one.
  std::uint64_t rows_ = 0;
  bool poisoned_ = false;
};

/// A String at the beginning of `text`: its bytes; nothing when it is not all there.
std::optional<std::string_view> leading_string(std::string_view text);

}  // namespace lab::clickhouse
