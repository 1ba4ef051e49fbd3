// The null system: objects in memory, nothing on disk. It measures the instrument itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab {

/// Option `max_bytes` (default 1 GiB): a put beyond it is kResourceExhausted. Each session starts empty.
SystemEntry null_system();

}  // namespace lab
