// The values of an SQLite file: what text or numbers its tables hold.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "payload/csv_reader.hpp"

namespace lab {

enum class SqliteValues : std::uint8_t {
  kText,
  kNumbers,
  kNumberRows,  // All numbers of a row at once; of a table without a column of numbers nothing.
};

/// Gives the values of one sort, of all tables in the order of their names, row by row: each text with a
/// newline after it, or each number as number_bytes. A column with a number in any row is one of numbers, and
/// NULL is a quiet NaN in it. `image` is the whole file. Nothing is written, and no trigger or view of it
/// runs. Errors: kCorruption (no database, broken, text or bytes in a column of numbers) with the label; the
/// sink's.
Status read_sqlite(const std::string& label, std::string_view image, SqliteValues values,
                   const TextSink& sink);

}  // namespace lab
