// The byte stream of COPY ... FROM STDIN (FORMAT binary), in pieces of bounded size.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace lab::pgwire {

/// Header, then for each row its number of fields and each field's length and bytes, then the trailer.
/// Integers are big-endian. `send` gets pieces of about 128 KiB, whatever the size of a field.
class CopyWriter {
 public:
  static constexpr std::size_t kPiece = 128UL << 10U;
  using Send = std::function<Status(std::string_view)>;

  explicit CopyWriter(Send send) : send_(std::move(send)) {}

  Status begin();
  Status row(std::int16_t fields);
  Status field(std::span<const std::byte> bytes);
  Status field(std::string_view text);
  Status field(std::int64_t number);  // A bigint.
  Status null();
  Status finish();  // Sends what is left.

 private:
  Status add(std::string_view bytes);
  template <class Integer>
  Status add_integer(Integer number);

  Send send_;
  std::string piece_{};
};

}  // namespace lab::pgwire
