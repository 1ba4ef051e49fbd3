// Inserting objects by bound parameters: one, or arrays that fit into a packet.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "drivers/mariadb/connection.hpp"
#include "drivers/mariadb/layout.hpp"

namespace lab::mariadb {

/// What a row takes in a packet beside its payload and MIME type, rounded up.
inline constexpr std::int64_t kRowOverhead = 128;
/// Of a packet, for its own header and for servers that count differently.
inline constexpr std::int64_t kPacketReserve = 1024;

/// Indexes of `objects` in arrays: each of one container, in order, and of at most `bytes_max` in a packet
/// (an object that is larger lies in one of its own).
std::vector<std::vector<std::size_t>> arrays_of(std::span<const Object> objects, std::int64_t bytes_max);

/// Largest payload that a packet of `max_allowed_packet` bytes takes. Errors: kUnsupported below 64 KiB.
Result<std::int64_t> object_size_max(std::int64_t max_allowed_packet);

/// Bytes of one array: bounds the client's memory, and a packet stays below the server's limit.
std::int64_t array_bytes(std::int64_t max_allowed_packet);

/// "Records: 3  Duplicates: 0  Warnings: 0" -> 3. Errors: kInternal for other words.
Result<std::uint64_t> records_of(std::string_view info, const char* operation);

/// Inserts the objects of `array`, all of one container, as one statement. Errors: kInternal when the server
/// says another number of rows; a warning is an error.
Status insert_array(Use& use, const Setup& setup, std::span<const Object> objects,
                    std::span<const std::size_t> array);

}  // namespace lab::mariadb
