// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/copy_writer.hpp"

#include <algorithm>

#include "core/hash.hpp"
#include "drivers/pgwire/values.hpp"

namespace lab::pgwire {
namespace {

// Eleven bytes of signature, flags without OIDs, no header extension.
constexpr std::string_view kHeader{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
constexpr std::int16_t kTrailer = -1;
constexpr std::int32_t kNull = -1;  // In place of a length.

}  // namespace

Status CopyWriter::begin() { return add(kHeader); }

Status CopyWriter::row(std::int16_t fields) { return add_integer(fields); }

Status CopyWriter::field(std::string_view text) {
  LAB_TRY(add_integer(static_cast<std::int32_t>(text.size())));
  return add(text);
}

Status CopyWriter::field(std::span<const std::byte> bytes) { return field(as_text(bytes)); }

Status CopyWriter::field(std::int64_t number) {
  LAB_TRY(add_integer(static_cast<std::int32_t>(sizeof number)));
  return add_integer(number);
}

Status CopyWriter::null() { return add_integer(kNull); }

Status CopyWriter::finish() {
  LAB_TRY(add_integer(kTrailer));
  Status sent = send_(piece_);
  piece_.clear();
  return sent;
}

Status CopyWriter::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kPiece - piece_.size());
    piece_ += part;
    bytes.remove_prefix(part.size());
    if (piece_.size() < kPiece) continue;
    LAB_TRY(send_(piece_));
    piece_.clear();
  }
  return ok();
}

template <class Integer>
Status CopyWriter::add_integer(Integer number) {
  const auto bytes = big_endian(number);
  return add({bytes.data(), bytes.size()});
}

}  // namespace lab::pgwire
