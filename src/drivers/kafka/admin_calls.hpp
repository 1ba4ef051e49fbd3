// What librdkafka's admin interface does with topics: make, drop, empty, read and change their settings.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "drivers/kafka/client.hpp"
#include "drivers/kafka/topics.hpp"

namespace lab::kafka {

/// What one setting is and who set it.
struct Setting {
  std::string value{};
  bool of_topic = false;    // Set for this very topic.
  bool is_default = false;  // Nobody set it.
};
using Settings = std::map<std::string, Setting>;

/// With one partition and `replicas` copies, -1: as the broker makes topics. Returns when each has a leader.
Status create_topics(Client& client, const CallContext& call, const char* operation,
                     const std::vector<std::string>& names, const TopicSettings& settings, int replicas);

/// Whether topics might be made, without making one. Errors: kRefused. One that exists is fine.
Status may_create(Client& client, const CallContext& call, const char* operation,
                  const std::vector<std::string>& names);
/// Whether their settings might be changed, without changing one. Errors: kRefused. One that is not there is
/// fine.
Status may_alter(Client& client, const CallContext& call, const char* operation,
                 const std::vector<std::string>& names);
/// Whether their records, and thereby they themselves, might be deleted, without deleting one. They must be
/// there: of others librdkafka asks nobody. Errors: kRefused.
Status may_delete(Client& client, const CallContext& call, const char* operation,
                  const std::vector<std::string>& names);

/// Returns when the cluster no longer knows them. A topic that is not there is fine.
Status delete_topics(Client& client, const CallContext& call, const char* operation,
                     const std::vector<std::string>& names);

/// All records up to the present end.
Status delete_records(Client& client, const CallContext& call, const char* operation,
                      const std::vector<std::string>& names);

/// Of a topic. Errors: kNotFound.
Result<Settings> describe_topic(Client& client, const CallContext& call, const char* operation,
                                const std::string& name);
/// Of several; one that is not there has no entry.
Result<std::map<std::string, Settings>> describe_topics(Client& client, const CallContext& call,
                                                        const char* operation,
                                                        const std::vector<std::string>& names);
Result<Settings> describe_broker(Client& client, const CallContext& call, const char* operation,
                                 std::int32_t broker);

/// Gives the topics exactly these settings, and returns when the cluster says that they are in force.
Status alter_topics(Client& client, const CallContext& call, const char* operation,
                    const std::vector<std::string>& names, const TopicSettings& settings);

/// That a principal may do one thing with one resource, from any host.
struct AclRule {
  std::string principal{};
  rd_kafka_ResourceType_t resource{};
  std::string name{};
  rd_kafka_ResourcePatternType_t pattern{};
  rd_kafka_AclOperation_t operation{};
};

/// Adds what is not there yet. Errors: kUnsupported for a cluster without an authorizer, kRefused.
Status create_acls(Client& client, const CallContext& call, const char* operation,
                   const std::vector<AclRule>& rules);

/// Removes these and no other, not even one that says more. One that is not there is fine.
Status delete_acls(Client& client, const CallContext& call, const char* operation,
                   const std::vector<AclRule>& rules);

/// Those that were set for the topic itself.
TopicSettings own_settings(const Settings& all);

}  // namespace lab::kafka
