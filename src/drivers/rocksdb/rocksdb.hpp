// The rocksdb system: a log-structured merge tree, one column family a container.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab {

/// Layout: RocksDB's files in data/.
SystemEntry rocksdb_system();

}  // namespace lab
