// The files system: one plain file an object. The negative control: each duplicate is paid in full.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab {

/// Layout: data/c<container>/<uuid>; the file holds the payload alone.
SystemEntry files_system();

}  // namespace lab
