// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/admin_calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "driver/waiting.hpp"

namespace lab::kafka {
namespace {

constexpr int kSliceMs = 50;
constexpr const char* kAnyHost = "*";
constexpr Millis kAsk{50};  // Between two looks whether the cluster has done what it has accepted.
// A topic that was made a moment ago has a leader that does not know it yet.
constexpr Millis kElectionLimit{5'000};

struct AdminDelete {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_AdminOptions_t* options) const { rd_kafka_AdminOptions_destroy(options); }
  void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
  void operator()(rd_kafka_DeleteTopic_t* topic) const { rd_kafka_DeleteTopic_destroy(topic); }
  void operator()(rd_kafka_DeleteRecords_t* records) const { rd_kafka_DeleteRecords_destroy(records); }
  void operator()(rd_kafka_ConfigResource_t* resource) const { rd_kafka_ConfigResource_destroy(resource); }
  void operator()(rd_kafka_AclBinding_t* acl) const { rd_kafka_AclBinding_destroy(acl); }
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
template <class T>
using Held = std::unique_ptr<T, AdminDelete>;

template <class T>
std::vector<T*> plain(const std::vector<Held<T>>& held) {
  std::vector<T*> all;
  for (const auto& one : held) all.push_back(one.get());
  return all;
}

/// "1" and "1.0" are one value: the broker spells numbers its own way.
bool same_value(const std::string& a, const std::string& b) {
  const auto whole = [](const std::string& text) -> std::optional<double> {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0') return std::nullopt;
    return value;
  };
  const auto left = whole(a);
  return a == b || (left && left == whole(b));
}

bool same_settings(const TopicSettings& a, const TopicSettings& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.first == other.first && same_value(one.second, other.second);
  });
}

/// One request and its answer: `send` puts it on the way with options and a queue.
template <class Send>
Result<Held<rd_kafka_event_t>> request(Client& client, const CallContext& call, const char* operation,
                                       rd_kafka_admin_op_t kind, bool only_ask, Send&& send) {
  LAB_TRY(client.usable(call, operation));
  const Held<rd_kafka_AdminOptions_t> options(rd_kafka_AdminOptions_new(client.handle(), kind));
  std::array<char, 256> why{};
  if (only_ask) rd_kafka_AdminOptions_set_validate_only(options.get(), 1, why.data(), why.size());
  const Held<rd_kafka_queue_t> queue(rd_kafka_queue_new(client.handle()));
  send(options.get(), queue.get());
  while (true) {
    LAB_TRY(client.usable(call, operation));
    Held<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), kSliceMs));
    if (event == nullptr) continue;
    if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return kafka_error(code, operation, rd_kafka_event_error_string(event.get()));
    return event;
  }
}

/// The first topic that failed for another reason than `fine`.
Status check_topics(const rd_kafka_topic_result_t** results, std::size_t count, rd_kafka_resp_err_t fine,
                    const char* operation) {
  for (std::size_t index = 0; index < count; ++index) {
    const auto code = rd_kafka_topic_result_error(results[index]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == fine) continue;
    const char* const said = rd_kafka_topic_result_error_string(results[index]);
    return kafka_error(code, operation,
                       fmt::format("{}: {}", rd_kafka_topic_result_name(results[index]),
                                   said == nullptr ? rd_kafka_err2str(code) : said));
  }
  return ok();
}

Status send_creation(Client& client, const CallContext& call, const char* operation,
                     const std::vector<std::string>& names, const TopicSettings& settings, int replicas,
                     bool only_ask) {
  std::vector<Held<rd_kafka_NewTopic_t>> topics;
  std::array<char, 512> why{};
  for (const std::string& name : names) {
    Held<rd_kafka_NewTopic_t> topic(rd_kafka_NewTopic_new(name.c_str(), 1, replicas, why.data(), why.size()));
    if (topic == nullptr) return Error{ErrorCode::kInvalidArgument, operation, why.data()};
    for (const auto& [key, value] : settings)
      rd_kafka_NewTopic_set_config(topic.get(), key.c_str(), value.c_str());
    topics.push_back(std::move(topic));
  }
  auto list = plain(topics);
  const auto event =
      request(client, call, operation, RD_KAFKA_ADMIN_OP_CREATETOPICS, only_ask,
              [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                rd_kafka_CreateTopics(client.handle(), list.data(), list.size(), options, queue);
              });
  if (!event) return event.error();
  std::size_t count = 0;
  const auto* const result = rd_kafka_event_CreateTopics_result(event->get());
  const rd_kafka_topic_result_t** const results = rd_kafka_CreateTopics_result_topics(result, &count);
  return check_topics(results, count,
                      only_ask ? RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS : RD_KAFKA_RESP_ERR_NO_ERROR,
                      operation);
}

