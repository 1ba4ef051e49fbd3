// What a Kafka cluster and the folder of its broker tell.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "driver/observer.hpp"
#include "drivers/kafka/store.hpp"

namespace lab::kafka {

Result<std::unique_ptr<Observer>> open_kafka_observer(const Store& store, const CallContext& call);

}  // namespace lab::kafka
