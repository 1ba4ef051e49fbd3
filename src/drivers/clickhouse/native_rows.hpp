// Mode "native": an object as a row of typed columns, in the words and bytes of the server.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "driver/native_record.hpp"
#include "drivers/clickhouse/server.hpp"

namespace lab::clickhouse {

/// ", entity UUID CODEC(LZ4), ...": what stands behind the id in CREATE TABLE. `codec` stands behind each
/// type.
std::string native_definitions(const NativeSchema& schema, const Server& server, const std::string& codec);

/// What the table is sorted by: the columns that others index, then the id.
std::string native_order(const NativeSchema& schema);

/// One String of a row: its column, or the texts of its columns behind each other.
std::string native_selection(const NativeSchema& schema);

/// The payload of that String. Errors: kCorruption.
Result<ReadPayload> native_payload(const NativeSchema& schema, std::string_view text, const char* operation);

/// A row of id and columns as RowBinary. Without `milliseconds` the server's times are whole seconds. Errors:
/// kInvalidArgument for a payload that is no record, kUnsupported for a time that the server cannot keep.
Result<std::string> native_row(const NativeSchema& schema, bool milliseconds, const Object& object,
                               const char* operation);

}  // namespace lab::clickhouse
