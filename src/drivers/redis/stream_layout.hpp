// Objects as entries of a stream, one stream a container.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/redis/layout.hpp"

namespace lab::redis {

/// A stream finds an entry by the number that it gave it, not by our id: which entry an id has is remembered
/// from the answers of XADD (some 100 bytes an object), and read from the stream where it is not known.
std::unique_ptr<Layout> make_stream_layout(KeySpace space, std::uint32_t containers);

/// The number after an entry's: where the next page begins. Errors: kCorruption for what is no number.
Result<std::string> after_entry(std::string_view entry, const char* operation);

}  // namespace lab::redis
