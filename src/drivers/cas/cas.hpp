// The cas system: content-addressed files. The positive control: duplicates are free.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab {

/// Layout: data/objects/<aa>/<SHA-256 in hex> and the append-only data/index. A deletion drops the reference;
/// maintenance removes contents without one.
SystemEntry cas_system();

}  // namespace lab