Settings settings_in(const rd_kafka_ConfigResource_t& resource) {
  Settings settings;
  std::size_t entries = 0;
  const rd_kafka_ConfigEntry_t** const entry = rd_kafka_ConfigResource_configs(&resource, &entries);
  for (std::size_t index = 0; index < entries; ++index) {
    const char* const value = rd_kafka_ConfigEntry_value(entry[index]);
    if (value == nullptr || rd_kafka_ConfigEntry_is_sensitive(entry[index]) == 1) continue;
    const auto source = rd_kafka_ConfigEntry_source(entry[index]);
    settings[rd_kafka_ConfigEntry_name(entry[index])] = {
        .value = value,
        .of_topic = source == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG,
        .is_default = source == RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG};
  }
  return settings;
}

/// One request for all of them, an answer for each.
Result<std::map<std::string, Result<Settings>>> describe(Client& client, const CallContext& call,
                                                         const char* operation, rd_kafka_ResourceType_t type,
                                                         const std::vector<std::string>& names) {
  std::vector<Held<rd_kafka_ConfigResource_t>> resources;
  for (const std::string& name : names)
    resources.emplace_back(rd_kafka_ConfigResource_new(type, name.c_str()));
  auto list = plain(resources);
  const auto event =
      request(client, call, operation, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, false,
              [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                rd_kafka_DescribeConfigs(client.handle(), list.data(), list.size(), options, queue);
              });
  if (!event) return event.error();
  std::size_t count = 0;
  const auto* const result = rd_kafka_event_DescribeConfigs_result(event->get());
  const rd_kafka_ConfigResource_t** const found = rd_kafka_DescribeConfigs_result_resources(result, &count);
  std::map<std::string, Result<Settings>> all;
  for (std::size_t index = 0; index < count; ++index) {
    const std::string name = rd_kafka_ConfigResource_name(found[index]);
    const auto code = rd_kafka_ConfigResource_error(found[index]);
    const char* const said = rd_kafka_ConfigResource_error_string(found[index]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
      all.emplace(name, settings_in(*found[index]));
    else
      all.emplace(name, kafka_error(code, operation, said == nullptr ? name : said));
  }
  for (const std::string& name : names)
    if (!all.contains(name)) return Error{ErrorCode::kCorruption, operation, "no answer about " + name};
  return all;
}

Result<Settings> describe_one(Client& client, const CallContext& call, const char* operation,
                              rd_kafka_ResourceType_t type, const std::string& name) {
  const auto all = describe(client, call, operation, type, {name});
  if (!all) return all.error();
  return all->at(name);
}

Status send_alteration(Client& client, const CallContext& call, const char* operation,
                       const std::vector<std::string>& names, const TopicSettings& settings, bool only_ask) {
  std::vector<Held<rd_kafka_ConfigResource_t>> resources;
  for (const std::string& name : names) {
    resources.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
    for (const auto& [key, value] : settings)
      rd_kafka_ConfigResource_set_config(resources.back().get(), key.c_str(), value.c_str());
  }
  auto list = plain(resources);
  const auto event =
      request(client, call, operation, RD_KAFKA_ADMIN_OP_ALTERCONFIGS, only_ask,
              [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                rd_kafka_AlterConfigs(client.handle(), list.data(), list.size(), options, queue);
              });
  if (!event) return event.error();
  std::size_t count = 0;
  const auto* const result = rd_kafka_event_AlterConfigs_result(event->get());
  const rd_kafka_ConfigResource_t** const found = rd_kafka_AlterConfigs_result_resources(result, &count);
  for (std::size_t index = 0; index < count; ++index) {
    const auto code = rd_kafka_ConfigResource_error(found[index]);
    const bool absent = code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || (only_ask && absent)) continue;
    const char* const said = rd_kafka_ConfigResource_error_string(found[index]);
    return kafka_error(code, operation,
                       fmt::format("{}: {}", rd_kafka_ConfigResource_name(found[index]),
                                   said == nullptr ? rd_kafka_err2str(code) : said));
  }
  return ok();
}

