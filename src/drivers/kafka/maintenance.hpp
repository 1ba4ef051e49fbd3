// What makes Kafka give space back: a new segment, so that the old ones may be removed or cleaned.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/driver.hpp"
#include "drivers/kafka/producer.hpp"
#include "drivers/kafka/store.hpp"

namespace lab::kafka {

/// True for a record of ours that is no object: it was written to have a new segment begun.
bool is_roll_record(std::string_view key);

/// cleanup.policy=delete: begins a new segment behind the deleted records and waits until the old ones are
/// gone from the folder. compact: begins a new segment and waits until the log cleaner has been through all
/// others. The topics' settings are changed for that and set back. Needs the store's folder.
Result<MaintenanceOutcome> maintain_topics(Store& store, Client& client, Producer& producer,
                                           const CallContext& call);

}  // namespace lab::kafka
