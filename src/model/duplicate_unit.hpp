// What repeats in a dataset: whole objects, blocks inside of them, or all but some bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/units.hpp"

namespace lab {

/// What a grade is a share of: "object", "block:4 KiB", "block:4 KiB:shift:7", "changed:16", "prefix:512".
struct DuplicateUnit {
  enum class Kind : std::uint8_t {
    kObject,   // Objects are byte-identical copies.
    kBlock,    // Blocks are, inside of objects that are all different.
    kChanged,  // Objects are copies of which `bytes` bytes differ.
    kPrefix,   // Objects are copies of which the first `bytes` bytes differ.
  };
  Kind kind = Kind::kObject;
  Bytes bytes{};
  Bytes shift{};  // Of blocks: object k has its blocks k * shift modulo `bytes` further on.

  /// Copies were changed: no object equals another, d is 0.
  bool is_changed() const { return kind == Kind::kChanged || kind == Kind::kPrefix; }

  friend bool operator==(const DuplicateUnit&, const DuplicateUnit&) = default;
};

/// Errors: kInvalidArgument, naming the spellings.
Result<DuplicateUnit> parse_duplicate_unit(std::string_view text);
std::string to_string(const DuplicateUnit& unit);  // Canonical; read back by parse_duplicate_unit.

}  // namespace lab
