// The table of a container, and an object as one of its rows: a payload, or typed columns in mode "native".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "driver/native_record.hpp"
#include "drivers/sqlite/connection.hpp"

namespace lab::sqlite {

std::string table_name(std::uint32_t container);

/// The table, and the index of a native schema.
std::string create_table_sql(const Setup& setup, std::uint32_t container);

/// A second row of an id replaces the first; in one_per_content an equal content is left out.
std::string insert_sql(const Setup& setup, std::uint32_t container);

/// The id, then what payload_of reads.
std::string select_sql(const Setup& setup, std::uint32_t container);

/// All that insert_sql wants, borrowed until the statement ends.
void bind_object(Statement& statement, const Object& object);
void bind_record(Statement& statement, const NativeSchema& schema, const ObjectId& id,
                 const NativeRecord& record);

/// From column `first` on; `schema` null for a payload as it is. Errors: kCorruption.
Result<ReadPayload> payload_of(const Statement& statement, const NativeSchema* schema, int first,
                               const char* operation);

}  // namespace lab::sqlite