/// Up to before `offset`. A topic for which it failed with `fine` has not failed.
Status send_deletion(Client& client, const CallContext& call, const char* operation,
                     const std::vector<std::string>& names, std::int64_t offset, rd_kafka_resp_err_t fine) {
  if (names.empty()) return ok();
  const Held<rd_kafka_topic_partition_list_t> ends(
      rd_kafka_topic_partition_list_new(static_cast<int>(names.size())));
  for (const std::string& name : names)
    rd_kafka_topic_partition_list_add(ends.get(), name.c_str(), 0)->offset = offset;
  const Held<rd_kafka_DeleteRecords_t> records(rd_kafka_DeleteRecords_new(ends.get()));
  rd_kafka_DeleteRecords_t* list[] = {records.get()};
  const auto event = request(client, call, operation, RD_KAFKA_ADMIN_OP_DELETERECORDS, false,
                             [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                               rd_kafka_DeleteRecords(client.handle(), list, 1, options, queue);
                             });
  if (!event) return event.error();
  const auto* const result = rd_kafka_event_DeleteRecords_result(event->get());
  const rd_kafka_topic_partition_list_t* const offsets = rd_kafka_DeleteRecords_result_offsets(result);
  for (int index = 0; index < offsets->cnt; ++index) {
    const auto code = offsets->elems[index].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != fine)
      return kafka_error(code, operation, offsets->elems[index].topic);
  }
  return ok();
}

/// Nothing where all went well. A cluster without an authorizer says so in a word that few know.
Status check_acl(const rd_kafka_error_t* error, const char* operation) {
  if (error == nullptr || rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_NO_ERROR) return ok();
  if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_SECURITY_DISABLED)
    return Error{
        ErrorCode::kUnsupported, operation,
        fmt::format("the cluster has no authorizer (authorizer.class.name is not set): everybody may "
                    "do everything, and there are no rights to give ({})",
                    rd_kafka_error_string(error))};
  return kafka_error(rd_kafka_error_code(error), operation, rd_kafka_error_string(error));
}

}  // namespace

Status create_topics(Client& client, const CallContext& call, const char* operation,
                     const std::vector<std::string>& names, const TopicSettings& settings, int replicas) {
  LAB_TRY(send_creation(client, call, operation, names, settings, replicas, false));
  for (const std::string& name : names)
    LAB_TRY(poll_until(call, kAsk, operation, [&]() -> Result<bool> {
      const auto state = client.topic(call, operation, name);
      if (!state) return state.error();
      const TopicState* const topic = state->find(name);
      return topic != nullptr && topic->partitions.size() == 1 && topic->partitions[0].leader >= 0;
    }));
  return ok();
}

Status may_create(Client& client, const CallContext& call, const char* operation,
                  const std::vector<std::string>& names) {
  return send_creation(client, call, operation, names, {}, -1, true);
}

Status delete_topics(Client& client, const CallContext& call, const char* operation,
                     const std::vector<std::string>& names) {
  if (names.empty()) return ok();
  std::vector<Held<rd_kafka_DeleteTopic_t>> topics;
  for (const std::string& name : names) topics.emplace_back(rd_kafka_DeleteTopic_new(name.c_str()));
  auto list = plain(topics);
  const auto event =
      request(client, call, operation, RD_KAFKA_ADMIN_OP_DELETETOPICS, false,
              [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                rd_kafka_DeleteTopics(client.handle(), list.data(), list.size(), options, queue);
              });
  if (!event) return event.error();
  std::size_t count = 0;
  const auto* const result = rd_kafka_event_DeleteTopics_result(event->get());
  const rd_kafka_topic_result_t** const results = rd_kafka_DeleteTopics_result_topics(result, &count);
  LAB_TRY(check_topics(results, count, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, operation));
  for (const std::string& name : names)
    LAB_TRY(poll_until(call, kAsk, operation, [&]() -> Result<bool> {
      const auto state = client.topic(call, operation, name);
      if (!state) return state.error();
      return state->find(name) == nullptr;
    }));
  return ok();
}

Status delete_records(Client& client, const CallContext& call, const char* operation,
                      const std::vector<std::string>& names) {
  return send_deletion(client, call, operation, names, RD_KAFKA_OFFSET_END, RD_KAFKA_RESP_ERR_NO_ERROR);
}

/// No record lies before offset 0. A compacted topic refuses every deletion, but whom it does not know first.
Status may_delete(Client& client, const CallContext& call, const char* operation,
                  const std::vector<std::string>& names) {
  const auto election = Clock::now() + kElectionLimit;
  while (true) {
    const Status asked = send_deletion(client, call, operation, names, 0, RD_KAFKA_RESP_ERR_POLICY_VIOLATION);
    const bool no_leader = !asked && asked.error().code == ErrorCode::kConnectionLost && !client.lost();
    if (!no_leader || Clock::now() >= election) return asked;
    sleep_until(call.stop, std::min(call.deadline, Clock::now() + kAsk));
  }
}

