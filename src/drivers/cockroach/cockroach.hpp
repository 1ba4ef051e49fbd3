// The cockroachdb system: a CockroachDB cluster, 23.1 or later.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab {

SystemEntry cockroachdb_system();

}  // namespace lab
