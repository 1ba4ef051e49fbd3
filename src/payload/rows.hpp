// Objects that are rows of comma-separated values, met to the byte.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "payload/text_writer.hpp"

namespace lab {

/// Rows as long as they fit; the last number of the last row gets leading zeros for what is left.
/// `write_row(TextWriter&)` writes a row with its newline and returns where its last field begins, which is a
/// number without a sign. Precondition: the first row fits into `size`, and no row touches more than `room`
/// bytes.
///
/// No two aligned blocks of 512 bytes are equal, in one object or in two, where a row is at most 170 bytes
/// long and begins with at most 40 that no other row of any object begins with: a block then holds a newline
/// and the whole beginning of the row behind it, since the filled row is at most 340 bytes long.
template <class WriteRow>
void make_rows(std::size_t size, std::size_t room, ContentStream& random, std::vector<std::byte>& out,
               const WriteRow& write_row) {
  out.resize(size + room);  // The row that does not fit is made too, and cut off.
  char* at = reinterpret_cast<char*>(out.data());
  char* const end = at + size;
  char* number = at;
  while (true) {
    TextWriter row(at, random);
    char* const last_field = write_row(row);
    if (row.at() > end) break;
    at = row.at();
    number = last_field;
  }
  const auto missing = static_cast<std::size_t>(end - at);
  std::memmove(number + missing, number, static_cast<std::size_t>(at - number));
  std::memset(number, '0', missing);
  out.resize(size);
}

}  // namespace lab
