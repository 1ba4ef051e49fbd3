// uuid_keys: rows of a random UUID and its shard.
// SPDX-License-Identifier: Apache-2.0
#include "payload/made_kinds.hpp"
#include "payload/rows.hpp"

namespace lab {
namespace {

constexpr unsigned kShardDigits = 2;

/// Half a UUID with a dash before its digit `first`, and before its digit `second` unless that is its end.
void write_half(TextWriter& row, std::uint64_t half, std::size_t first, std::size_t second) {
  char digits[16];
  write_hexadecimal(digits, half);
  const std::string_view all(digits, sizeof(digits));
  row.raw(all.substr(0, first)).raw("-").raw(all.substr(first, second - first));
  if (second < all.size()) row.raw("-").raw(all.substr(second));
}

}  // namespace

void make_uuid_keys(ContentKey key, std::size_t size, std::vector<std::byte>& out) {
  ContentStream random(key, Purpose::kUuidKeys);
  make_rows(size, static_cast<std::size_t>(kSmallestUuidKeys.count), random, out, [](TextWriter& row) {
    // Two numbers in a row occur in one place of one content only. Version 4 and the variant take the place
    // of six of their bits; these are the shard, so that nothing of the two numbers is lost.
    const std::uint64_t high = row.random().next();
    const std::uint64_t low = row.random().next();
    write_half(row, (high & ~0xF000ULL) | 0x4000U, 8, 12);
    row.raw("-");
    write_half(row, (low & ~(3ULL << 62U)) | (2ULL << 62U), 4, 16);
    row.raw(",");
    char* const shard = row.at();
    row.padded(((high >> 12U) & 0xFU) << 2U | low >> 62U, kShardDigits).raw("\n");
    return shard;
  });
}

}  // namespace lab
