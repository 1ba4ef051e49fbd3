// The redis system: keys below one prefix of a Redis server.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab {

/// Layout: dedup:<container>:<16 bytes of the id>, or a stream dedup:<container>:stream.
SystemEntry redis_system();

}  // namespace lab
