// The minio system: any server that speaks S3.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab {

/// Layout: a bucket NAMESPACE-0, NAMESPACE-1, ... a container; an object's key is its id as text; the object
/// .deduplab-marker in each bucket says that it is the lab's and holds the lock.
SystemEntry minio_system();

}  // namespace lab
