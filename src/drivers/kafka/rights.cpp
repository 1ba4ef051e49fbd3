// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/rights.hpp"

#include <fmt/format.h>

#include "drivers/kafka/producer.hpp"

namespace lab::kafka {
namespace {

/// Says which right it is: the broker's own words name the topic alone.
Status named(const Status& asked, const char* right) {
  if (asked || asked.error().code != ErrorCode::kRefused) return asked;
  Error error = asked.error();
  error.detail = fmt::format("the right {} is missing, which deduplab setup gives: {}", right, error.detail);
  return error;
}

/// A compacted topic takes no record without a key, and says so only to those who may write.
Status may_write(const Store& store, const CallContext& call, const char* operation,
                 const std::string& compacted) {
  auto producer =
      Producer::open(store.access, {{"acks", "all"}, {"linger.ms", "0"}, {"message.send.max.retries", "0"}},
                     call, operation, {});
  if (!producer) return producer.error();
  const Status sent = (*producer)->send(call, operation, compacted, {});
  if (sent) return Error{ErrorCode::kCorruption, operation, compacted + " took a record without a key"};
  return sent.error().code == ErrorCode::kInvalidArgument ? ok() : sent;
}

class Rights {
 public:
  Rights(const Store& store, const NamespaceState& state, Client& client, const CallContext& call,
         const char* operation)
      : store_(store), state_(state), client_(client), call_(call), operation_(operation) {}

  std::vector<Finding> run() {
    const std::vector<std::string> containers = store_.container_topics();
    std::vector<std::string> all = containers;
    all.push_back(store_.names.marker());
    for (const std::string& topic : all) take(described(topic), "Describe");
    take(configs_described(all), "DescribeConfigs");
    if (store_.create) {
      take(may_create(client_, call_, operation_, all), "Create");
      take(may_alter(client_, call_, operation_, containers), "AlterConfigs");
    }
    look_at_present_topics();
    if (missing_.empty()) missing_.push_back({.what = "rights", .passed = true, .detail = what_is_there()});
    return std::move(missing_);
  }

 private:
  void take(const Status& asked, const char* right) {
    const Status said = named(asked, right);
    if (!said) missing_.push_back({.what = "rights", .passed = false, .detail = said.error().text()});
  }

  Status described(const std::string& topic) {
    const auto state = client_.topic(call_, operation_, topic);
    return state ? ok() : Status(state.error());
  }

  Status configs_described(const std::vector<std::string>& topics) {
    const auto settings = describe_topics(client_, call_, operation_, topics);
    return settings ? ok() : Status(settings.error());
  }

  void look_at_present_topics() {
    std::vector<std::string> present = state_.numbered;
    if (state_.marker_topic) present.push_back(store_.names.marker());
    for (const std::string& topic : present) take(client_.may_read(call_, operation_, topic), "Read");
    take(may_delete(client_, call_, operation_, present), "Delete");
    if (!state_.marker_topic) return;
    const auto settings = describe_topic(client_, call_, operation_, store_.names.marker());
    if (!settings) return;  // Has been said above.
    const auto policy = settings->find("cleanup.policy");
    writing_asked_ = policy != settings->end() && policy->second.value == "compact";
    if (writing_asked_) take(may_write(store_, call_, operation_, store_.names.marker()), "Write");
  }

  std::string what_is_there() const {
    const char* const made =
        store_.create ? "topics may be described, made and changed" : "topics may be described";
    if (!state_.marker_topic)
      return fmt::format(
          "{}; of reading, writing and deleting a broker tells only for topics that are there: "
          "a run asks when it has made its marker topic, before its first object",
          made);
    return fmt::format("{}, read and emptied; {}", made,
                       writing_asked_ ? "the marker topic may be written to"
                                      : "whether they may be written to shows when the lock is taken, since "
                                        "the marker topic is not compacted");
  }

  const Store& store_;
  const NamespaceState& state_;
  Client& client_;
  const CallContext& call_;
  const char* operation_;
  bool writing_asked_ = false;
  std::vector<Finding> missing_{};
};

}  // namespace

std::vector<Finding> examine_rights(const Store& store, const NamespaceState& state, Client& client,
                                    const CallContext& call, const char* operation) {
  return Rights(store, state, client, call, operation).run();
}

Status check_deletion(const Store& store, Client& client, const CallContext& call, const char* operation) {
  std::vector<std::string> topics{store.names.marker()};
  if (!store.create)
    for (std::string& topic : store.container_topics()) topics.push_back(std::move(topic));
  return named(may_delete(client, call, operation, topics), "Delete");
}

}  // namespace lab::kafka
