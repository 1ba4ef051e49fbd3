// The lmdb system: one memory-mapped B+tree file, one named database a container.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab {

/// Layout: data/data.mdb and data/lock.mdb. Option `map_size` (variant map_fixed, default 16 GiB).
SystemEntry lmdb_system();

}  // namespace lab
