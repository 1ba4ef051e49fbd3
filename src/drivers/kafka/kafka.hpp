// Apache Kafka: one record an object, one topic of one partition a container.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab {

SystemEntry kafka_system();

}  // namespace lab
