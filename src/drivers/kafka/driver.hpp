// The data connection of the kafka system.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "driver/driver.hpp"
#include "drivers/kafka/store.hpp"

namespace lab::kafka {

DriverInfo info_of(const Store& store);
Result<std::unique_ptr<Driver>> open_kafka_driver(Store& store, const CallContext& call);

}  // namespace lab::kafka