Result<Settings> describe_topic(Client& client, const CallContext& call, const char* operation,
                                const std::string& name) {
  return describe_one(client, call, operation, RD_KAFKA_RESOURCE_TOPIC, name);
}

Result<std::map<std::string, Settings>> describe_topics(Client& client, const CallContext& call,
                                                        const char* operation,
                                                        const std::vector<std::string>& names) {
  std::map<std::string, Settings> there;
  if (names.empty()) return there;
  const auto all = describe(client, call, operation, RD_KAFKA_RESOURCE_TOPIC, names);
  if (!all) return all.error();
  for (const auto& [name, settings] : *all) {
    if (!settings && settings.error().code == ErrorCode::kNotFound) continue;  // Gone since it was listed.
    if (!settings) return settings.error();
    there.emplace(name, *settings);
  }
  return there;
}

Result<Settings> describe_broker(Client& client, const CallContext& call, const char* operation,
                                 std::int32_t broker) {
  return describe_one(client, call, operation, RD_KAFKA_RESOURCE_BROKER, std::to_string(broker));
}

Status alter_topics(Client& client, const CallContext& call, const char* operation,
                    const std::vector<std::string>& names, const TopicSettings& settings) {
  LAB_TRY(send_alteration(client, call, operation, names, settings, false));
  for (const std::string& name : names)
    LAB_TRY(poll_until(call, kAsk, operation, [&]() -> Result<bool> {
      const auto now = describe_topic(client, call, operation, name);
      if (!now) return now.error();
      return same_settings(own_settings(*now), settings);
    }));
  return ok();
}

Status may_alter(Client& client, const CallContext& call, const char* operation,
                 const std::vector<std::string>& names) {
  return send_alteration(client, call, operation, names, {}, true);
}

Status create_acls(Client& client, const CallContext& call, const char* operation,
                   const std::vector<AclRule>& rules) {
  std::vector<Held<rd_kafka_AclBinding_t>> bindings;
  std::array<char, 256> why{};
  for (const AclRule& rule : rules) {
    bindings.emplace_back(rd_kafka_AclBinding_new(
        rule.resource, rule.name.c_str(), rule.pattern, rule.principal.c_str(), kAnyHost, rule.operation,
        RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, why.data(), why.size()));
    if (bindings.back() == nullptr) return Error{ErrorCode::kInvalidArgument, operation, why.data()};
  }
  auto list = plain(bindings);
  const auto event = request(client, call, operation, RD_KAFKA_ADMIN_OP_CREATEACLS, false,
                             [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                               rd_kafka_CreateAcls(client.handle(), list.data(), list.size(), options, queue);
                             });
  if (!event) return event.error();
  std::size_t count = 0;
  const auto* const result = rd_kafka_event_CreateAcls_result(event->get());
  const rd_kafka_acl_result_t** const results = rd_kafka_CreateAcls_result_acls(result, &count);
  for (std::size_t index = 0; index < count; ++index)
    LAB_TRY(check_acl(rd_kafka_acl_result_error(results[index]), operation));
  return ok();
}

Status delete_acls(Client& client, const CallContext& call, const char* operation,
                   const std::vector<AclRule>& rules) {
  std::vector<Held<rd_kafka_AclBindingFilter_t>> filters;
  std::array<char, 256> why{};
  for (const AclRule& rule : rules) {
    filters.emplace_back(rd_kafka_AclBindingFilter_new(
        rule.resource, rule.name.c_str(), rule.pattern, rule.principal.c_str(), kAnyHost, rule.operation,
        RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, why.data(), why.size()));
    if (filters.back() == nullptr) return Error{ErrorCode::kInvalidArgument, operation, why.data()};
  }
  auto list = plain(filters);
  const auto event = request(client, call, operation, RD_KAFKA_ADMIN_OP_DELETEACLS, false,
                             [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                               rd_kafka_DeleteAcls(client.handle(), list.data(), list.size(), options, queue);
                             });
  if (!event) return event.error();
  std::size_t count = 0;
  const auto* const result = rd_kafka_event_DeleteAcls_result(event->get());
  const rd_kafka_DeleteAcls_result_response_t** const results =
      rd_kafka_DeleteAcls_result_responses(result, &count);
  for (std::size_t index = 0; index < count; ++index)
    LAB_TRY(check_acl(rd_kafka_DeleteAcls_result_response_error(results[index]), operation));
  return ok();
}

TopicSettings own_settings(const Settings& all) {
  TopicSettings own;
  for (const auto& [key, setting] : all)
    if (setting.of_topic) own[key] = setting.value;
  return own;
}

}  // namespace lab::kafka
