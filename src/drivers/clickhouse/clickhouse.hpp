// The clickhouse system: a MergeTree table a container, over HTTP.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab {

/// Layout: databases dedup_lab, dedup_lab_1, ... with the table `files`, and `deduplab` as marker and lock.
SystemEntry clickhouse_system();

}  // namespace lab
