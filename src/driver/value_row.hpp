// How a row (mime, size, sha256, payload) is one value in the key-value engines.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "model/dataset.hpp"

namespace lab {

/// The part before the payload: u16 length of the MIME type and the type, u64 size, 32 bytes of SHA-256;
/// integers little-endian. About 60 bytes an object.
std::string row_header(const Object& object);

/// The payload inside a stored value. Errors: kCorruption when the value is no row of ours.
Result<std::span<const std::byte>> row_payload(std::string_view value, const char* operation);

inline std::string_view id_text(const ObjectId& id) { return as_text(id); }

/// Errors: kCorruption when `key` is not 16 bytes.
Result<ObjectId> id_from_text(std::string_view key, const char* operation);

}  // namespace lab
