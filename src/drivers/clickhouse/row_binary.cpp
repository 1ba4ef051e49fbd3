// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/row_binary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "drivers/clickhouse/native_rows.hpp"
#include "drivers/clickhouse/reply.hpp"

namespace lab::clickhouse {
namespace {

constexpr std::size_t kPoisonMax = 64U << 10U;  // Kept of an exception's text.
constexpr unsigned kVarintBits = 63;            // ClickHouse writes lengths in at most nine groups.

struct Length {
  std::uint64_t value = 0;
  std::size_t bytes = 0;  // That it takes itself; 0: not all there.
};

Length leading_length(std::string_view text) {
  Length length;
  for (unsigned shift = 0; shift < kVarintBits; shift += 7) {
    const std::size_t at = shift / 7;
    if (at >= text.size()) return {};
    const auto group = static_cast<unsigned char>(text[at]);
    length.value |= std::uint64_t{group & 0x7fU} << shift;
    length.bytes = at + 1;
    if ((group & 0x80U) == 0) break;
  }
  return length;
}

std::size_t move_bytes(std::string_view& from, std::span<char> to) {
  const std::size_t bytes = std::min(from.size(), to.size());
  if (bytes > 0) std::memcpy(to.data(), from.data(), bytes);
  from.remove_prefix(bytes);
  return bytes;
}

/// All of a row before the payload's bytes.
std::string head_of(const Object& object, bool with_version) {
  std::string head(as_text(object.id));
  head += varint(object.mime.size());
  head += object.mime;
  append_little_endian(head, std::uint64_t{object.payload.size()});
  head += as_text(object.digest);
  if (with_version) append_little_endian(head, ~object.number);
  head += varint(object.payload.size());
  return head;
}

}  // namespace

std::string varint(std::uint64_t value) {
  std::string bytes;
  while (value >= 0x80) {
    bytes += static_cast<char>(static_cast<unsigned char>(value | 0x80U));
    value >>= 7U;
  }
  bytes += static_cast<char>(value);
  return bytes;
}

std::optional<std::string_view> leading_string(std::string_view text) {
  const Length length = leading_length(text);
  if (length.bytes == 0 || text.size() - length.bytes < length.value) return std::nullopt;
  return text.substr(length.bytes, length.value);
}

std::int64_t RowSource::bytes_of(std::span<const Object* const> objects, bool with_version) {
  std::int64_t bytes = 0;
  for (const Object* object : objects)
    bytes += static_cast<std::int64_t>(head_of(*object, with_version).size() + object->payload.size());
  return bytes;
}

Result<std::size_t> RowSource::fill(std::span<char> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size() && !ended_) {
    if (left_of_head_.empty() && left_of_payload_.empty()) {
      const auto object = objects_();
      if (!object) return object.error();
      ended_ = *object == nullptr;
      if (ended_) break;
      if (form_.schema != nullptr) {
        auto row = native_row(*form_.schema, form_.milliseconds, **object, "clickhouse.insert");
        if (!row) return std::move(row).error();
        head_ = *std::move(row);
      } else {
        head_ = head_of(**object, form_.with_version);
        left_of_payload_ = as_text((*object)->payload);
      }
      left_of_head_ = head_;
    }
    filled += move_bytes(left_of_head_, buffer.subspan(filled));
    filled += move_bytes(left_of_payload_, buffer.subspan(filled));
  }
  return filled;
}

Result<std::size_t> RowReader::try_row(std::string_view text) {
  std::uint32_t mark = 0;
  if (text.size() < sizeof(mark)) return std::size_t{0};
  std::memcpy(&mark, text.data(), sizeof(mark));
  if (mark != kRowMark) {
    poisoned_ = true;
    return std::size_t{0};
  }
  ObjectId id{};
  const std::string_view after_mark = text.substr(sizeof(mark));
  if (after_mark.size() < id.size()) return std::size_t{0};
  std::memcpy(id.data(), after_mark.data(), id.size());
  const std::string_view value = after_mark.substr(id.size());
  const auto payload = leading_string(value);
  if (!payload) return std::size_t{0};
  LAB_TRY(on_row_(id, as_bytes(*payload)));
  ++rows_;
  return static_cast<std::size_t>(payload->data() + payload->size() - text.data());
}

Status RowReader::take(std::string_view bytes) {
  if (poisoned_) {
    pending_ += bytes.substr(0, kPoisonMax - std::min(kPoisonMax, pending_.size()));
    return ok();
  }
  const bool whole = pending_.empty();
  if (!whole) pending_ += bytes;
  std::string_view left = whole ? bytes : std::string_view(pending_);
  while (!left.empty() && !poisoned_) {
    const auto row = try_row(left);
    if (!row) return row.error();
    if (*row == 0) break;
    left.remove_prefix(*row);
  }
  if (whole)
    pending_ = left;
  else
    pending_.erase(0, pending_.size() - left.size());
  return ok();
}

std::optional<Error> RowReader::exception() const {
  const std::size_t words = pending_.rfind("Code: ");
  if (words == std::string::npos) return std::nullopt;
  const std::string_view text = std::string_view(pending_).substr(words);
  if (!exception_code(text)) return std::nullopt;
  return exception_error(text, operation_);
}

Status RowReader::finish(std::uint64_t least, std::uint64_t most) const {
  if (auto said = exception()) return *said;
  if (!pending_.empty())
    return Error{
        ErrorCode::kCorruption, operation_,
        fmt::format("the answer ends after {} rows with {} bytes that are no row", rows_, pending_.size())};
  if (least <= rows_ && rows_ <= most) return ok();
  return Error{ErrorCode::kCorruption, operation_,
               fmt::format("the table has {} rows, {} were read", most, rows_)};
}

}  // namespace lab::clickhouse
