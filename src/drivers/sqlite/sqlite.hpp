// The sqlite system: one database file, one table a container.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab {

/// Layout: data/lab.db with tables files_0, files_1, ...
SystemEntry sqlite_system();

}  // namespace lab
