// The gear hash on AVX-512: 64 places of the stripe at once. Compiled with flags of its own, so nothing but
// intrinsics is included. SPDX-License-Identifier: Apache-2.0
#include "scan/gear_kernel.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace lab::gear {
namespace {

// The stripe as a matrix of 64 rows, one behind the other. A register has one byte of each row, and the next
// one the bytes behind them, so that a hash follows from the one before by one shift and one sum, with
// nothing that goes from one place of a register to another.
constexpr std::size_t kRows = 64;
constexpr std::size_t kAtOnce = 16;  // Columns: what a load takes of a row.
static_assert(kStripe % (kRows * kAtOnce) == 0, "nothing is left over of a whole stripe");
static_assert(kStripe / kRows % 512 != 0, "the rows would fight for the same lines of the cache");

// Everything is inlined and unrolled: columns and tables are to stay in registers.

/// Byte r of the column k is `data[r * length + k]`.
[[gnu::always_inline]] inline void load_columns(const std::uint8_t* data, std::size_t length,
                                                __m512i (&columns)[kAtOnce]) {
  const auto in_row = [data, length](std::size_t row) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + row * length));
  };
#pragma GCC unroll 16
  for (std::size_t row = 0; row < 16; ++row) {
    __m512i rows = _mm512_castsi128_si512(in_row(row));
    rows = _mm512_mask_broadcast_i32x4(rows, 0x00F0, in_row(row + 16));
    rows = _mm512_mask_broadcast_i32x4(rows, 0x0F00, in_row(row + 32));
    columns[row] = _mm512_mask_broadcast_i32x4(rows, 0xF000, in_row(row + 48));
  }
  // Rows of 16 bytes become columns: each round turns the bits of row and column by one place.
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
    __m512i turned[kAtOnce];
#pragma GCC unroll 8
    for (std::size_t k = 0; k < 8; ++k) {
      turned[2 * k] = _mm512_unpacklo_epi8(columns[k], columns[k + 8]);
      turned[2 * k + 1] = _mm512_unpackhi_epi8(columns[k], columns[k + 8]);
    }
#pragma GCC unroll 16
    for (std::size_t k = 0; k < kAtOnce; ++k) columns[k] = turned[k];
  }
}

/// The 16 entries four times: the lookup takes the six lower bits of a byte, so that the upper two of them
/// may be anything.
__m512i four_times(const std::uint8_t* table) {
  return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
}

struct Lookups {
  __m512i low_of_low, high_of_low, low_of_high, high_of_high;
};

/// Of rows 0-7, 16-23, 32-39, 48-55, and of those between.
struct Hashes {
  __m512i first, second;
};

[[gnu::always_inline]] inline void add_column(Hashes& hashes, __m512i bytes, const Lookups& tables) {
  const __m512i high = _mm512_srli_epi16(bytes, 4);
  const __m512i low_bytes = _mm512_xor_si512(_mm512_permutexvar_epi8(bytes, tables.low_of_low),
                                             _mm512_permutexvar_epi8(high, tables.low_of_high));
  const __m512i high_bytes = _mm512_xor_si512(_mm512_permutexvar_epi8(bytes, tables.high_of_low),
                                              _mm512_permutexvar_epi8(high, tables.high_of_high));
  hashes.first = _mm512_add_epi16(_mm512_add_epi16(hashes.first, hashes.first),
                                  _mm512_unpacklo_epi8(low_bytes, high_bytes));
  hashes.second = _mm512_add_epi16(_mm512_add_epi16(hashes.second, hashes.second),
                                   _mm512_unpackhi_epi8(low_bytes, high_bytes));
}

/// What each row finds, in its own part of `out`: rows find in turns, and the places are wanted in order.
struct Found {
  std::uint32_t* out;
  std::size_t length;
  std::uint32_t rows[kRows];  // How many.

  [[gnu::noinline]] void add(const Hashes& hashes, __m512i mask, std::size_t column) {
    std::uint64_t hits = _mm512_testn_epi16_mask(hashes.first, mask) |
                         static_cast<std::uint64_t>(_mm512_testn_epi16_mask(hashes.second, mask)) << 32U;
    alignas(64) std::uint16_t lanes[kRows];
    _mm512_store_si512(lanes, hashes.first);
    _mm512_store_si512(lanes + 32, hashes.second);
    for (; hits != 0; hits &= hits - 1) {
      const auto lane = static_cast<std::size_t>(__builtin_ctzll(hits));
      const std::size_t row = (lane & 24U) * 2 + (lane >> 5U) * 8 + (lane & 7U);
      out[row * length + rows[row]++] =
          static_cast<std::uint32_t>((row * length + column) << 16U) | lanes[lane];
    }
  }

  /// Closes the gaps.
  std::size_t finish() const {
    std::size_t found = 0;
    for (std::size_t row = 0; row < kRows; ++row)
      for (std::size_t k = 0; k < rows[row]; ++k) out[found++] = out[row * length + k];
    return found;
  }
};

/// All of 64 rows of `length` bytes, a multiple of 16.
std::size_t find_in_rows(const std::uint8_t* data, std::size_t length, unsigned bits, std::uint32_t* out) {
  const Lookups tables{four_times(kTables.low_of_low), four_times(kTables.high_of_low),
                       four_times(kTables.low_of_high), four_times(kTables.high_of_high)};
  const __m512i mask = _mm512_set1_epi16(static_cast<short>(0xFFFFU << (16U - bits)));
  Hashes hashes{_mm512_setzero_si512(), _mm512_setzero_si512()};
  __m512i columns[kAtOnce];
  load_columns(data - kAtOnce, length, columns);  // The windows before the rows.
#pragma GCC unroll 16
  for (std::size_t k = 0; k < kAtOnce; ++k) add_column(hashes, columns[k], tables);
  Found found{out, length, {}};
  const std::uint8_t* const behind = data + length * kRows;
  for (std::size_t at = 0; at < length; at += kAtOnce) {
    load_columns(data + at, length, columns);
#pragma GCC unroll 16
    for (std::size_t k = 0; k < kAtOnce; ++k) {
      add_column(hashes, columns[k], tables);
      // Of what lies behind the rows, as fast as they are worked on: so many streams are foreseen by nobody.
      _mm_prefetch(reinterpret_cast<const char*>(behind + (at + k) * kRows), _MM_HINT_T1);
      // The lesser one has the zeros at the top if any of both has.
      const __m512i lesser = _mm512_min_epu16(hashes.first, hashes.second);
      if (_mm512_testn_epi16_mask(lesser, mask) != 0) [[unlikely]]
        found.add(hashes, mask, at + k);
    }
  }
  return found.finish();
}

}  // namespace

std::size_t find_avx512(const std::uint8_t* data, std::size_t from, std::size_t to, unsigned bits,
                        std::uint32_t* out) {
  const std::size_t length = (to - from) / (kRows * kAtOnce) * kAtOnce;
  const std::size_t in_rows = length * kRows;
  const std::size_t found = length == 0 ? 0 : find_in_rows(data + from, length, bits, out);
  // The rest counts from its beginning; its offsets are moved to `from`.
  const std::size_t rest = find_avx2(data, from + in_rows, to, bits, out + found);
  for (std::size_t k = 0; k < rest; ++k) out[found + k] += static_cast<std::uint32_t>(in_rows << 16U);
  return found + rest;
}

}  // namespace lab::gear
#endif
