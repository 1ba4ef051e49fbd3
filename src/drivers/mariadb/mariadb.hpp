// The mariadb system: InnoDB tables in a database of the lab's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab {

/// Layout: database dedup_lab (dedup_lab_1, ... for further containers) with the table files and the marker.
SystemEntry mariadb_system();

}  // namespace lab
